"""What a service tells of a job besides its losses: lines of its log, and answers to held-out examples."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db import models

from tuning.errors import BadAnswer, NotFound, PermissionDenied
from tuning.jobs import JobStatus
from tuning.providers import Chronicler, JobRef, LogLine, Provider, Sample

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

LINES_KEPT = 2_000
"""Of a job's log; older ones are with the service."""
LINES_SHOWN = 500
LONGEST_LINE = 2_000
"""Characters."""
PAGES = 5
"""Pages of a log that are read at once; the rest comes with the next refresh."""


class JobLine(models.Model):
    """A line of a job's log, as its service told it. Never holds example text."""

    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="lines")
    time = models.DateTimeField()
    level = models.CharField(max_length=8)
    text = models.TextField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.level} {self.text}"


@dataclass(frozen=True, slots=True)
class News:
    """Lines that are new after a cursor, and the cursor after them; ``samples`` is ``None`` where nothing is new."""

    after: int
    cursor: int
    lines: Sequence[LogLine] = ()
    samples: Sequence[Sample] | None = None


def ask(provider: Provider, job: "Job", status: JobStatus) -> News:
    """What is new about ``job``. Raises ``ServiceError``. A service that tells nothing has no news, nor has one that
    tells it to others only: a job may be followed by more people than may read its examples.
    """
    if not isinstance(provider, Chronicler):
        return News(job.log_cursor, job.log_cursor)
    ref = JobRef(job.ref)
    lines, cursor = _lines(provider, ref, job.log_cursor) if _wants_lines(job, status) else ([], job.log_cursor)
    samples = _samples(provider, ref) if _wants_samples(job, status) else None
    return News(job.log_cursor, cursor, lines, samples)


def keep(job: "Job", news: News) -> None:
    """Store ``news`` with ``job``, unless somebody stored the same meanwhile. To be called in a transaction."""
    if news.samples is not None:
        job.samples = [asdict(sample) for sample in news.samples]
        job.answered = sum(len(sample.answers) for sample in news.samples)
    if news.after != job.log_cursor:
        return
    job.log_cursor = news.cursor
    rows = [
        JobLine(job=job, time=line.time, level=line.level[:8], text=line.text[:LONGEST_LINE]) for line in news.lines
    ]
    if not rows:
        return
    JobLine.objects.bulk_create(rows)
    if oldest := job.lines.order_by("-pk").values_list("pk", flat=True)[LINES_KEPT : LINES_KEPT + 1].first():
        job.lines.filter(pk__lte=oldest).delete()


def last_lines(job: "Job") -> list[JobLine]:
    """What a page shows of the log when it is opened."""
    return list(job.lines.order_by("-pk")[:LINES_SHOWN])[::-1]


def epochs(samples: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sample answers, an epoch each, the latest first: ``{"epoch", "step", "rows": [{prompt, expected, answer}]}``."""
    found: dict[int, dict[str, Any]] = {}
    for sample in samples:
        for said in sample["answers"]:
            epoch = found.setdefault(said["step"], {"epoch": said["epoch"], "step": said["step"], "rows": []})
            epoch["rows"].append(sample | {"answer": said["answer"]})
    return [found[step] for step in sorted(found, reverse=True)]


def _lines(provider: Chronicler, ref: JobRef, cursor: int) -> tuple[list[LogLine], int]:
    lines: list[LogLine] = []
    with suppress(NotFound, PermissionDenied):
        for _ in range(PAGES):
            page = provider.log(ref, cursor)
            if not 0 <= page.cursor < 2**63:
                raise BadAnswer(detail="a cursor that is none")
            cursor = page.cursor
            lines += page.lines
            if not page.lines:
                break
    return lines, cursor


def _samples(provider: Chronicler, ref: JobRef) -> Sequence[Sample] | None:
    with suppress(NotFound, PermissionDenied):
        return provider.samples(ref)
    return None


def _wants_lines(job: "Job", status: JobStatus) -> bool:
    """Whether there may be some: to ask for them each second in vain would double what watching a job costs. Of a job
    that has ended nobody asks again, and its last lines may have come since ``status``.
    """
    return status.log_cursor is None or status.log_cursor != job.log_cursor or status.state.is_final


def _wants_samples(job: "Job", status: JobStatus) -> bool:
    """Whether the service may know more answers than are kept: they come after the loss of their epoch, one by one."""
    if not job.recipe.samples:
        return False
    if status.state.is_final or status.attempt != job.attempt:
        return True
    ends = [row[0] for row in job.validation] + [point.step for point in status.validation]
    answered = [any(said["step"] == max(ends) for said in sample["answers"]) for sample in job.samples] if ends else []
    return bool(ends) and sum(answered) < min(job.recipe.samples, job.held_out)
