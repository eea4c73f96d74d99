"""The library: its page, its renewals, and what is done from it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from dashboard.forms import what_is_wrong
from dashboard.http import NoContent, Request
from dashboard.library.chosen import LibrarySettings
from dashboard.library.listing import bulk as many
from dashboard.library.listing import facets as narrowing
from dashboard.library.listing import rows
from dashboard.library.listing.columns import COLUMNS
from dashboard.library.listing.drawn import HOLDERS, drawn, drawn_arrivals
from dashboard.library.listing.drawn import star as draw_star
from dashboard.library.listing.filters import Asked, read
from dashboard.library.models import TunedModel
from dashboard.listing.columns import direction, toggled
from dashboard.listing.models import Room
from dashboard.listing.views import Views

LOOKS = ("cards", "table")
VIEWS = Views(Room.LIBRARY, lambda query, _user: read(query), LibrarySettings, gettext_lazy("All models"))


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """The models I may see, as the address narrows and sorts them, as cards or as a table."""
    settings = LibrarySettings.of(request.user)
    if opening := VIEWS.opening(request, settings):
        return opening
    asked = read(request.GET)
    found = rows.listing(asked, request.user, request.GET.get("page"))
    context = _context(request, asked, found, settings)
    if request.htmx.target == "tick":
        return _news(request, found, context)
    context |= _drawn(found, context)
    if request.htmx.target == "found":
        return TemplateResponse(request, "library/list.html#found", context)
    context["offered"] = VIEWS.offered(request.user, settings)
    return TemplateResponse(request, "library/list.html", context)


@require_safe
@login_required
def facets(request: Request) -> HttpResponse:
    """What the library can be narrowed to; a page of its own for browsers without scripts."""
    asked = read(request.GET)
    context = {"facets": narrowing.facets(asked, request.user), "query": asked.query()}
    return TemplateResponse(request, f"library/facets.html{'#facets' if request.htmx else ''}", context)


@require_POST
@login_required
def choose_view(request: Request) -> HttpResponse:
    """Shows cards, or a table, from now on."""
    if (view := request.POST.get("view")) in LOOKS:
        LibrarySettings.objects.update_or_create(user=request.user, defaults={"as_table": view == "table"})
    return redirect(VIEWS.back(request))


@require_POST
@login_required
def save_view(request: Request) -> HttpResponse:
    """Keeps the library as it is narrowed and sorted, under a name."""
    return VIEWS.save(request)


@require_POST
@login_required
def change_view(request: Request, pk: int) -> HttpResponse:
    """Removes a view of mine, or has the library open with it or, once more, with all models."""
    return VIEWS.change(request, pk)


@require_POST
@login_required
def star(request: Request, pk: int) -> HttpResponse:
    """Makes a model a favourite of mine, or one no more."""
    model = get_object_or_404(TunedModel.objects.visible_to(request.user), pk=pk)
    model.is_favourite = request.POST.get("star") == "on"
    if model.is_favourite:
        model.favourites.add(request.user)
    else:
        model.favourites.remove(request.user)
    if request.htmx:
        return HttpResponse(draw_star(model, reverse("library:list")))
    return redirect(VIEWS.back(request) if "back" in request.POST else model)


@require_POST
@login_required
def bulk(request: Request) -> HttpResponse:
    """Does something to the models that were ticked."""
    back = VIEWS.back(request)
    form = many.BulkForm(request.user, request.POST)
    if not form.is_valid():
        messages.error(request, what_is_wrong(form))
        return redirect(back)
    asked_for = form.request()
    if asked_for.action is many.Action.COMPARE:
        return redirect(f"{reverse('compare:index')}?jobs={','.join(map(str, asked_for.jobs()))}")
    done, left = asked_for.do(request.user)
    if done:
        messages.success(request, many.said(asked_for, done))
    if left:
        messages.error(request, many.not_allowed(left))
    return redirect(back)


def _news(request: Request, found: rows.Listing, context: dict[str, object]) -> HttpResponse:
    """What differs from what the browser shows; 204 where nothing does. Where it shows nothing, or nothing is left, the
    list comes whole.
    """
    seen = request.GET.getlist("seen")
    news = rows.news(found.rows, seen)
    if not news:
        return NoContent()
    if not seen or not found.rows:
        whole = TemplateResponse(request, "library/list.html#found", context | _drawn(found, context))
        return reswap(retarget(whole, "#found"), "outerHTML")
    view = str(context["view"])
    context |= {
        "gone": news.gone,
        "changed": drawn(news.changed, view, again=True),
        "arrived": drawn_arrivals(news.arrived, view),
        "holder": HOLDERS[view],
        "out_of_band": True,
    }
    return TemplateResponse(request, "library/list/news.html", context)


def _drawn(found: rows.Listing, context: dict[str, object]) -> dict[str, object]:
    return {"rows": drawn(found.rows, str(context["view"]))}


def _context(request: Request, asked: Asked, found: rows.Listing, settings: LibrarySettings) -> dict[str, object]:
    sort, number, shown = asked.sort, found.page.number, request.GET.get("view")
    as_table = shown == "table" if shown in LOOKS else settings.as_table
    return {
        "found": found,
        "page": found.page,
        "asked": asked,
        "chips": asked.chips(request.user),
        "plain": not asked.filters.pairs(),
        "query": asked.query(page=number),
        "first_page": asked.query(),
        "view": "table" if as_table else "cards",
        "heads": [
            (column, asked.query(sort=toggled(column, sort)), direction(column, sort)) for column in COLUMNS.values()
        ],
        "newer": asked.query(page=number - 1),
        "older": asked.query(page=number + 1),
    }
