"""Views of a list under a name, as each room with such a list offers them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.http import Request
from dashboard.listing.asked import Asked, remembered
from dashboard.listing.models import NAME_LENGTH, QUERY_LENGTH, Opening, Room, SavedView


class ViewForm(forms.Form):
    """A view to be saved: the list as the query shows it, under a name. The same name again replaces it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_LENGTH)
    query = forms.CharField(required=False, max_length=QUERY_LENGTH)
    shared = forms.BooleanField(label=gettext_lazy("Offer it to everybody here"), required=False)
    opens = forms.BooleanField(label=gettext_lazy("Open the list with it"), required=False)


@dataclass(frozen=True, slots=True)
class Offered:
    """What the menu of views shows: all that one may open, and the key of the one that the list opens with."""

    of: "Views"
    views: Sequence[SavedView]
    opens_with: int | None


@dataclass(frozen=True, slots=True)
class Views:
    """The views of the list of a room. ``read`` tells what an address asks of it, ``all`` is what it has unnarrowed."""

    room: Room
    read: Callable[[QueryDict, User], Asked[Any]]
    settings: type[Opening]
    all: Promise

    @property
    def list_name(self) -> str:
        return f"{self.room}:list"

    @property
    def save_name(self) -> str:
        return f"{self.room}:save_view"

    @property
    def change_name(self) -> str:
        return f"{self.room}:change_view"

    def offered(self, user: User, settings: Opening) -> Offered:
        opening = settings.opening
        views = list(SavedView.objects.offered_to(user, self.room))
        return Offered(self, views, opening.pk if opening else None)

    def opening(self, request: Request, settings: Opening) -> HttpResponse | None:
        """Where the list's bare address leads: to what the person wants it to open with."""
        view = settings.opening
        return redirect(f"{reverse(self.list_name)}?{view.query}") if view and not request.GET else None

    def save(self, request: Request) -> HttpResponse:
        """Keep the list as it is narrowed and sorted, under a name."""
        form = ViewForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("A view needs a name of at most 60 characters."))
            return redirect(self.back(request))
        with transaction.atomic():
            view = self._kept(request.user, form.cleaned_data)
            audit.record(request, "view.saved", view)
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view})
        return redirect(self.back(request))

    def change(self, request: Request, pk: int) -> HttpResponse:
        """Remove a view of theirs, or have the list open with it or, once more, with everything."""
        views = SavedView.objects.offered_to(request.user, self.room)
        if "remove" in request.POST:
            view = get_object_or_404(views, pk=pk, owner=request.user)
            with transaction.atomic():
                audit.record(request, "view.deleted", view)
                view.delete()
            messages.success(request, _("The view “%(name)s” was removed. What it lists stays.") % {"name": view})
        else:
            view = get_object_or_404(views, pk=pk)
            self._open_with(request.user, view if "open" in request.POST else None)
        return redirect(self.back(request))

    def back(self, request: Request) -> str:
        """The list that a form was sent from."""
        return f"{reverse(self.list_name)}?{remembered(request.POST, lambda said: self.read(said, request.user))}"

    def _kept(self, user: User, said: dict[str, Any]) -> SavedView:
        query = self.read(QueryDict(said["query"]), user).query()
        kept = {"query": query, "shared": said["shared"]}
        view, _made = SavedView.objects.update_or_create(owner=user, room=self.room, name=said["name"], defaults=kept)
        if said["opens"]:
            self._open_with(user, view)
        return view

    def _open_with(self, user: User, view: SavedView | None) -> None:
        self.settings._default_manager.update_or_create(user=user, defaults={"opens_with": view})
