"""The same job as code: what to type to do without the dashboard what it does."""

import json
import shlex
from typing import Any

from dashboard.jobs.models import Job
from tuning.recipes import GOOGLES, beyond, whole

EXAMPLES_SHOWN = 20
"""More are named by their hash: the service knows them from the job itself."""


def curl(job: Job, *, with_examples: bool) -> str:
    """The create request for a shell. ``$TUNEBOARD_KEY`` is an API key. A few examples stand in it themselves, for
    those who may see them.
    """
    few = with_examples and job.dataset_version.examples <= EXAMPLES_SHOWN
    named = "" if few else f"sha256:{job.dataset_version.sha256}"
    asked = _request(job, 0 if named else EXAMPLES_SHOWN)
    path = _path(job)
    if named and _is_ours(job):
        asked["dataset"] = named
    elif named:
        path += f"?dataset={named}"
    body = json.dumps(asked, indent=2, ensure_ascii=False)
    return (
        f"curl -X POST {shlex.quote(f'{job.connection.address}/{path}')} \\\n"
        f'  -H "x-goog-api-key: $TUNEBOARD_KEY" \\\n'
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def python(job: Job) -> str:
    """The whole flow with requests: create, wait, ask."""
    body = _request(job, 0)
    place = 'job["tuned_model"]' if _is_ours(job) else "job"
    return PYTHON.format(
        base_url=json.dumps(job.connection.address),
        body=_python_literal(body),
        path=_path(job),
        place=place,
        file=f"v{job.dataset_version.number}.jsonl",
    )


PYTHON = """\
import json, os, time
import requests

base_url = {base_url}
headers = {{"x-goog-api-key": os.environ["TUNEBOARD_KEY"]}}

with open("{file}", encoding="utf-8") as lines:  # the dataset, as downloaded from its page
    examples = [json.loads(line) for line in lines]

job = {body}
{place}["tuning_task"]["training_data"] = {{"examples": {{"examples": examples}}}}

answer = requests.post(f"{{base_url}}/{path}", headers=headers, json=job)
answer.raise_for_status()
operation = answer.json()
model = operation["metadata"]["tunedModel"]

while not operation.get("done"):
    time.sleep(2)
    operation = requests.get(f"{{base_url}}/v1/{{operation['name']}}", headers=headers).json()
    print(operation["metadata"].get("completedPercent", 0), "%")

question = {{"contents": [{{"parts": [{{"text": "LXIII"}}]}}]}}
answer = requests.post(f"{{base_url}}/v1beta/{{model}}:generateContent", headers=headers, json=question)
print(answer.json()["candidates"][0]["content"]["parts"][0]["text"])
"""


def _is_ours(job: Job) -> bool:
    """Whether the job says more than Google's create has words for."""
    plain = whole(job.epoch_count, job.batch_size, job.learning_rate, {})
    return job.validation_version is not None or job.recipe != plain


def _path(job: Job) -> str:
    return "tuneboard/v1/jobs" if _is_ours(job) else "v1beta/tunedModels"


def _request(job: Job, examples: int) -> dict[str, Any]:
    """The body of a create request, with the first ``examples``; with none, the place for them is left out."""
    model = _model(job, examples)
    if not _is_ours(job):
        return model
    recipe = {name: value for name, value in beyond(job.recipe).items() if value is not None}
    apart = job.validation_version
    return {
        "tuned_model": model,
        "recipe": recipe,
        **({"validation": {"dataset": f"sha256:{apart.sha256}"}} if apart else {}),
    }


def _model(job: Job, examples: int) -> dict[str, Any]:
    hyperparameters = {name: getattr(job.recipe, name) for name in GOOGLES}
    shown = [
        {"text_input": example.text_input, "output": example.output}
        for example in (job.dataset_version.preview(0, examples) if examples else ())
    ]
    training_data = {"training_data": {"examples": {"examples": shown}}} if shown else {}
    source = {"tuned_model_source": {"tuned_model": job.tuned_from}}
    return {
        "display_name": job.display_name,
        **(source if job.tuned_from else {"base_model": job.base_model}),
        "tuning_task": {"hyperparameters": hyperparameters, **training_data},
    }


def _python_literal(body: dict[str, Any]) -> str:
    # The body holds texts and numbers only, which JSON and Python spell alike.
    return json.dumps(body, indent=4, ensure_ascii=False)
