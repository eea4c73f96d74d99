"""Jobs that run another one exactly again."""

from django.db import models

from dashboard.jobs.models import Job
from dashboard.lineage.bundles import Curve, Run, curve_of
from tuning.jobs import JobState


class RerunQuerySet(models.QuerySet["Rerun"]):
    def note(self, job: Job, run: Run, original: Job | None) -> "Rerun":
        """Keep what ``job`` is to come out as."""
        conditions = run.conditions
        return self.create(
            job=job,
            original=original,
            curve=run.curve.sha256,
            points=run.curve.points,
            server=conditions.server,
            engine=conditions.engine,
            threads=conditions.threads,
        )


class Rerun(models.Model):
    """A job, and what it is to come out as: the losses and conditions of the one that it runs again."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="rerun")
    original = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="reruns")
    """Where it is here."""
    curve = models.CharField(max_length=64, blank=True)
    points = models.PositiveIntegerField()
    server = models.CharField(max_length=200, blank=True)
    engine = models.CharField(max_length=200, blank=True)
    threads = models.PositiveIntegerField(default=0)

    objects = RerunQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.job} again"

    @property
    def came_out_same(self) -> bool | None:
        """Whether every loss is the same to the last bit; ``None`` while that cannot be said."""
        if self.job.job_state is not JobState.SUCCEEDED or not self.curve:
            return None
        return curve_of(self.job) == Curve(points=self.points, sha256=self.curve)
