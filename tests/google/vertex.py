"""Vertex AI's tuning jobs, in memory and under the test's control: nothing moves unless the test moves it.

::

    cloud.vertex.move(name)                     # QUEUED → PENDING → RUNNING → SUCCEEDED, a state a call
    cloud.vertex.learn(name, [2.1, 1.7], held_out={2: 1.9})
    cloud.vertex.hurry = 5                      # or: each time a job is asked about, it gets on, in so many steps
"""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.google.discovery import aiplatform
from tests.google.refusals import invalid, not_found, precondition
from tests.google.serving import Answer, Asked, json
from tests.google.storage import Storage

Resource = dict[str, Any]

ORDER = ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED")
ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"}
TRAIN = ("/train_total_loss", "/train_fraction_of_correct_next_step_preds", "/train_num_predictions")
EVAL = ("/eval_total_loss", "/eval_fraction_of_correct_next_step_preds", "/eval_num_predictions")
LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
READ_AT_ONCE = 1000
"""Points of a series that are answered where nothing is said; of more, some at random."""


@dataclass
class Job:
    """``told`` is the resource; ``series`` the scalars of its run by their names."""

    told: Resource
    series: dict[str, dict[int, tuple[float, str]]] = field(default_factory=dict)
    steps: int = 0
    examples: int = 0


def answer_plainly(question: str) -> str:
    """The number that follows, as the sample dataset has it."""
    return str(int(question) + 1) if question.strip().isdigit() else f"You asked: {question}"


@dataclass
class Vertex:
    """The jobs, endpoints, models and series of one project and location."""

    parent: str
    storage: Storage
    tunable: tuple[str, ...] = ("gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro")
    jobs: dict[str, Job] = field(default_factory=dict)
    endpoints: dict[str, Resource] = field(default_factory=dict)
    models: dict[str, Resource] = field(default_factory=dict)
    operations: dict[str, Resource] = field(default_factory=dict)
    hurry: int = 0
    says: Callable[[str], str] = answer_plainly
    page_size: int = 100
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(4611686018427387905))

    # what a test does -----------------------------------------------------------------------------------------

    def move(self, name: str, to: str = "") -> None:
        """The job's next state, or ``to``."""
        job = self.jobs[name]
        state = to or ORDER[ORDER.index(job.told["state"]) + 1]
        now = _now()
        job.told |= {"state": state, "updateTime": now}
        if state == "JOB_STATE_RUNNING":
            job.told.setdefault("startTime", now)
            self._begin(job)
        if state in ENDED:
            job.told["endTime"] = now
        if state == "JOB_STATE_SUCCEEDED":
            self._finish(job)

    def run(self, name: str) -> None:
        """Up to RUNNING."""
        while self.jobs[name].told["state"] != "JOB_STATE_RUNNING":
            self.move(name)

    def learn(self, name: str, losses: list[float], held_out: dict[int, float] | None = None) -> None:
        """Steps with their losses; ``held_out`` by the step after which they were measured."""
        job = self.jobs[name]
        start = max(job.series.get(TRAIN[0], {0: None})) + 1
        for step, value in enumerate(losses, start):
            for series, one in zip(TRAIN, (value, max(1 - value / 4, 0.0), 40.0), strict=True):
                job.series.setdefault(series, {})[step] = (one, _now())
        for step, value in (held_out or {}).items():
            for series, one in zip(EVAL, (value, max(1 - value / 4, 0.0), 10.0), strict=True):
                job.series.setdefault(series, {})[step] = (one, _now())

    def fail(self, name: str, message: str, code: int = 3) -> None:
        self.jobs[name].told["error"] = {"code": code, "message": message}
        self.move(name, "JOB_STATE_FAILED")

    # methods of the document, by their names --------------------------------------------------------------------

    def create(self, asked: Asked) -> Resource:
        wanted = asked.json
        self._check_wanted(wanted)
        examples = self._check_data(wanted["supervisedTuningSpec"]["trainingDatasetUri"])
        if validation := wanted["supervisedTuningSpec"].get("validationDatasetUri"):
            self._check_data(validation)
        name, now = f"{self.parent}/tuningJobs/{next(self._numbers)}", _now()
        told = wanted | {"name": name, "state": ORDER[0], "createTime": now, "updateTime": now}
        steps = max(-(-examples * _epochs(told) // 4), 1)
        job = self.jobs[name] = Job(told, steps=steps, examples=examples)
        return job.told

    def get(self, asked: Asked) -> Resource:
        job = self._job(asked)
        if self.hurry and job.told["state"] in ORDER[:-1]:
            self._hurry(job)
        return job.told

    def list(self, asked: Asked) -> Resource:
        """The newest first, as many at once as are asked for."""
        every = [job.told for job in self.jobs.values()][::-1]
        size = min(int(asked.one("pageSize", "100")), self.page_size)
        start = int(asked.one("pageToken", "0"))
        page: Resource = {"tuningJobs": every[start : start + size]} if every else {}
        return page | ({"nextPageToken": str(start + size)} if start + size < len(every) else {})

    def cancel(self, asked: Asked) -> Resource:
        job = self._job(asked)
        if job.told["state"] in ENDED:
            raise precondition(f"The tuning job has ended: {job.told['state']}.")
        waits = job.told["state"] in ORDER[:2]
        self.move(job.told["name"], "JOB_STATE_CANCELLED" if waits or self.hurry else "JOB_STATE_CANCELLING")
        if job.told["state"] == "JOB_STATE_CANCELLED":
            job.told["error"] = {"code": 1, "message": "CANCELED"}
        return {}

    def context(self, asked: Asked) -> Resource:
        """The experiment of the metadata store, which names its TensorBoard."""
        job = next((one for one in self.jobs.values() if one.told.get("experiment") == asked.names["name"]), None)
        if job is None:
            raise not_found()
        return {
            "name": asked.names["name"],
            "displayName": asked.names["name"].rpartition("/")[2],
            "schemaTitle": "system.Experiment",
            "schemaVersion": "0.0.1",
            "metadata": {"experiment_deleted": False, "backing_tensorboard_resource": f"{self.parent}/tensorboards/71"},
        }

    def runs(self, asked: Asked) -> Resource:
        job = self._of_experiment(asked.names["parent"])
        name = self._run(job)
        return {"tensorboardRuns": [{"name": name, "displayName": name.rpartition("/")[2], "createTime": _now()}]}

    def series(self, asked: Asked) -> Resource:
        job = self._of_experiment(asked.names["parent"].rpartition("/runs/")[0])
        run, told = self._run(job), []
        for number, (name, points) in enumerate(job.series.items()):
            metadata = {"maxStep": str(max(points)), "maxWallTime": points[max(points)][1]}
            about = {"name": f"{run}/timeSeries/{number}", "displayName": name, "valueType": "SCALAR"}
            told.append(about | {"pluginName": "scalars", "createTime": _now(), "metadata": metadata})
        return {"tensorboardTimeSeries": told} if told else {}

    def read(self, asked: Asked) -> Resource:
        most = int(asked.one("maxDataPoints", str(READ_AT_ONCE)))
        if most == 0 or most < -1 or most > 10_000:
            raise invalid("max_data_points must be positive, -1, and at most 10000.", "maxDataPoints")
        data = self._data(asked.names["tensorboardTimeSeries"], most)
        return {"timeSeriesData": data}

    def batch_read(self, asked: Asked) -> Resource:
        return {"timeSeriesData": [self._data(name, READ_AT_ONCE) for name in asked.query["timeSeries"]]}

    def generate(self, asked: Asked) -> Resource:
        text, reason = self._said(asked)
        return self._answered(asked, text, reason, whole=text)

    def stream(self, asked: Asked) -> Answer:
        text, reason = self._said(asked)
        words = re.findall(r"\S+\s*", text) or [""]
        chunks = [
            self._answered(asked, word, reason if last else "", whole=text if last else None)
            for word, last in zip(words, [False] * (len(words) - 1) + [True], strict=True)
        ]
        if asked.one("alt") == "sse":
            pieces = (b"data: " + orjson.dumps(chunk) + b"\r\n\r\n" for chunk in chunks)
            return Answer(status=200, headers={"Content-Type": "text/event-stream"}, pieces=pieces)
        return json(chunks)

    def count(self, asked: Asked) -> Resource:
        self._asked_model(asked.names["endpoint"])
        texts = [part["text"] for content in asked.json.get("contents", []) for part in content["parts"]]
        return {"totalTokens": sum(_tokens(text) for text in texts), "totalBillableCharacters": sum(map(len, texts))}

    def get_endpoint(self, asked: Asked) -> Resource:
        return _found(self.endpoints, asked.names["name"])

    def undeploy(self, asked: Asked) -> Resource:
        endpoint = _found(self.endpoints, asked.names["endpoint"])
        deployed = asked.json["deployedModelId"]
        if deployed not in [one["id"] for one in endpoint.get("deployedModels", [])]:
            raise not_found()
        endpoint["deployedModels"] = [one for one in endpoint["deployedModels"] if one["id"] != deployed]
        for model in self.models.values():
            model["deployedModels"] = [one for one in model["deployedModels"] if one["deployedModelId"] != deployed]
        return self._operation("UndeployModelResponse")

    def delete_endpoint(self, asked: Asked) -> Resource:
        endpoint = _found(self.endpoints, asked.names["name"])
        if endpoint.get("deployedModels"):
            raise precondition("Endpoint has deployed or being-deployed DeployedModel(s).")
        del self.endpoints[asked.names["name"]]
        return self._operation("")

    def get_model(self, asked: Asked) -> Resource:
        return _found(self.models, asked.names["name"].partition("@")[0])

    def delete_model(self, asked: Asked) -> Resource:
        model = _found(self.models, asked.names["name"].partition("@")[0])
        if model["deployedModels"]:
            raise precondition("The Model is deployed at an Endpoint.")
        del self.models[model["name"]]
        return self._operation("")

    def operation(self, asked: Asked) -> Resource:
        return _found(self.operations, asked.names["name"])

    # -------------------------------------------------------------------------------------------------------------

    def _check_wanted(self, wanted: Resource) -> None:
        """What the schemas cannot say."""
        specs = [name for name in wanted if name.endswith("Spec") and name != "encryptionSpec"]
        if specs != ["supervisedTuningSpec"]:
            raise invalid(f"One tuning spec is wanted, of supervised tuning: {specs}", "tuning_spec")
        if ("baseModel" in wanted) == ("preTunedModel" in wanted):
            raise invalid("Either base_model or pre_tuned_model must be set.", "source_model")
        if "baseModel" in wanted and wanted["baseModel"] not in self.tunable:
            raise invalid(f"Base model {wanted['baseModel']} is not supported.", "base_model")
        if source := wanted.get("preTunedModel"):
            _found(self.models, source["tunedModelName"].partition("@")[0])
        if len(wanted.get("tunedModelDisplayName", "")) > 128:
            raise invalid("tuned_model_display_name has more than 128 characters.", "tuned_model_display_name")
        for key, value in wanted.get("labels", {}).items():
            if not LABEL.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
                raise invalid(f"Invalid label {key}={value}", "labels")
        parameters = wanted["supervisedTuningSpec"].get("hyperParameters", {})
        if int(parameters.get("epochCount", 1)) < 1 or parameters.get("learningRateMultiplier", 1) <= 0:
            raise invalid("Hyperparameters must be positive.", "supervised_tuning_spec.hyper_parameters")

    def _check_data(self, uri: str) -> int:
        """How many examples are at ``uri``. Raises ``Refusal`` for a line that is none."""
        text = self.storage.text(uri)
        if not uri.startswith("gs://") or text is None:
            raise invalid(f"Failed to read the dataset {uri}: no such object.", "supervised_tuning_spec")
        rows = text.splitlines()
        for number, row in enumerate(rows, 1):
            example = orjson.loads(row)
            for problem in aiplatform().problems("GoogleCloudAiplatformV1GenerateContentRequest", example, asked=True):
                raise invalid(f"{uri} line {number}: {problem.message}", "supervised_tuning_spec")
            roles = [content.get("role") for content in example["contents"]]
            if roles != ["user", "model"] * (len(roles) // 2):
                raise invalid(f"{uri} line {number}: turns of user and model must alternate.", "supervised_tuning_spec")
        if not rows:
            raise invalid(f"{uri} holds no examples.", "supervised_tuning_spec")
        return len(rows)

    def _hurry(self, job: Job) -> None:
        """One move on: through the states, and while it runs through its steps."""
        name, done = job.told["name"], len(job.series.get(TRAIN[0], ()))
        if job.told["state"] != "JOB_STATE_RUNNING" or done >= job.steps:
            self.move(name)
            return
        here = range(done + 1, min(done + self.hurry, job.steps) + 1)
        measured = "validationDatasetUri" in job.told["supervisedTuningSpec"]
        losses = [2.5 / step**0.5 for step in here]
        self.learn(name, losses, {here[-1]: losses[-1] + 0.1} if measured else None)

    def _begin(self, job: Job) -> None:
        number = job.told["name"].rpartition("/")[2]
        where = f"{self.parent}/metadataStores/default/contexts/tuning-experiment-{number}"
        tokens = 30 * job.examples
        spread = {"sum": str(tokens), "billableSum": str(tokens), "min": 8.0, "max": 64.0, "mean": 30.0, "median": 29.0}
        spread |= {"p5": 9.0, "p95": 60.0, "buckets": [{"count": float(job.examples), "left": 8.0, "right": 64.0}]}
        stats = {
            "tuningDatasetExampleCount": str(job.examples),
            "totalBillableTokenCount": str(2 * tokens),
            "totalTuningCharacterCount": str(8 * tokens),
            "tuningStepCount": str(job.steps),
            "userInputTokenDistribution": spread,
            "userOutputTokenDistribution": spread,
            "userMessagePerExampleDistribution": spread,
        }
        job.told.setdefault("experiment", where)
        job.told.setdefault("tuningDataStats", {"supervisedTuningDataStats": stats})
        job.told.setdefault("gcsMetricsUri", f"gs://vertex-internal-metrics/{number}/")

    def _finish(self, job: Job) -> None:
        """The model, and an endpoint for it and for each checkpoint."""
        epochs = _epochs(job.told)
        model = f"{self.parent}/models/{next(self._numbers)}"
        display_name = job.told.get("tunedModelDisplayName", "tuned model")
        self.models[model] = {
            "name": model,
            "displayName": display_name,
            "versionId": "1",
            "createTime": _now(),
            "deployedModels": [],
        }
        points = []
        for epoch in range(1, epochs + 1):
            endpoint, deployed = f"{self.parent}/endpoints/{next(self._numbers)}", str(next(self._numbers))
            at = {"id": deployed, "model": model, "modelVersionId": "1", "checkpointId": str(epoch)}
            self.endpoints[endpoint] = {"name": endpoint, "displayName": display_name, "deployedModels": [at]}
            self.models[model]["deployedModels"].append({"endpoint": endpoint, "deployedModelId": deployed})
            step = str(job.steps * epoch // epochs)
            points.append({"checkpointId": str(epoch), "epoch": str(epoch), "step": step, "endpoint": endpoint})
        told = {"model": f"{model}@1", "endpoint": points[-1]["endpoint"]}
        job.told["tunedModel"] = told | ({"checkpoints": points} if epochs > 1 else {})

    def _said(self, asked: Asked) -> tuple[str, str]:
        self._asked_model(asked.names["model"])
        wanted = asked.json
        question = wanted["contents"][-1]["parts"][0]["text"]
        words = re.findall(r"\S+\s*", self.says(question))
        most = wanted.get("generationConfig", {}).get("maxOutputTokens", 1_000)
        return "".join(words[:most]), "STOP" if len(words) <= most else "MAX_TOKENS"

    def _asked_model(self, name: str) -> None:
        publisher, _, model = name.partition("/publishers/google/models/")
        if name in self.endpoints or (publisher == self.parent and model in self.tunable):
            return
        raise not_found(
            f"Publisher Model or Endpoint `{name}` was not found or your project does not have access to it."
        )

    def _answered(self, asked: Asked, text: str, reason: str, whole: str | None) -> Resource:
        """``whole`` is what is counted, where the answer ends."""
        candidate: Resource = {"content": {"role": "model", "parts": [{"text": text}]}}
        candidate |= {"finishReason": reason, "avgLogprobs": -0.25} if reason else {}
        told = {"candidates": [candidate], "modelVersion": "gemini-2.5-flash", "createTime": _now(), "responseId": "r1"}
        if whole is None:
            return told
        asked_for, said = _tokens(asked.json["contents"][-1]["parts"][0]["text"]), _tokens(whole)
        usage = {"promptTokenCount": asked_for, "candidatesTokenCount": said, "totalTokenCount": asked_for + said}
        return told | {"usageMetadata": usage | {"trafficType": "ON_DEMAND"}}

    def _operation(self, kind: str) -> Resource:
        name = f"{self.parent}/operations/{next(self._numbers)}"
        said = f"google.cloud.aiplatform.v1.{kind}" if kind else "google.protobuf.Empty"
        answered = {"@type": f"type.googleapis.com/{said}"}
        self.operations[name] = {"name": name, "done": True, "response": answered}
        return self.operations[name]

    def _job(self, asked: Asked) -> Job:
        return _found(self.jobs, asked.names["name"])

    def _of_experiment(self, name: str) -> Job:
        number = name.rpartition("tuning-experiment-")[2]
        return _found(self.jobs, f"{self.parent}/tuningJobs/{number}")

    def _run(self, job: Job) -> str:
        experiment = job.told["experiment"].rpartition("/")[2]
        return f"{self.parent}/tensorboards/71/experiments/{experiment}/runs/{experiment}-tuning-run"

    def _data(self, name: str, most: int) -> Resource:
        run, _, number = name.rpartition("/timeSeries/")
        job = self._of_experiment(run.rpartition("/runs/")[0])
        if int(number) >= len(job.series):
            raise not_found()
        points = sorted(list(job.series.values())[int(number)].items())
        kept = points if most < 0 or len(points) <= most else points[:: -(-len(points) // most)]
        values = [{"step": str(step), "wallTime": at, "scalar": {"value": value}} for step, (value, at) in kept]
        return {"tensorboardTimeSeriesId": number, "valueType": "SCALAR", "values": values}


def _found(kept: dict[str, Any], name: str) -> Any:
    if name not in kept:
        raise not_found()
    return kept[name]


def _epochs(told: Resource) -> int:
    """Of a job; it is told as text from now on, as every number of 64 bits is answered."""
    parameters = told["supervisedTuningSpec"].setdefault("hyperParameters", {})
    parameters["epochCount"] = str(parameters.get("epochCount", 3))
    return int(parameters["epochCount"])


def _tokens(text: str) -> int:
    return len(re.findall(r"\S+", text))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
