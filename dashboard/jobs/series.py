"""A job's training losses as the dashboard keeps them: packed, in chunks that grow one after the other.

A chunk knows its steps, so that the new end of a long curve is read and sent without the rest of it.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from django.db import models

from tuning import curves
from tuning.jobs import Point

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

CHUNK_POINTS = 512
"""Points of a full chunk (10 kB): what is written again when a point arrives, and the least that is read."""


class SeriesChunkQuerySet(models.QuerySet["SeriesChunk"]):
    def after(self, step: int, reach: int = 0) -> bytes:
        """What came after ``step``, and at least ``reach`` points before that, as far as there are."""
        before = self.filter(last_step__lte=step).order_by("-pk").values_list("data", flat=True)
        earlier = list(before[: -(-reach // CHUNK_POINTS)])[::-1]
        return b"".join(map(bytes, [*earlier, *self.filter(last_step__gt=step).values_list("data", flat=True)]))

    def each(self) -> Iterator[curves.Arrays]:
        """The whole series, a chunk at a time."""
        for data in self.values_list("data", flat=True).iterator(chunk_size=8):
            yield curves.arrays(bytes(data))


class SeriesChunk(models.Model):
    """Training losses that follow one another, packed. Chunks in order of their keys are the whole series."""

    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="chunks")
    first_step = models.PositiveBigIntegerField()
    last_step = models.PositiveBigIntegerField()
    data = models.BinaryField()

    objects = SeriesChunkQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.job_id} steps {self.first_step}–{self.last_step}"

    @classmethod
    def of(cls, job: "Job", points: Sequence[Point]) -> Self:
        """``points`` in ascending order, not yet stored."""
        return cls(job=job, first_step=points[0].step, last_step=points[-1].step, data=curves.pack(points))

    @property
    def room(self) -> int:
        """How many points it still takes."""
        return max(CHUNK_POINTS - len(self.data) // curves.POINT.itemsize, 0)

    def grow(self, points: Sequence[Point]) -> None:
        """Take ``points``, which follow on what it holds."""
        self.data = bytes(self.data) + curves.pack(points)
        self.last_step = points[-1].step
        self.save(update_fields=["data", "last_step"])


def append(job: "Job", points: Sequence[Point]) -> None:
    """Keep ``points``, ascending, which follow on what ``job`` has. To be called in a transaction."""
    last = job.chunks.last()
    room = last.room if last else 0
    if last and room:
        last.grow(points[:room])
    starts = range(room, len(points), CHUNK_POINTS)
    SeriesChunk.objects.bulk_create(SeriesChunk.of(job, points[start : start + CHUNK_POINTS]) for start in starts)
