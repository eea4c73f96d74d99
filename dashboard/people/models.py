"""What administrators say about people: how much somebody may have here."""

from typing import ClassVar

from django.db import models

from dashboard.accounts.models import User

MEBIBYTE = 2**20


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
                condition=models.Q(jobs__isnull=False) | models.Q(storage_mb__isnull=False),
                name="people_allows_something",
            )
        ]

    def __str__(self) -> str:
        return f"of {self.person}"
