"""The library: its page, its renewals, and what is done from it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
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
from dashboard.listing.asked import remembered
from dashboard.listing.columns import direction, toggled

VIEWS = ("cards", "table")


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """The models I may see, as the address narrows and sorts them, as cards or as a table."""
    asked = read(request.GET)
    found = rows.listing(asked, request.user, request.GET.get("page"))
    if request.htmx.target == "tick":
        return _news(request, asked, found)
    template = "library/list.html#found" if request.htmx.target == "found" else "library/list.html"
    context = _context(request, asked, found)
    return TemplateResponse(request, template, context | _drawn(found, context))


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
    if (view := request.POST.get("view")) in VIEWS:
        LibrarySettings.objects.update_or_create(user=request.user, defaults={"as_table": view == "table"})
    return redirect(_back(request))


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
    return redirect(_back(request) if "back" in request.POST else model)


@require_POST
@login_required
def bulk(request: Request) -> HttpResponse:
    """Does something to the models that were ticked."""
    back = _back(request)
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


def _news(request: Request, asked: Asked, found: rows.Listing) -> HttpResponse:
    """What differs from what the browser shows; 204 where nothing does. Where it shows nothing, or nothing is left, the
    list comes whole.
    """
    seen = request.GET.getlist("seen")
    news = rows.news(found.rows, seen)
    if not news:
        return NoContent()
    context = _context(request, asked, found)
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


def _context(request: Request, asked: Asked, found: rows.Listing) -> dict[str, object]:
    sort, number, shown = asked.sort, found.page.number, request.GET.get("view")
    as_table = shown == "table" if shown in VIEWS else LibrarySettings.shows_table(request.user)
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


def _back(request: Request) -> str:
    """The list that a form was sent from."""
    return f"{reverse('library:list')}?{remembered(request.POST, read)}"
