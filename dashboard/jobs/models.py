"""Tuning jobs as the dashboard keeps them: what was asked, and the last that its service said.

The service is the truth. A row without ``ref`` has not reached its service yet; the worker's sweep sends it,
and its ``key`` makes sending twice harmless.
"""

import logging
import secrets
from collections.abc import Sequence

from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.connections.tokens import QUIET
from dashboard.datasets.models import DatasetVersion
from dashboard.fingerprints import fingerprint
from dashboard.jobs import chronicle, pace, told, troubles, underway
from dashboard.jobs.chronicle import JobLine, News
from dashboard.jobs.facts import facts_of, fingerprint_of
from dashboard.jobs.queryset import REFRESH_INTERVAL, JobQuerySet
from dashboard.jobs.saved import ListSettings
from dashboard.jobs.tags import Tag
from dashboard.library.models import TunedModel
from tuning.errors import NotFound, ServiceError
from tuning.jobs import JobState, JobStatus, Point
from tuning.providers import JobRef, JobSpec
from tuning.recipes import Recipe, beyond, held_out, whole

__all__ = ["Job", "JobLine", "ListSettings", "Tag"]

logger = logging.getLogger(__name__)


class Job(models.Model):
    """One tuning job of one person."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="jobs")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="jobs")
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="jobs")
    key = models.CharField(max_length=64, unique=True, default=secrets.token_hex, editable=False)
    ref = models.CharField(max_length=500, blank=True)
    model = models.CharField(max_length=200, blank=True, db_index=True)

    display_name = models.CharField(_("name"), max_length=40)
    notes = models.TextField(blank=True)
    """What people want to remember about it."""
    tags = models.ManyToManyField(Tag, blank=True, related_name="jobs")
    base_model = models.CharField(max_length=200)
    epoch_count = models.PositiveIntegerField()
    batch_size = models.PositiveIntegerField()
    learning_rate = models.FloatField()
    more_recipe = models.JSONField(default=dict)
    """What else is in :attr:`recipe`, by its names; of jobs from before there was more: nothing."""
    made_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    """The job whose settings this one began with: it was cloned, retried, or tuned further."""
    tuned_from = models.CharField(max_length=200, blank=True)
    """The tuned model that is tuned further, by its service's name; empty where the base model is the start."""
    estimate = models.JSONField(default=dict)
    """What was foretold when the job was made (see :mod:`dashboard.jobs.estimates`)."""
    validation_version = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="+")
    """A dataset of their own for the held-out examples, where the recipe holds no share out."""

    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in JobState], default=JobState.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    """How often its service took it up again after it had ended; a new attempt begins only when a tuner takes it."""
    total_steps = models.PositiveIntegerField(default=0)
    completed_steps = models.PositiveIntegerField(default=0)
    queue_place = models.PositiveIntegerField(null=True)
    expected_start = models.DateTimeField(null=True)
    preparing = models.PositiveSmallIntegerField(null=True)
    failure_code = models.CharField(max_length=50, blank=True)
    failure_detail = models.TextField(blank=True)

    sending = models.DateTimeField(null=True)
    """Until when somebody has it for themselves to hand it to its service."""
    sent = models.PositiveSmallIntegerField(null=True)
    """Percent of its examples that have arrived, where they are many; ``None`` when they are not on their way."""
    trouble = models.JSONField(default=dict)
    """Why its service could not be asked the last time (see :mod:`dashboard.jobs.troubles`); empty when all is well."""

    first_step_at = models.DateTimeField(null=True)
    last_step_at = models.DateTimeField(null=True)
    first_loss = models.FloatField(null=True)
    last_loss = models.FloatField(null=True)
    small_curve = models.JSONField(default=list)

    validation = models.JSONField(default=list)
    """``[step, epoch, loss]`` at the ends of epochs, the loss over the held-out examples; ``None`` for no number."""
    best_step = models.PositiveIntegerField(null=True)
    best_epoch = models.PositiveIntegerField(null=True)
    best_loss = models.FloatField(null=True)
    stopped_step = models.PositiveIntegerField(null=True)
    findings = models.JSONField(default=list)
    """What the adviser sees in the curve (see :mod:`dashboard.jobs.findings`)."""
    samples = models.JSONField(default=list)
    """As :class:`tuning.providers.Sample` has them."""
    answered = models.PositiveIntegerField(default=0)
    """Answers in :attr:`samples`."""
    log_cursor = models.PositiveBigIntegerField(default=0)
    conditions = models.JSONField(default=dict)
    """What its losses were computed with, as :class:`tuning.jobs.Conditions` has it; empty where nobody told."""
    kept_since = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True)
    """When the service removes the examples; ``None``: with the model."""

    created = models.DateTimeField(default=timezone.now, db_index=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-pk")
        indexes = [
            models.Index(fields=["owner", "-created"]),
            models.Index(fields=["state", "synced_at"]),
            # All that the list is filtered by and searched for, in its usual order, so that no row is read before it is
            # known to be shown.
            models.Index(
                fields=[
                    "created",
                    "id",
                    "owner",
                    "state",
                    "base_model",
                    "connection",
                    "dataset_version",
                    "last_loss",
                    "display_name",
                    "model",
                    "started",
                    "finished",
                ],
                name="jobs_listed",
            ),
            models.Index(fields=["owner"], condition=~Q(notes=""), name="jobs_noted"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("jobs:detail", args=[self.pk])

    @property
    def job_state(self) -> JobState:
        return JobState(self.state)

    @property
    def is_final(self) -> bool:
        return self.job_state.is_final

    @property
    def is_due(self) -> bool:
        """Whether its service has news to be asked for: spares those who only look the try to claim that."""
        is_fresh = self.synced_at is not None and self.synced_at > timezone.now() - REFRESH_INTERVAL
        return bool(self.ref) and not self.is_final and not is_fresh

    @property
    def is_being_sent(self) -> bool:
        """Whether its examples, which are many, are on their way to its service."""
        return not self.ref and self.sent is not None and not self.trouble

    @property
    def is_stalled(self) -> bool:
        """Whether its service tells of no step for far longer than a step takes it."""
        return pace.is_stalled(self)

    @property
    def shown_state(self) -> str:
        """What a page calls its state: "STALLED", or :attr:`state`."""
        return pace.shown_state(self)

    @property
    def fingerprint(self) -> str:
        """Changes whenever something about the job does that a page shows."""
        return fingerprint((fingerprint_of([self]), self.trouble.get("code"), self.sent))

    @property
    def elapsed(self) -> float | None:
        """Seconds of tuning so far."""
        return pace.elapsed(self)

    @property
    def remaining(self) -> float | None:
        """Seconds still to go at the pace so far."""
        return pace.remaining(self)

    @property
    def loss_fell(self) -> int | None:
        """By how many whole percent the loss is lower than at the start; 100 would claim a loss of nothing."""
        if not self.first_loss or self.last_loss is None or self.first_loss <= self.last_loss:
            return None
        return min(int(100 * (1 - self.last_loss / self.first_loss)), 99)

    @property
    def percent(self) -> int:
        return 100 * self.completed_steps // self.total_steps if self.total_steps else 0

    @property
    def recipe(self) -> Recipe:
        """Every hyperparameter."""
        return whole(self.epoch_count, self.batch_size, self.learning_rate, self.more_recipe)

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        self.epoch_count, self.batch_size = recipe.epoch_count, recipe.batch_size
        self.learning_rate, self.more_recipe = recipe.learning_rate, beyond(recipe)

    @property
    def held_out(self) -> int:
        """Examples that the loss is measured on and nothing is learnt from."""
        if self.validation_version:
            return self.validation_version.examples
        return held_out(self.dataset_version.examples, self.recipe.validation)

    @property
    def learnt_from(self) -> int:
        """Examples of the dataset that are not held out."""
        return self.dataset_version.examples - held_out(self.dataset_version.examples, self.recipe.validation)

    def spec(self, patience: float | None = None) -> JobSpec:
        """What the service is asked to do, by somebody of so much ``patience``."""
        return JobSpec(
            key=self.key,
            display_name=self.display_name,
            base_model=self.base_model,
            dataset=self.dataset_version.path,
            recipe=self.recipe,
            validation=self.validation_version.path if self.validation_version else None,
            tuned_from=self.tuned_from,
            patience=patience,
            heard=underway.listener(Job.objects.filter(pk=self.pk)),
        )

    def send(self, patience: float | None = underway.SOMEBODY_WAITS) -> None:
        """Hand the job to its service, unless somebody is at it. Safe to repeat; raises ``ServiceError`` when the
        service refuses, or has not taken it in so many seconds (``None``: as many as it needs).
        """
        if not (lease := Job.objects.claim_sending(self.pk, underway.turn(patience))):
            return
        try:
            provider = self.connection.open_for(self.owner)
            ref = provider.create(self.spec(patience))
        finally:
            Job.objects.filter(pk=self.pk, sending=lease).update(sending=None)
        if not Job.objects.filter(pk=self.pk).update(ref=ref, trouble={}, sent=None):
            provider.delete(ref)  # deleted here while it was sent
            return
        self.refresh_from_db()
        if self.is_final:
            provider.cancel(ref)  # cancelled here while it was sent

    def refresh(self) -> bool:
        """Ask the service for news, unless somebody just did. True when something changed."""
        if not self.is_due or not Job.objects.claim_refresh(self.pk):
            return False
        provider = self.connection.open_for(self.owner)
        status, points = provider.refresh(JobRef(self.ref), after=self.completed_steps)
        if status.attempt != self.attempt and self.completed_steps:
            status, points = provider.refresh(JobRef(self.ref))
        return self.store(status, points, chronicle.ask(provider, self, status))

    def store(self, status: JobStatus, points: Sequence[Point], news: News | None = None) -> bool:
        """Write what a service said. False when it brings nothing new, or a newer answer was stored meanwhile."""
        before = facts_of(self)
        with transaction.atomic():
            self.refresh_from_db(fields=told.columns(self), from_queryset=Job.objects.select_for_update())
            if self.is_final:
                return False
            told.keep(self, status, points, news)
            self.trouble = {}
            self.save(update_fields=told.columns(self))
            if self.job_state is JobState.SUCCEEDED and self.model:
                TunedModel.objects.keep(self)
        return facts_of(self) != before

    def refresh_quietly(self) -> bool:
        """``refresh`` for those who only look. False when the service did not answer: what was known stays."""
        try:
            self.refresh()
        except NotFound:
            self.fail("gone")
        except ServiceError as error:
            if error.code in QUIET:
                return True
            logger.info("job %s could not be refreshed: %s", self.pk, error.code)
            troubles.note(self, error)
            return False
        return True

    def cancel(self) -> bool:
        """Stop the job at its service. One that never got there is simply not sent. False when it had ended already.

        Once its service has heard that, it is told as heard, though no more be known of the job at the moment.
        """
        if Job.objects.unsent().filter(pk=self.pk).update(state=JobState.CANCELLED, finished=timezone.now()):
            return True
        self.refresh_from_db()
        if self.is_final:
            return False
        self.connection.open_for(self.owner).cancel(JobRef(self.ref))
        Job.objects.filter(pk=self.pk).update(synced_at=None)
        self.synced_at = None
        self.refresh_quietly()
        return not self.is_final or self.job_state is JobState.CANCELLED

    def reopen(self) -> None:
        """Note that its service has taken it up again after it had ended; what it told so far stays until then."""
        queued = {"state": JobState.QUEUED, "finished": None, "failure_code": "", "failure_detail": ""}
        Job.objects.filter(pk=self.pk).update(**queued, reopened=F("reopened") + 1, synced_at=None)
        self.refresh_from_db()

    def series(self, after: int = 0, reach: int = 0) -> bytes:
        """The training losses so far, packed; of a long curve at least those after step ``after``, ``reach`` before."""
        return self.chunks.after(after, reach)

    def fail(self, code: str, detail: str = "") -> None:
        """Note a failure that the service did not report as the job's own."""
        failed = {"state": JobState.FAILED, "failure_code": code, "failure_detail": detail}
        Job.objects.filter(pk=self.pk).unfinished().update(**failed, finished=timezone.now())
        self.refresh_from_db()

    @property
    def advised(self) -> str:
        """Changes whenever :attr:`findings` do."""
        return fingerprint(self.findings)
