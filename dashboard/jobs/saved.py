"""How a person likes the list of jobs."""

from django.db import models

from dashboard.listing.models import Opening


class ListSettings(Opening):
    """What a person has chosen for the list."""

    columns = models.JSONField(default=list)
    """Their names; empty: the usual ones."""

    def __str__(self) -> str:
        return f"list of {self.user}"
