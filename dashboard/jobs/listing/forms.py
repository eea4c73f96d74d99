"""What a person chooses about the list: the columns shown."""

from typing import ClassVar

from django import forms
from django.http import QueryDict

from dashboard.accounts.models import User
from dashboard.jobs.listing.columns import ALWAYS, COLUMNS
from dashboard.jobs.listing.filters import Asked, FilterForm
from dashboard.jobs.saved import ListSettings


def asked(query: QueryDict, user: User) -> Asked:
    """What an address asks of the list, as far as it can be read."""
    return Asked(FilterForm(query, user).filters(), COLUMNS.readable(query.get("sort", "")))


class ColumnsForm(forms.Form):
    """Which columns are shown. The list draws its boxes itself: a widget is ten times as slow."""

    CHOICES: ClassVar = [(column.name, column.label) for column in COLUMNS.values() if column.name != ALWAYS]

    columns = forms.MultipleChoiceField(required=False, choices=CHOICES)

    def keep(self, user: User) -> None:
        """Show these columns to ``user`` from now on; none of them: the usual ones."""
        ListSettings.objects.update_or_create(user=user, defaults={"columns": self.cleaned_data["columns"]})


class NotesForm(forms.Form):
    notes = forms.CharField(required=False, max_length=10_000)
