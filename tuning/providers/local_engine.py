"""The machines behind a tuning server of ours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from tuning.client.tuneboard import Tuneboard
from tuning.errors import BadAnswer, NotFound, PermissionDenied
from tuning.jobs import JobState
from tuning.providers.base import JobRef
from tuning.providers.engine import EngineState, InQueue, InstalledBase, NewBase, Process, QueueState, Tuner, Turn
from tuning.providers.reading import NO_POINTS

ENGINE = "tuneboard/v1/engine"
JOBS = "tuneboard/v1/jobs"
QUEUE = "tuneboard/v1/queue"
USES = "tuneboard/v1/uses"
BASES = "tuneboard/v1/base-models"

Told = dict[str, Any]


class LocalEngine:
    """:class:`tuning.providers.engine.EngineRoom`, over ``/tuneboard/v1``."""

    _service: Tuneboard

    def engine(self) -> EngineState:
        with _readable():
            return _state(self._service.tell("GET", ENGINE))

    def prioritise(self, model: str, priority: int) -> None:
        self._service.tell("PATCH", f"{JOBS}/{_segment(model.removeprefix('tunedModels/'))}", {"priority": priority})

    def queue(self) -> QueueState:
        with _readable():
            told = self._service.tell("GET", QUEUE)
            return QueueState(
                waiting=int(told["waiting"]),
                running=tuple(_in_queue(job, "expectedEnd") for job in told["running"]),
                next=tuple(_in_queue(job, "expectedStart") for job in told["next"]),
            )

    def uses(self, within: timedelta) -> Mapping[str, datetime]:
        with _readable():
            told = self._service.tell("GET", USES, query={"within": str(int(within.total_seconds()))})
            return {str(model): datetime.fromisoformat(moment) for model, moment in told["uses"].items()}

    def withdraw(self, model: str) -> bool:
        job = _segment(model.removeprefix("tunedModels/"))
        with _readable():
            if JobState(self._service.job(job, after=str(NO_POINTS))["state"]).is_final:
                return False
        self._service.tell("POST", f"v1beta/tunedModels/{job}:cancel", {})
        return True

    def retry(self, ref: JobRef) -> bool:
        model = ref.partition("/operations/")[0].removeprefix("tunedModels/")
        try:
            return bool(self._service.tell("POST", f"{JOBS}/{_segment(model)}:retry", {}).get("resumes"))
        except PermissionDenied as exc:  # as a job is asked about: to a stranger it is not there
            raise NotFound(detail=exc.detail, body=exc.body) from exc

    def installed_bases(self) -> tuple[Sequence[InstalledBase], Sequence[str]]:
        with _readable():
            told = self._service.tell("GET", BASES)
            return [_base(base) for base in told["baseModels"]], [str(folder) for folder in told.get("folders", ())]

    def add_base(self, base: NewBase) -> None:
        asked = {"name": base.name, "folder": base.folder, "displayName": base.display_name, "licence": base.licence}
        self._service.tell("POST", BASES, {name: value for name, value in asked.items() if value})

    def remove_base(self, name: str) -> None:
        self._service.tell("DELETE", f"{BASES}/{_segment(name)}")


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadAnswer(detail=f"no engine: {exc!r:.200}") from exc


def _segment(text: str) -> str:
    return quote(text, safe="")


def _state(told: Told) -> EngineState:
    queue = told["queue"]
    return EngineState(
        version=told["version"],
        tuners=tuple(_tuner(tuner) for tuner in told["tuners"]),
        waiting=int(queue["waiting"]),
        running=int(queue["running"]),
        next=tuple(_turn(job) for job in queue["next"]),
    )


def _tuner(told: Told) -> Tuner:
    return Tuner(
        name=told["name"],
        host=told["host"],
        alive=told["alive"],
        slots=int(told["slots"]),
        threads=int(told["threads"]),
        started=datetime.fromisoformat(told["started"]),
        heartbeat=datetime.fromisoformat(told["heartbeat"]),
        memory=int(told["memoryBytes"]),
        free_memory=int(told["freeMemoryBytes"]),
        disk=int(told["diskBytes"]),
        free_disk=int(told["freeDiskBytes"]),
        processes=tuple(_process(child) for child in told["children"]),
    )


def _process(told: Told) -> Process:
    return Process(
        kind=told["kind"],
        memory=int(told["memoryBytes"]),
        model=told.get("model", ""),
        base=told.get("base", ""),
        since=_time(told.get("since")),
    )


def _turn(told: Told) -> Turn:
    return Turn(
        model=told["model"],
        display_name=told["displayName"],
        owner=told["owner"],
        base_model=told["baseModel"],
        priority=int(told["priority"]),
        expected_start=_time(told.get("expectedStart")),
    )


def _in_queue(told: Told, expected: str) -> InQueue:
    return InQueue(
        total_steps=int(told["totalSteps"]),
        completed_steps=int(told["completedSteps"]),
        place=int(told.get("place", 0)),
        expected=_time(told.get(expected)),
        started=_time(told.get("started")),
        model=told.get("model", ""),
        display_name=told.get("displayName", ""),
        owner=told.get("owner", ""),
        base_model=told.get("baseModel", ""),
        priority=int(told.get("priority", 0)),
    )


def _base(told: Told) -> InstalledBase:
    return InstalledBase(
        name=told["name"],
        display_name=told["displayName"],
        state=told["state"],
        licence=told.get("licence", ""),
        parameters=int(told.get("parameters", 0)),
        bytes=int(told.get("bytes", 0)),
        preparing=told.get("preparing"),
        failure=told.get("failure", ""),
        failure_detail=told.get("failureDetail", ""),
        fits=told.get("fits", ""),
        tuning_bytes=int(told.get("tuningBytes", 0)),
        removable=bool(told.get("removable", False)),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
