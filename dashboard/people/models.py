"""What administrators say about people: how much somebody may have here, and that somebody leaves."""

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User

MEBIBYTE = 2**20
SILENT_FOR = timedelta(seconds=50)
"""Of whoever has said nothing for so long nobody knows whether they still work."""


class Allowance(models.Model):
    """How much one person may have, where that is not what everybody may (see :mod:`dashboard.people.quotas`)."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="allowance")
    jobs = models.PositiveIntegerField(null=True)
    """Jobs queued or running at once; 0 sets no limit, ``None`` leaves everybody's."""
    storage_mb = models.PositiveIntegerField(null=True)
    """Megabytes of datasets; 0 and ``None`` as for :attr:`jobs`."""

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(jobs__isnull=False) | Q(storage_mb__isnull=False),
                name="people_allows_something",
            )
        ]

    def __str__(self) -> str:
        return f"of {self.person}"


class FarewellQuerySet(models.QuerySet["Farewell"]):
    def unfinished(self) -> Self:
        return self.filter(finished=None)

    def due(self) -> Self:
        """Those that nobody works on: a worker that does says so all the time."""
        idle = Q(tried=None) | Q(tried__lte=timezone.now() - SILENT_FOR)
        return self.unfinished().filter(idle)

    def claim(self, pk: int) -> bool:
        """Whether the caller is the one who goes on with it now."""
        return self.due().filter(pk=pk).update(tried=timezone.now()) == 1


class Farewell(models.Model):
    """That somebody cannot sign in any more, and what is still to be done about it: their API keys are revoked, and
    where there is an ``heir``, everything else is handed over to them or removed.

    What is to be done stands in the rows themselves: what the person still owns is not done yet. So it may be begun
    again at any time, and is (:mod:`dashboard.people.tasks`).
    """

    class Kind(models.TextChoices):
        JOBS = "jobs", _("Jobs, sweeps and models")
        DATASETS = "datasets", _("Datasets")
        PRESETS = "presets", _("Presets")
        VIEWS = "views", _("Views of lists that they share")

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="farewell")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    """The administrator who decided it: services are asked in their name."""
    heir = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    """Who gets what is handed over; ``None``: everything stays the person's, who may come back."""
    removes = models.JSONField(default=list)
    """Of :class:`Kind`: what is removed rather than handed over."""
    begun = models.DateTimeField(default=timezone.now)
    tried = models.DateTimeField(null=True)
    """When a worker was last at it."""
    problem = models.CharField(max_length=50, blank=True)
    """Why it did not get to its end the last time: the code of an error."""
    finished = models.DateTimeField(null=True)

    objects = FarewellQuerySet.as_manager()

    def __str__(self) -> str:
        return f"to {self.person}"

    @property
    def sees_off(self) -> bool:
        """Whether the person leaves; else they are only inactive."""
        return self.heir_id is not None

    def still_at_it(self) -> None:
        """Say that somebody works on it, so that nobody else begins."""
        Farewell.objects.filter(pk=self.pk).update(tried=timezone.now())

    def interrupted(self, code: str) -> None:
        """Note why it cannot go on now; it is tried again."""
        Farewell.objects.filter(pk=self.pk).update(problem=code, tried=timezone.now())

    def finish(self) -> bool:
        """Note that nothing is left to be done. False where that was noted before."""
        return Farewell.objects.unfinished().filter(pk=self.pk).update(finished=timezone.now(), problem="") == 1
