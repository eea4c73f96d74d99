"""Loss and accuracy of a job, from the TensorBoard run that Vertex AI writes while it tunes.

A job names its experiment, which is a context of the metadata store; that names the TensorBoard behind it, in which the
experiment of the same id has one run (https://cloud.google.com/vertex-ai/docs/experiments/intro-vertex-ai-experiments).
The names of the series are those of
https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-use-supervised-tuning#tuning-metrics.
"""

import math
import re
from collections.abc import Sequence

from tuning.client.google_cloud import GoogleCloud, Told
from tuning.errors import BadAnswer, NotFound
from tuning.jobs import Point
from tuning.providers.vertex import reading

LOSS, HELD_OUT_LOSS = "/train_total_loss", "/eval_total_loss"
ACCURACY, HELD_OUT_ACCURACY = "/train_fraction_of_correct_next_step_preds", "/eval_fraction_of_correct_next_step_preds"

CONTEXT = re.compile(r"projects/[\w.:-]+/locations/[\w-]+/metadataStores/[\w-]+/contexts/([\w.-]+)", re.ASCII)
TENSORBOARD = re.compile(r"projects/[\w.:-]+/locations/[\w-]+/tensorboards/[\w-]+", re.ASCII)
RUN = re.compile(TENSORBOARD.pattern + r"/experiments/[\w.-]+/runs/[\w.-]+", re.ASCII)
SERIES = re.compile(RUN.pattern + r"/timeSeries/[\w.-]+", re.ASCII)
ALL = "-1"
"""Points that are read: else, of more than a thousand, some at random."""

RUNS: dict[tuple[str, str], str] = {}
"""The run of an experiment, which never changes: it need not be looked for at every poll."""
RUNS_KEPT = 1_000


class Series:
    """The series of one job, ``{name: points}``, read when they are asked for."""

    def __init__(self, service: GoogleCloud, job: Told) -> None:
        self._service = service
        self._epochs, self._steps = reading.epochs(job), reading.steps(job)
        self._about = self._listed(reading.text(job.get("experiment")))

    def last(self, name: str) -> int:
        """The last step of a series; 0 where there is none."""
        return reading.number(reading.record(self._about.get(name, {}), "metadata").get("maxStep"))

    def points(self, name: str, after: int = 0) -> Sequence[Point]:
        """In order of their steps."""
        if name not in self._about or self.last(name) <= after:
            return []
        where = _checked(SERIES, self._about[name].get("name"))
        told = self._service.tell("GET", f"v1/{where}:read", query={"maxDataPoints": ALL})
        values = reading.record(told, "timeSeriesData").get("values", [])
        return sorted((self._point(one) for one in values if _step(one) > after), key=lambda point: point.step)

    def _point(self, told: Told) -> Point:
        step, at = _step(told), reading.time(told.get("wallTime"))
        epoch = step * self._epochs // self._steps if self._steps else 0
        value = float(reading.record(told, "scalar").get("value", math.nan))
        return Point(step, epoch, value, at.timestamp() if at else 0.0)

    def _listed(self, experiment: str) -> dict[str, Told]:
        """What is known of each series, by its name; nothing before the first step."""
        try:
            run = self._run(experiment) if experiment else ""
            listed = list(self._service.pages(f"v1/{run}/timeSeries", "tensorboardTimeSeries")) if run else []
        except NotFound:
            return {}
        return {reading.text(one.get("displayName")): one for one in listed}

    def _run(self, experiment: str) -> str:
        key = self._service.base_url, experiment
        if key not in RUNS:
            if not (found := self._found(experiment)):
                return ""
            RUNS[key] = found
            while len(RUNS) > RUNS_KEPT:
                RUNS.pop(next(iter(RUNS)))
        return RUNS[key]

    def _found(self, experiment: str) -> str:
        context = self._service.tell("GET", f"v1/{_checked(CONTEXT, experiment)}")
        board = reading.record(context, "metadata").get("backing_tensorboard_resource")
        if not board:
            return ""
        name = experiment.rpartition("/")[2]
        runs = self._service.pages(f"v1/{_checked(TENSORBOARD, board)}/experiments/{name}/runs", "tensorboardRuns")
        return next((_checked(RUN, run.get("name")) for run in runs), "")


def _step(told: Told) -> int:
    return reading.number(told.get("step"))


def _checked(pattern: re.Pattern[str], name: object) -> str:
    """``name`` if it may stand in a path."""
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise BadAnswer(detail=f"no such name: {name!r:.100}")
    return name
