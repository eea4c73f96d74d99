"""What ``/tuneboard/v1`` tells of a job, in the words that all services share."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from tuning.client.transport import Download
from tuning.errors import BadAnswer, NotFound, NotSetUp, PermissionDenied, Unavailable
from tuning.jobs import Best, Conditions, JobFailure, JobState, JobStatus, Kept, Point
from tuning.providers.base import LogLine, LogPage, Sample, SampleAnswer, Takeaway, Tally

ACCEPTED = 202
"""HTTP's word for a file that is still being made."""
NO_POINTS = 999_999_999
"""A step no job gets beyond."""


@contextmanager
def answers() -> Iterator[None]:
    """Where a job is asked about: to a stranger it is not there, and what cannot be read is a bad answer."""
    try:
        yield
    except NotSetUp:  # of which nothing follows for the job
        raise
    except PermissionDenied as exc:
        raise NotFound(detail=exc.detail, body=exc.body) from exc
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as exc:
        raise BadAnswer(detail=f"no job: {exc!r:.200}") from exc


def status(job: dict[str, Any]) -> JobStatus:
    failure, best, kept = job.get("failure"), job.get("best"), job.get("trainingData")
    return JobStatus(
        state=JobState(job["state"]),
        model=str(job["model"]),
        attempt=int(job["attempt"]),
        total_steps=int(job["totalSteps"]),
        completed_steps=int(job["completedSteps"]),
        created=_time(job.get("created")),
        started=_time(job.get("started")),
        finished=_time(job.get("finished")),
        queue_place=_count(job.get("queuePlace")),
        expected_start=_time(job.get("expectedStart")),
        preparing=_count(job.get("preparing")),
        failure=JobFailure(code=str(failure["code"]), detail=str(failure.get("detail", ""))) if failure else None,
        validation=tuple(_point(*row) for row in job.get("validation", ())),
        best=Best(step=int(best["step"]), epoch=int(best["epoch"]), loss=_loss(best["loss"])) if best else None,
        stopped=_count(job.get("stopped")),
        kept=_kept(kept) if kept else None,
        conditions=conditions(job) if job.get("conditions") else None,
        log_cursor=_count(job.get("logCursor")),
    )


def conditions(job: dict[str, Any]) -> Conditions:
    """Of a server that tells of them; one of an earlier release does not."""
    told = job.get("conditions") or {}
    return Conditions(
        server=str(told.get("server", ""))[:50],
        engine=str(told.get("engine", ""))[:50],
        threads=int(told.get("threads", 0)),
    )


def points(job: dict[str, Any]) -> list[Point]:
    return [_point(*row) for row in job["points"]]


def log(told: dict[str, Any]) -> LogPage:
    lines = (
        LogLine(time=datetime.fromisoformat(line["time"]), level=line["level"], text=line["text"])
        for line in told["lines"]
    )
    return LogPage(lines=tuple(lines), cursor=int(told["cursor"]))


def samples(told: dict[str, Any]) -> list[Sample]:
    return [_sample(sample) for sample in told["samples"]]


def tally(told: dict[str, Any]) -> Tally:
    """The longest input and the longest output need not be one example's: their sum is the most there can be."""
    longest = int(told["longestInput"]) + int(told["longestOutput"])
    return Tally(examples=int(told["examples"]), tokens=int(told["totalTokens"]), longest=longest)


def takeaway(download: Download) -> Takeaway:
    """Raises ``Unavailable`` while the file is still being made."""
    if download.status == ACCEPTED:
        made = orjson.loads(b"".join(download.chunks))
        after = float(download.headers.get("Retry-After", 1))
        raise Unavailable("being_made", retry_after=after, percent=int(made.get("percent") or 0))
    size = download.headers.get("Content-Length")
    content_type = download.headers.get("Content-Type", "application/octet-stream")
    return Takeaway(content_type=content_type, size=int(size) if size else None, chunks=download.chunks)


def _sample(told: dict[str, Any]) -> Sample:
    said = (
        SampleAnswer(step=int(one["step"]), epoch=int(one["epoch"]), answer=str(one["answer"]))
        for one in told["answers"]
    )
    prompt, expected = str(told["prompt"]), str(told["expected"])
    return Sample(row=int(told["row"]), prompt=prompt, expected=expected, answers=tuple(said))


def _kept(told: dict[str, Any]) -> Kept:
    return Kept(
        since=datetime.fromisoformat(told["keptSince"]), until=_time(told.get("removed") or told.get("keptUntil"))
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _count(number: int | None) -> int | None:
    return None if number is None else int(number)


def _point(step: int, epoch: int, value: float | None, time: float) -> Point:
    return Point(int(step), int(epoch), _loss(value), float(time))


def _loss(value: float | None) -> float:
    """JSON has no NaN: a value that is none comes as ``null``."""
    return math.nan if value is None else float(value)
