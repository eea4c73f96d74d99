"""What is to become of models: the bin's entries, and clean-ups with what they are about."""

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.library.models import TunedModel
from dashboard.messages import Message, explain
from tuning.errors import ServiceError

AT_IT = timedelta(minutes=5)
"""Longer than a service is waited for: who began to delete a model so long ago was killed over it."""
RETRY = timedelta(hours=1)
"""After a service did not delete a model, it is asked again."""


class RemovalQuerySet(models.QuerySet["Removal"]):
    def due(self) -> Self:
        return self.filter(self._at_rest(), next_try__lte=timezone.now())

    def claim(self, pk: int) -> bool:
        """Whether the caller is the one who asks the service now."""
        return self.due().filter(pk=pk).update(begun=timezone.now(), tries=F("tries") + 1) == 1

    def take_back(self, model: TunedModel) -> bool:
        """Whether ``model`` was in the bin, and nobody was at deleting it; it is not any more."""
        return bool(self.filter(self._at_rest(), model=model).delete()[0])

    @staticmethod
    def _at_rest() -> Q:
        return Q(begun=None) | Q(begun__lt=timezone.now() - AT_IT)


class Removal(models.Model):
    """An entry of the bin: a model that is hidden, and will be deleted."""

    model = models.OneToOneField(TunedModel, on_delete=models.CASCADE, related_name="removal")
    due = models.DateTimeField()
    """When the grace is over."""
    next_try = models.DateTimeField(db_index=True)
    """When the service is asked to delete it."""
    begun = models.DateTimeField(null=True)
    """Since when the worker is at it."""
    tries = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=50, blank=True)
    """Why the service did not delete it at the last try: a code of ``dashboard/messages/``."""
    detail = models.TextField(blank=True)
    """The service's own words."""

    objects = RemovalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["due", "pk"]

    def __str__(self) -> str:
        return f"{self.model}, due {self.due:%Y-%m-%d}"

    def why(self) -> Message:
        """Why the service did not delete it, in words."""
        return explain(ServiceError(self.problem))

    def put_off(self, error: ServiceError) -> None:
        """Note why the service did not delete the model; it is asked again later."""
        self.problem, self.detail = error.code[:50], error.detail
        self.begun, self.next_try = None, timezone.now() + RETRY
        self.save(update_fields=["problem", "detail", "begun", "next_try"])


class Fate(models.TextChoices):
    """What becomes of a model that is done with."""

    ARCHIVE = "archive", _("Archive it")
    REMOVE = "remove", _("Put it into the bin")


class CleanupQuerySet(models.QuerySet["Cleanup"]):
    def visible_to(self, user: User) -> Self:
        """The clean-ups that ``user`` began; administrators see all."""
        return self if user.is_administrator else self.filter(by=user)

    def unfinished(self) -> Self:
        return self.filter(finished=None)


class Cleanup(models.Model):
    """Many models retired at once. They stand in :class:`CleanupItem` as they were shown beforehand."""

    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="cleanups")
    fate = models.CharField(max_length=10, choices=Fate.choices)
    rule = models.JSONField(default=dict)
    """As the form's address has it: what was asked for."""
    key = models.CharField(max_length=64, unique=True)
    """Of the form that began it: what is sent twice is one clean-up."""
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True)

    objects = CleanupQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]

    def __str__(self) -> str:
        return f"{self.fate} by {self.by}"

    def get_absolute_url(self) -> str:
        return reverse("retiring:cleaning", args=[self.pk])


class CleanupItem(models.Model):
    """One model of a clean-up."""

    cleanup = models.ForeignKey(Cleanup, on_delete=models.CASCADE, related_name="items")
    model = models.ForeignKey(TunedModel, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=40)
    """The model's, as it was shown."""
    done = models.DateTimeField(null=True)
    skipped = models.BooleanField(default=False)
    """Whether it was left alone: it was gone, or not the person's any more, when its turn came."""

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["cleanup"], condition=Q(done=None), name="retiring_to_do")]

    def __str__(self) -> str:
        return self.name
