"""The sweeps room: several jobs started at once, watched together, and the best of them found."""

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.charts.parallel import parallel_figure
from dashboard.compare.links import compare_link
from dashboard.http import NoContent, Request
from dashboard.jobs import beginnings, tasks
from dashboard.jobs.facts import fingerprint_of
from dashboard.jobs.last_epoch import loss_name
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import RecipeForm
from dashboard.messages import explain
from dashboard.sweeps.forms import NewSweep, SweepSketch
from dashboard.sweeps.models import Sweep
from dashboard.sweeps.results import Results, results
from tuning.errors import Exhausted, ServiceError, Unavailable

logger = logging.getLogger(__name__)

SWEEPS_A_PAGE = 50


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """All sweeps I may see, newest first."""
    sweeps = Sweep.objects.visible_to(request.user).with_counts().select_related("owner")
    page = Paginator(sweeps, SWEEPS_A_PAGE).get_page(request.GET.get("page"))
    return TemplateResponse(request, "sweeps/list.html", {"page": page})


@require_http_methods(["GET", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """The form of a sweep, which may begin with what stands in the form of a job; after it, the sweep's page."""
    if "begin" in request.POST:
        form = NewSweep(request.user, initial=request.POST.dict())
    elif request.method == "POST":
        form = NewSweep(request.user, request.POST)
        if form.is_valid() and (sweep := _started(form)):
            return redirect(sweep)
    else:
        form = NewSweep(request.user, initial=beginnings.initial(request.GET.dict(), request.user))
    return TemplateResponse(request, "sweeps/new.html", {"form": form})


@require_safe
@login_required
def estimate(request: Request) -> HttpResponse:
    """Jobs, steps and minutes of the sweep as far as it is filled in."""
    form = SweepSketch(request.user, request.GET)
    return TemplateResponse(request, "sweeps/new.html#estimate", {"total": form.total(), "form": form})


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One sweep: its jobs as they go, and what they show when compared."""
    sweep = _sweep(request, pk)
    return TemplateResponse(request, "sweeps/detail.html", _context(sweep, results(sweep)))


@require_safe
@login_required
def live(request: Request, pk: int) -> HttpResponse:
    """What changed on a sweep's page since the browser last heard; 204 when nothing did."""
    sweep = _sweep(request, pk)
    sweep.refresh_quietly()
    found = results(sweep)
    if request.GET.get("seen") == fingerprint_of(found.jobs):
        return NoContent()
    return TemplateResponse(request, "sweeps/live.html", _context(sweep, found) | {"out_of_band": True})


@require_POST
@login_required
def stop(request: Request, pk: int) -> HttpResponse:
    """Cancels all jobs of the sweep that have not ended, and shows its page."""
    sweep = _sweep(request, pk)
    going_on = sweep.stop()
    audit.record(request, "sweep.stopped", sweep)
    if going_on:
        message = ngettext(
            "%(count)s job could not be reached. It is cancelled as soon as its service answers.",
            "%(count)s jobs could not be reached. They are cancelled as soon as their service answers.",
            going_on,
        )
        messages.warning(request, message % {"count": going_on})
    else:
        messages.success(request, _("“%(name)s” was cancelled.") % {"name": sweep})
    return redirect(sweep)


def _sweep(request: Request, pk: int) -> Sweep:
    return get_object_or_404(Sweep.objects.visible_to(request.user).select_related("owner"), pk=pk)


def _context(sweep: Sweep, found: Results) -> dict[str, Any]:
    jobs = found.jobs
    losses = {trial.job_id: found.loss_of(trial) for trial in found.trials}
    return {
        "sweep": sweep,
        "found": found,
        "seen": fingerprint_of(found.jobs),
        "headings": [RecipeForm.base_fields[name].label for name in sweep.varied],
        "rows": [(trial, [trial.values.get(name) for name in sweep.varied]) for trial in found.trials],
        "parallel": parallel_figure(jobs, sweep.varied, losses, loss_name(found.by_held_out)),
        "compare": compare_link(jobs, losses),
    }


def _started(form: NewSweep) -> Sweep | None:
    """The sweep, its first job sent to the service. ``None`` when that refused, or there are too many: the form then
    says why.

    The worker sends the others; that it is told of them here only saves them the wait for its next round.
    """
    try:
        sweep, is_new = form.start()
    except Exhausted as error:
        message = explain(error)
        form.add_error(None, f"{message.title}. {message.advice}")
        return None
    if not is_new:
        return sweep
    first, *others = Job.objects.filter(trial__sweep=sweep).order_by("pk")
    try:
        first.send()
    except (Exhausted, Unavailable) as error:
        logger.info("sweep %s waits for its service: %s", sweep.pk, error.code)
    except ServiceError as error:
        audit.record(sweep.owner, "sweep.refused", sweep, code=error.code)
        sweep.undo()
        message = explain(error)
        form.add_error(None, f"{message.title}. {error.detail or message.advice}")
        return None
    for job in others:
        tasks.send.enqueue(job.pk)
    return sweep
