"""What the tuning server remembers. Questions are asked of QuerySets; jobs change in :mod:`tuning.server.queue`."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from tuning import curves
from tuning.jobs import FINAL_STATES, JobState, Point
from tuning.recipes import Recipe, beyond, whole
from tuning.resources import GranteeType, Role
from tuning.server import names
from tuning.server.findings import ValidationPoint
from tuning.server.keys import ApiKey
from tuning.server.machines import InferenceChild, TunerState
from tuning.server.series import LossChunk

__all__ = ["ApiKey", "InferenceChild", "Job", "LogLine", "LossChunk", "Permission", "TunerState", "Turn", "Upload"]

RESUMABLE = frozenset({"killed", "stalled", "out_of_memory"})
"""Failures after which a job's checkpoints are kept; after all others it would fail at the same step again."""
RESUMABLE_FOR = timedelta(days=7)


class JobQuerySet(models.QuerySet["Job"]):
    def claimable(self) -> Self:
        """Jobs nobody works on: queued, or held by a tuner that has not been heard of for too long."""
        return self.filter(Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now()))

    def unfinished(self) -> Self:
        return self.exclude(state__in=FINAL_STATES)

    def resumable(self) -> Self:
        """Jobs that failed lately for a reason that may have been the machine's: tried again, they go on."""
        return self.filter(state=JobState.FAILED, failure_code__in=RESUMABLE, finished__gte=Now() - RESUMABLE_FOR)

    def with_curves(self) -> Self:
        """For many jobs at once: their chunks in one further query."""
        return self.prefetch_related("chunks")


class Job(models.Model):
    """A tuned model and the job that makes it: on the wire they are one resource."""

    model_id = models.CharField(max_length=40, unique=True)
    operation_id = models.CharField(max_length=12)
    api_version = models.CharField(max_length=8)
    """The API version that created the job decides the types its operation carries."""

    base_asked = models.CharField(max_length=100)
    """The base model as the caller named it, ``models/…``; an alias is echoed as asked."""
    base = models.CharField(max_length=100)
    """The base model in the engine's catalogue."""
    source = models.CharField(max_length=60, blank=True)
    """The tuned model this one was tuned further from, ``tunedModels/…``; it may be gone by now."""
    display_name = models.CharField(max_length=40, blank=True)
    description = models.TextField(blank=True)
    temperature = models.FloatField()
    top_p = models.FloatField()
    top_k = models.IntegerField()

    reader_project_numbers = models.JSONField(default=list, blank=True)
    """Accepted and echoed for the sake of scripts that send them: projects are Google's."""

    epoch_count = models.IntegerField()
    batch_size = models.IntegerField()
    learning_rate = models.FloatField()
    more_recipe = models.JSONField(default=dict)
    """What else is in :attr:`recipe`, by its names; of jobs from before there was more: nothing."""
    training_data = models.CharField(max_length=64, db_index=True)
    """SHA-256 of the training data's JSONL."""
    validation_data = models.CharField(max_length=64, blank=True, db_index=True)
    """The same of the held-out examples, where they are a dataset of their own."""
    sent_by = models.CharField(max_length=254, blank=True)
    """Whose examples they are, by e-mail address, lower case; whoever the model is given to later."""
    data_removed = models.DateTimeField(null=True)
    """When both were removed because they had been kept long enough."""
    example_count = models.IntegerField()
    """Examples in the training data, those included that are held out of it."""
    validation_count = models.IntegerField(default=0)
    """Examples that are held out, or come as a dataset of their own."""
    total_steps = models.IntegerField()

    priority = models.IntegerField(default=0)
    """Higher goes first; administrators set it."""
    threads = models.IntegerField(default=0)
    """So many threads compute every attempt, for the losses' last bits depend on it; 0 until it is first claimed."""
    computed_by = models.CharField(max_length=50, blank=True)
    """The release of the tuner that claimed it last."""
    computed_with = models.CharField(max_length=50, blank=True)
    """And its engine's, e.g. "torch 2.13.0"."""
    state = models.CharField(max_length=9, choices=[(s, s) for s in JobState], default=JobState.QUEUED, db_index=True)
    attempt = models.IntegerField(default=0)
    """Raised by every claim; a write that carries an older one touches nothing."""
    deaths = models.IntegerField(default=0)
    """How often a child or its tuner died under this job without getting further than before."""
    furthest = models.IntegerField(default=0)
    """The most steps that were made when one of them died."""
    lease_until = models.DateTimeField(null=True)
    """By the database's clock."""
    cancel_requested = models.BooleanField(default=False)
    completed_steps = models.IntegerField(default=0)
    """Of the attempt under way. Points of later steps are those of an earlier one, and void unless it goes on there."""
    stopped_step = models.IntegerField(null=True)
    """The last step of a job that ended early, because the validation loss fell no more."""
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.TextField(blank=True)

    created = models.DateTimeField()
    updated = models.DateTimeField()
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    last_asked = models.DateTimeField(null=True)
    """When a question was last put to the model, to the minute: :mod:`tuning.server.uses`."""

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(state__in=list(JobState)), name="job_state_is_known")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"tunedModels/{self.model_id}"

    @property
    def operation(self) -> str:
        return f"{self.name}/operations/{self.operation_id}"

    @property
    def is_final(self) -> bool:
        return JobState(self.state).is_final

    @property
    def recipe(self) -> Recipe:
        """Every hyperparameter as it is used."""
        return whole(self.epoch_count, self.batch_size, self.learning_rate, self.more_recipe)

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        self.epoch_count, self.batch_size = recipe.epoch_count, recipe.batch_size
        self.learning_rate, self.more_recipe = recipe.learning_rate, beyond(recipe)

    def best(self) -> ValidationPoint | None:
        """The lowest validation loss so far: of a job that has succeeded, the model that was kept."""
        return self.validation().filter(best=True).last()

    def validation(self) -> models.QuerySet[ValidationPoint]:
        """The validation losses of the steps made so far."""
        points = self.validation_points.filter(step__lte=self.completed_steps)
        return points if self.validation_count else points.none()  # spares most jobs a query

    def points(self, after: int = 0) -> list[Point]:
        """The losses of the attempt under way (or the last) after step ``after``."""
        return [point for point in curves.unpack(self.curve(after)) if point.step > after]

    def curve(self, after: int = 0) -> bytes:
        """The same, packed as :mod:`tuning.curves` says, and from some step before ``after`` on.

        The row was read before its chunks are, so that no point is shown that the row's attempt did not make.
        """
        chunks = self.chunks.all() if after == 0 else self.chunks.from_step(after + 1)
        return b"".join(chunk.upto(self.completed_steps) for chunk in chunks)


class BasePreparation(models.Model):
    """A base model that an administrator wants to be made ready, or that could not be; gone when it is ready."""

    base = models.CharField(max_length=64, unique=True)
    """In the engine's catalogue."""
    failure_code = models.CharField(max_length=40, blank=True)
    """Why it could not be made ready. Nobody tries again until somebody asks for it."""
    failure_detail = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.base} {self.failure_code}".strip()


class Turn(models.Model):
    """When an owner's job was last claimed: :mod:`tuning.server.turns`."""

    owner = models.CharField(max_length=254, unique=True)
    """E-mail address, lower case."""
    last = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.owner} at {self.last}"


class Permission(models.Model):
    """What one grantee may do with a job's model. The owner's is one of them, and the only record of the owner."""

    EVERYONE = "everyone"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="permissions")
    public_id = models.CharField(max_length=21, default=names.permission_id)
    """21 digits, or ``everyone``."""
    grantee_type = models.IntegerField(default=GranteeType.USER)
    email = models.CharField(max_length=254, blank=True)
    """Lower case; of a GROUP the name by which :class:`~tuning.assertions.Identity` knows the team. EVERYONE: none."""
    role = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["email", "grantee_type", "role"], name="permission_of_grantee")]
        constraints = [
            models.UniqueConstraint(fields=["job", "grantee_type", "email"], name="permission_once_a_grantee"),
            models.UniqueConstraint(fields=["job", "public_id"], name="permission_id_once_a_job"),
            models.UniqueConstraint(fields=["job"], condition=Q(role=Role.OWNER), name="permission_one_owner"),
            models.CheckConstraint(
                condition=Q(role__in=[Role.OWNER, Role.WRITER, Role.READER]), name="permission_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(grantee_type=GranteeType.EVERYONE, email="", public_id="everyone")
                | Q(grantee_type__in=[GranteeType.USER, GranteeType.GROUP]) & ~Q(email=""),
                name="permission_has_a_grantee",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.job.name}/permissions/{self.public_id}"


class LogLine(models.Model):
    """A line of a job's log. Never holds example text."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    attempt = models.IntegerField()
    time = models.DateTimeField(db_default=Now())
    level = models.CharField(max_length=8)
    text = models.CharField(max_length=1000)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.level} {self.text}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def unused(self) -> Self:
        """Those that no job of their owner's uses; what others do with the same data, nobody is to learn."""
        data = Q(job__training_data=OuterRef("training_data")) | Q(job__validation_data=OuterRef("training_data"))
        use = Permission.objects.filter(data, role=Role.OWNER, email=OuterRef("owner"), job__data_removed=None)
        return self.filter(~Exists(use))

    def stale(self) -> Self:
        """Those that have waited for a job too long."""
        return self.unused().filter(created__lt=Now() - Upload.UNUSED)


class Upload(models.Model):
    """A dataset that somebody sent ahead, to be named by its hash when a job is created. To others it is not there."""

    owner = models.CharField(max_length=254)
    """E-mail address, lower case."""
    sha256 = models.CharField(max_length=64)
    """Of the bytes as they were sent: the name its owner knows it by."""
    training_data = models.CharField(max_length=64, db_index=True)
    """SHA-256 of its examples' JSONL, as in :class:`Job`."""
    examples = models.IntegerField()
    size = models.BigIntegerField()
    """Bytes of that JSONL."""
    created = models.DateTimeField(db_default=Now())

    UNUSED = timedelta(days=1)
    """So long a dataset waits for a job."""

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "sha256"], name="upload_once_an_owner")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.owner})"
