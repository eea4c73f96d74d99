"""The compare room: the curves of several jobs in one chart, and what they differ in."""

from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from dashboard.charts.overlay import look, overlay_layout
from dashboard.charts.parallel import parallel_figure
from dashboard.compare import table
from dashboard.compare.asked import AXES, MOST_JOBS, SCALES, Asked, asked
from dashboard.compare.changes import changes
from dashboard.compare.curves import drawn
from dashboard.http import NoContent, Request
from dashboard.jobs.facts import fingerprint_of
from dashboard.jobs.last_epoch import last_epoch_losses, loss_name
from dashboard.jobs.models import Job

JOBS_FOUND = 8


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Jobs compared as the address says; to htmx, the table alone, and 204 when nothing changed."""
    wanted = asked(request.GET)
    jobs = _jobs(request, wanted)
    if request.htmx and Job.objects.filter(pk__in=[job.pk for job in jobs]).refresh_a_few():
        jobs = _jobs(request, wanted)
    seen = fingerprint_of(jobs)
    if request.htmx and request.GET.get("seen") == seen:
        return NoContent()
    template = "compare/_comparison.html" if request.htmx else "compare/index.html"
    return TemplateResponse(request, template, _context(jobs, wanted) | {"seen": seen})


@require_safe
@login_required
def series(request: Request) -> HttpResponse:
    """The curves of the jobs that the address names, as columns of numbers (see :mod:`dashboard.charts.overlay`)."""
    wanted = asked(request.GET)
    jobs = _jobs(request, wanted)
    body = orjson.dumps(
        drawn(jobs, wanted.smooth, wanted.together), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    )
    return HttpResponse(body, content_type="application/json")


@require_safe
@login_required
def search(request: Request) -> HttpResponse:
    """Jobs by a part of their name, to be added to a comparison."""
    words = request.GET.get("q", "").strip()[:100]
    jobs = Job.objects.visible_to(request.user).exclude(pk__in=asked(request.GET).jobs)
    found = jobs.filter(display_name__icontains=words).select_related("dataset_version__dataset")[:JOBS_FOUND]
    return TemplateResponse(request, "compare/_found.html", {"found": found, "words": words})


def _jobs(request: Request, wanted: Asked) -> list[Job]:
    """The jobs that were asked for and that I may see, in the order of the address."""
    visible = Job.objects.visible_to(request.user).filter(pk__in=wanted.jobs).defer("samples")
    related = ("owner", "connection", "dataset_version__dataset", "validation_version__dataset")
    return sorted(visible.select_related(*related), key=lambda job: wanted.jobs.index(job.pk))


def _context(jobs: list[Job], wanted: Asked) -> dict[str, Any]:
    last_epoch = last_epoch_losses(jobs)
    found = table.columns(jobs, last_epoch)
    held_out = {job.pk: job.best_loss for job in jobs if job.best_loss is not None}
    by_held_out = len(held_out) == len(jobs)
    shown = table.shown(found, wanted.everything)
    looks = {job.pk: look(wanted.jobs.index(job.pk)) for job in jobs}
    return {
        "asked": wanted,
        "jobs": jobs,
        "most": MOST_JOBS,
        "absent": len(wanted.jobs) - len(jobs),
        "headings": table.headings(shown, wanted.sort),
        "rows": [
            (job, looks[job.pk], [(column, column.texts[job.pk]) for column in shown])
            for job in table.ordered(jobs, found, wanted.sort)
        ],
        "alike": sum(column.is_setting and not column.differs for column in found),
        "changes": changes([job.dataset_version for job in jobs]),
        "layout": overlay_layout(),
        "parallel": parallel_figure(
            jobs, table.varied(found), held_out if by_held_out else last_epoch, loss_name(by_held_out)
        ),
        "axes": AXES,
        "scales": SCALES,
        "live": any(not job.is_final for job in jobs),
    }
