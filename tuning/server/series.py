"""Loss curves as they are kept: chunks of points, packed."""

from typing import Self

from django.db import models
from django.db.models import Subquery

from tuning import curves


class LossChunkQuerySet(models.QuerySet["LossChunk"]):
    def from_step(self, step: int) -> Self:
        """Those of one job from the one that holds ``step`` on: found by the index, however long the curve is."""
        holding = self.filter(first_step__lte=step).order_by("-first_step").values("first_step")[:1]
        return self.filter(first_step__gte=Subquery(holding))


class LossChunk(models.Model):
    """Consecutive points of a job's loss curve, packed as :mod:`tuning.curves` says."""

    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="chunks")
    first_step = models.IntegerField()
    last_step = models.IntegerField()
    points = models.BinaryField()

    objects = LossChunkQuerySet.as_manager()

    class Meta:
        ordering = ["first_step"]
        constraints = [models.UniqueConstraint(fields=["job", "first_step"], name="loss_chunk_starts_once")]

    def __str__(self) -> str:
        return f"{self.job_id} steps {self.first_step}–{self.last_step}"

    def upto(self, step: int) -> bytes:
        """Its points as far as ``step``. Steps follow one another without a gap."""
        return bytes(self.points)[: max(step - self.first_step + 1, 0) * curves.POINT.itemsize]
