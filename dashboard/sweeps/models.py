"""Sweeps: several jobs that differ in a few settings, started together to find the best of these.

The jobs are ordinary ones. Sweep, trials and jobs are written in one transaction, so there is no half a sweep: a job
that has not reached its service is sent by the worker (:mod:`dashboard.jobs.tasks`), and what is left to be stopped
stands in the sweep's row (:mod:`dashboard.sweeps.tasks`).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Self

from django.db import models, transaction
from django.db.models import Count, F, Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.jobs.removing import remove
from dashboard.library.models import TunedModel
from dashboard.sweeps.grid import Values
from tuning.errors import ServiceError, Unavailable
from tuning.jobs import FINAL_STATES, JobState

SHOWN = Q(trials__job__library_model__removed=None)
"""Of trials: the model is not in the bin."""


class SweepQuerySet(models.QuerySet["Sweep"]):
    def visible_to(self, user: User) -> Self:
        """The sweeps that ``user`` may see: their own; administrators see all."""
        return self if user.is_administrator else self.filter(owner=user)

    def with_counts(self) -> Self:
        """The newest first, with ``jobs``, ``ended`` and ``failed``: how many there are, and how many of them have."""
        return self.annotate(
            jobs=Count("trials", filter=SHOWN),
            ended=Count("trials", filter=SHOWN & Q(trials__job__state__in=FINAL_STATES)),
            failed=Count("trials", filter=SHOWN & Q(trials__job__state=JobState.FAILED)),
        ).order_by("-created", "-pk")

    def to_be_stopped(self) -> Self:
        """Those with jobs that go on although they are not wanted any more."""
        unwanted = Q(stopping=True) | Q(stop_on_failure=True, failed__gt=0)
        return self.with_counts().filter(unwanted, ended__lt=F("jobs"), stopped=False)

    def start(self, sweep: "Sweep", jobs: Iterable[tuple[Job, Values]]) -> "Sweep":
        """Store ``sweep`` and, one after the other, its ``jobs``: all of them or none. They are still to be sent."""
        with transaction.atomic():
            sweep.save()
            for job, values in jobs:
                sweep.trials.create(job=job, values=values)
            audit.record(sweep.owner, "sweep.created", sweep, jobs=sweep.trials.count())
        return sweep


class Sweep(models.Model):
    """Several jobs of one person that differ in the ``varied`` settings."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sweeps")
    name = models.CharField(_("name"), max_length=40)
    varied = models.JSONField(default=list)
    """The names of the settings that have more than one value, in the order of the form."""
    stop_on_failure = models.BooleanField(default=False)
    stopping = models.BooleanField(default=False)
    """Whether the jobs that have not ended are to be stopped."""
    stopped = models.BooleanField(default=False)
    """Whether that was done, for whichever reason. A job that is tried again afterwards goes on."""
    estimate = models.JSONField(default=dict)
    """What was foretold: ``steps``, and ``low`` and ``high`` seconds."""
    key = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 - unique, or none
    """Of the form that made it, if one did: what is sent twice is one sweep."""
    created = models.DateTimeField(default=timezone.now, db_index=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sweeps:detail", args=[self.pk])

    def all_trials(self) -> "Sequence[Trial]":
        """Its trials with their jobs, in the order in which they were started; without those that its owner may not see
        any more.
        """
        jobs = Job.objects.select_related("connection", "owner", "dataset_version").defer("samples")
        seen = Q(job__owner=self.owner_id) | Q(job__library_model__in=TunedModel.objects.visible_to(self.owner))
        shown = self.trials.filter(seen, job__library_model__removed=None)
        return list(shown.prefetch_related(Prefetch("job", jobs)))

    def refresh_quietly(self) -> None:
        """Ask the service about a few of its jobs, for those who only look; stop the rest where that is due."""
        Job.objects.filter(trial__sweep=self).refresh_a_few()
        if Sweep.objects.to_be_stopped().filter(pk=self.pk).exists():
            self.stop_rest()

    def undo(self) -> None:
        """Take it back, with the jobs that the worker has sent meanwhile. One whose service fails stays as a job."""
        jobs = Job.objects.filter(trial__sweep=self)
        jobs.filter(ref="").delete()
        for job in jobs.select_related("connection", "owner"):
            with suppress(ServiceError):
                remove(job, self.owner)
        self.delete()

    def stop(self) -> int:
        """Cancel all its jobs that have not ended. Says how many could not be reached; the worker cancels those."""
        self.stopping, self.stopped = True, False
        self.save(update_fields=["stopping", "stopped"])
        return self.stop_rest()

    def stop_rest(self) -> int:
        """Cancel its jobs that have not ended, the last first. Says how many go on because a service fails."""
        going_on, silent = 0, False
        jobs = Job.objects.unfinished().filter(trial__sweep=self).select_related("connection", "owner")
        for job in jobs.order_by("-pk"):  # from the end of the queue, so that none begins while its elders go
            if job.ref and silent:
                going_on += 1
                continue
            try:
                job.cancel()
            except ServiceError as error:
                going_on += 1
                silent = isinstance(error, Unavailable)  # asked no further: each time takes as long as it may
        self.stopped = not going_on
        self.save(update_fields=["stopped"])
        return going_on


class Trial(models.Model):
    """One job of a sweep, and the values that it tries."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="trials")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="trial")
    values = models.JSONField(default=dict)
    loss = models.FloatField(null=True)
    """The mean training loss of the job's last epoch, noted when it is done: of one step chance decides too much."""

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.sweep}: {self.job}"
