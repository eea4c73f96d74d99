"""The list of jobs: its page, its renewals, and what is done from it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from dashboard import audit
from dashboard.forms import what_is_wrong
from dashboard.http import NoContent, Request
from dashboard.jobs.access import Rights, require
from dashboard.jobs.listing import bulk as many
from dashboard.jobs.listing import rows
from dashboard.jobs.listing.cells import drawn
from dashboard.jobs.listing.columns import chosen
from dashboard.jobs.listing.filters import Asked, FilterForm
from dashboard.jobs.listing.forms import ColumnsForm, NotesForm, asked
from dashboard.jobs.models import Job
from dashboard.jobs.saved import ListSettings
from dashboard.jobs.tags import NAME_LENGTH, TAGS_SUGGESTED, Tag
from dashboard.library.models import Role
from dashboard.listing.columns import direction, toggled
from dashboard.listing.models import Room
from dashboard.listing.views import Views

VIEWS = Views(Room.JOBS, asked, ListSettings, gettext_lazy("All jobs"))


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """The jobs I may see, as the address narrows and sorts them; without an address's word, my own view of them."""
    settings = ListSettings.of(request.user)
    if opening := VIEWS.opening(request, settings):
        return opening
    query = asked(request.GET, request.user)
    found = rows.listing(query, request.user, request.GET.get("page"))
    if request.htmx.target == "tick":
        return _news(request, query, found, settings)
    context = _context(query, found, settings) | {
        "rows": drawn(found.rows, chosen(settings.columns), request.user),
        "chips": query.chips(request.user),
        "offered": VIEWS.offered(request.user, settings),
    }
    template = "jobs/list.html#found" if request.htmx.target == "found" else "jobs/list.html"
    return TemplateResponse(request, template, context)


@require_safe
@login_required
def filters(request: Request) -> HttpResponse:
    """The panel of filters, filled in as the address says; a page of its own for browsers without scripts."""
    form = FilterForm(request.GET, request.user)
    form.is_valid()
    form.offer()
    query = asked(request.GET, request.user)
    template = "jobs/list/filters.html#panel" if request.htmx else "jobs/list/filters.html"
    return TemplateResponse(request, template, {"form": form, "query": query.query(), "sort": query.sort})


@require_POST
@login_required
def bulk(request: Request) -> HttpResponse:
    """Does something to the jobs that were ticked, after it asked where that cannot be undone."""
    back = VIEWS.back(request)
    form = many.BulkForm(request.user, request.POST)
    if not form.is_valid():
        messages.error(request, what_is_wrong(form))
        return redirect(back)
    asked_for = form.request()
    if asked_for.action is many.Action.COMPARE:
        return redirect(f"{reverse('compare:index')}?jobs={','.join(str(job.pk) for job in asked_for.jobs)}")
    if asked_for.asks_first:
        context = {"asked": asked_for, "back": back, "query": back.partition("?")[2]}
        return TemplateResponse(request, "jobs/list/sure.html", context)
    outcome = asked_for.do(request.user)
    if done := many.said(asked_for, outcome):
        messages.success(request, done)
    if failed := many.failures(outcome):
        messages.error(request, failed)
    return redirect(back)


@require_POST
@login_required
def choose_columns(request: Request) -> HttpResponse:
    """Shows the columns that were ticked, from now on."""
    form = ColumnsForm(request.POST)
    if form.is_valid():
        form.keep(request.user)
    return redirect(VIEWS.back(request))


@require_POST
@login_required
def save_view(request: Request) -> HttpResponse:
    """Keeps the list as it is narrowed and sorted, under a name."""
    return VIEWS.save(request)


@require_POST
@login_required
def change_view(request: Request, pk: int) -> HttpResponse:
    """Removes a view of mine, or has the list open with it or, once more, with all jobs."""
    return VIEWS.change(request, pk)


@require_safe
@login_required
def tags(request: Request) -> HttpResponse:
    """The tags in use, as suggestions for a field."""
    found = Tag.objects.seen_by(request.user)[:TAGS_SUGGESTED]
    return TemplateResponse(request, "jobs/list/tags.html", {"tags": found})


@require_POST
@login_required
def change_tags(request: Request, pk: int) -> HttpResponse:
    """Puts a tag on one job, or takes one off."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    require(job, request.user, Role.WRITER)
    with transaction.atomic():
        if tag := request.POST.get("add", "").strip()[:NAME_LENGTH].replace("\0", ""):
            Tag.objects.put_on([job], tag)
            audit.record(request, "job.tagged", job, tag=tag)
        if tag := request.POST.get("remove", ""):
            Tag.objects.take_off([job], tag)
            audit.record(request, "job.untagged", job, tag=tag)
    if request.htmx:
        context = {"job": job, "may": Rights(job, request.user), "again": True}
        return TemplateResponse(request, "jobs/_tags.html", context)
    return redirect(job)


@require_POST
@login_required
def note(request: Request, pk: int) -> HttpResponse:
    """Keeps what is to be remembered about a job."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    require(job, request.user, Role.WRITER)
    form = NotesForm(request.POST)
    if form.is_valid():
        with transaction.atomic():
            Job.objects.filter(pk=job.pk).update(notes=form.cleaned_data["notes"])
            audit.record(request, "job.noted", job)
        messages.success(request, _("The notes are kept."))
    else:
        messages.error(request, _("Notes are at most 10,000 characters long, and plain text."))
    return redirect(job)


def _news(request: Request, query: Asked, found: rows.Listing, settings: ListSettings) -> HttpResponse:
    """The rows that changed since the browser drew them, and a word when others stand on the page; 204 when none."""
    if rows.refresh(found.jobs):
        found = rows.renewed(found)
    changed = rows.changed(found.rows, request.GET.getlist("seen"))
    moved = request.GET.get("order") != found.order
    pace = request.GET.get("live") == "1"
    if not changed and not moved and pace == found.live:
        return NoContent()
    context = _context(query, found, settings) | {"moved": moved, "out_of_band": True}
    context["rows"] = drawn(changed, chosen(settings.columns), request.user, again=True)
    return TemplateResponse(request, "jobs/list/news.html", context)


def _context(query: Asked, found: rows.Listing, settings: ListSettings) -> dict[str, object]:
    columns, sort, number = chosen(settings.columns), query.sort, found.page.number
    return {
        "found": found,
        "page": found.page,
        "query": query.query(page=number),
        "first_page": query.query(),
        "plain": not query.filters.pairs(),
        "asked": query,
        "heads": [(column, query.query(sort=toggled(column, sort)), direction(column, sort)) for column in columns],
        "shown": {column.name for column in columns},
        "columns": ColumnsForm.CHOICES,
        "newer": query.query(page=number - 1),
        "older": query.query(page=number + 1),
    }
