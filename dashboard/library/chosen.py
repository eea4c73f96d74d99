"""How a person likes the library."""

from django.db import models

from dashboard.listing.models import Opening


class LibrarySettings(Opening):
    """What a person has chosen for the library."""

    as_table = models.BooleanField(default=False)
    """Who has chosen nothing sees cards."""

    def __str__(self) -> str:
        return f"library of {self.user}"
