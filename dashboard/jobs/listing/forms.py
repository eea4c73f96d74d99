"""What a person chooses about the list: a view's name, the columns shown."""

from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.jobs.listing.columns import ALWAYS, COLUMNS
from dashboard.jobs.listing.filters import Asked, FilterForm
from dashboard.jobs.saved import NAME_LENGTH, QUERY_LENGTH, ListSettings, SavedView


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


class ViewForm(forms.Form):
    """A view to be saved: the list as the query shows it, under a name. The same name again replaces it."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    query = forms.CharField(required=False, max_length=QUERY_LENGTH)
    shared = forms.BooleanField(label=_("Offer it to everybody here"), required=False)
    opens = forms.BooleanField(label=_("Open the list with it"), required=False)

    def keep(self, user: User) -> SavedView:
        said: dict[str, Any] = self.cleaned_data
        query = asked(QueryDict(said["query"]), user).query()
        view, _made = SavedView.objects.update_or_create(
            owner=user, name=said["name"], defaults={"query": query, "shared": said["shared"]}
        )
        if said["opens"]:
            open_with(user, view)
        return view


def open_with(user: User, view: SavedView | None) -> None:
    """Let the list of ``user`` open with ``view``, or with all jobs."""
    ListSettings.objects.update_or_create(user=user, defaults={"opens_with": view})
