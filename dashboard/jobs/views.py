"""A new job, and a job's page that lives while it is tuned. The list: :mod:`dashboard.jobs.listing`."""

import logging
from math import ceil
from typing import Any, TypeVar

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.charts.curve import news
from dashboard.charts.loss import loss_frame
from dashboard.datasets.models import Dataset
from dashboard.http import NoContent, Request
from dashboard.jobs import chronicle, exports, findings, snippets
from dashboard.jobs.curve import ViewForm, in_words, usual_weight
from dashboard.jobs.estimates import estimate as estimate_job
from dashboard.jobs.forms import NewJob
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import said_by, settings_of
from dashboard.jobs.retention import kept_sentence
from dashboard.jobs.retrying import RETRIABLE
from dashboard.jobs.retrying import retry as retry_job
from dashboard.messages import explain, explain_failure
from tuning.errors import ServiceError, Unavailable
from tuning.jobs import JobState
from tuning.providers import Export, Exporter, JobRef
from tuning.recipes import assumed

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)


@require_http_methods(["GET", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """The form of a new job; after it, the job's own page."""
    if request.method == "POST":
        form = NewJob(request.user, request.POST)
        if form.is_valid() and (job := _start(form)):
            return redirect(job)
    else:
        form = NewJob(request.user, initial=initial_of(request))
    return TemplateResponse(request, "jobs/new.html", {"form": form})


@require_safe
@login_required
def estimate(request: Request) -> HttpResponse:
    """Steps and minutes of the job as far as it is filled in."""
    form = NewJob(request.user, request.GET)
    form.is_valid()
    asked = form.cleaned_data
    found = None
    if form.is_described("dataset", "target"):
        target = form.targets[asked["target"]]
        found = estimate_job(asked["dataset"].latest, target.connection, target.base_model, form.recipe())
    return TemplateResponse(request, "jobs/new.html#estimate", {"estimate": found})


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One job: its state, its curve, what it was made with, and the code that does the same."""
    job = _job(request, pk)
    context = _context(job) | {
        "figure": loss_frame(held_out=bool(job.held_out)),
        "weight": usual_weight(job.total_steps),
        "lines": chronicle.last_lines(job),
        "after": 0,
        "curl": snippets.curl(job),
        "python": snippets.python(job),
    }
    return TemplateResponse(request, "jobs/detail.html", context)


@require_safe
@login_required
def live(request: Request, pk: int) -> HttpResponse:
    """What changed on a job's page since the browser last heard; 204 when nothing did."""
    watched = get_object_or_404(Job.objects.visible_to(request.user).defer("samples", "small_curve"), pk=pk)
    watched.refresh_quietly()
    if request.GET.get("seen") == watched.fingerprint:
        return NoContent()
    job = _job(request, pk)
    context = _context(job) | {
        "points": orjson.dumps(_news(request, job), option=orjson.OPT_SERIALIZE_NUMPY).decode(),
        "turned": request.GET.get("state") != job.shown_state,
        "answered": request.GET.get("answered") != str(job.answered),
        "advised": request.GET.get("advised") != job.advised,
    }
    return TemplateResponse(request, "jobs/live.html", context)


@require_safe
@login_required
def log(request: Request, pk: int) -> HttpResponse:
    """The log's lines after ``?after=``, and a last one that asks for more while the job is unfinished."""
    job = _job(request, pk)
    after = request.GET.get("after", "0")
    lines = list(job.lines.filter(pk__gt=int(after) if after.isdecimal() and len(after) < 16 else 0))
    if not (lines or job.is_final):
        return NoContent()
    return TemplateResponse(request, "jobs/_lines.html", {"job": job, "lines": lines, "after": after})


@require_safe
@login_required
def export(request: Request, pk: int, form: str) -> HttpResponseBase:
    """The tuned model as a file; a page that waits for it while the service still writes it."""
    job = _job(request, pk)
    provider = job.connection.open_for(request.user)
    if form not in list(Export) or not isinstance(provider, Exporter) or job.state != JobState.SUCCEEDED:
        raise Http404
    try:
        file = provider.export(JobRef(job.ref), Export(form))
    except Unavailable as error:
        if error.code != "being_made":
            raise
        page = TemplateResponse(request, "jobs/export.html", {"job": job, "percent": error.params["percent"]})
        page["Refresh"] = str(ceil(error.retry_after or 1))
        return page
    return exports.answer(job, Export(form), file)


@require_POST
@login_required
def cancel(request: Request, pk: int) -> HttpResponse:
    """Stops the job and shows its page."""
    job = _job(request, pk)
    job.cancel()
    messages.success(request, _("“%(name)s” was cancelled.") % {"name": job})
    return redirect(job)


@require_POST
@login_required
def retry(request: Request, pk: int) -> HttpResponse:
    """Has a job that failed or was cancelled tried again, and shows the page of the one that runs now."""
    job = _job(request, pk)
    if job.state not in RETRIABLE:
        messages.info(request, _("“%(name)s” neither failed nor was cancelled.") % {"name": job})
        return redirect(job)
    retried = retry_job(job)
    if retried.is_new:
        said = _("Its service cannot take it up again, so this is a new job with the same settings.")
    elif retried.resumes:
        said = _("“%(name)s” is queued again and goes on from its last checkpoint.")
    else:
        said = _("“%(name)s” is queued again and begins with the first step.")
    messages.success(request, said % {"name": job})
    return redirect(retried.job)


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks whether model and adapter may go; then removes them and shows the list."""
    job = _job(request, pk)
    if request.method == "GET":
        return TemplateResponse(request, "jobs/delete.html", {"job": job})
    job.remove()
    messages.success(request, _("“%(name)s”, its model and its adapter were deleted.") % {"name": job})
    return redirect("jobs:list")


def _job(request: Request, pk: int) -> Job:
    versions = ("dataset_version__dataset", "validation_version__dataset")
    jobs = Job.objects.visible_to(request.user).select_related("connection", "owner", "trial__sweep", *versions)
    return get_object_or_404(jobs, pk=pk)


def _news(request: Request, job: Job) -> dict[str, Any]:
    """The points after ``?after=``; of another attempt, or where the browser has none, the curve is drawn again."""
    after = request.GET.get("after", "")
    seen = int(after) if after.isdecimal() and len(after) < 16 else 0
    if not seen or request.GET.get("attempt") != str(job.attempt) or job.first_step_at is None:
        return {"restart": True}
    view = ViewForm(request.GET).view(job)
    end = job.series(after=seen, reach=view.smoothing.reach)
    return news(end, job.validation, seen, job.first_step_at.timestamp(), view)


def _context(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "failure": explain_failure(job.failure_code) if job.failure_code else None,
        "findings": findings.told(job),
        "settings": settings_of(job),
        "epochs": chronicle.epochs(job.samples),
        "exports": exports.offered(job),
        "kept": kept_sentence(job),
        "words": in_words(job),
    }


def initial_of(request: Request) -> dict[str, Any]:
    """What the address of the form brings along: ``?dataset=3``, which lends the job its name and usual settings, or
    ``?again=7``, a job that is to be done once more.
    """
    asked = {name: request.GET[name] for name in ("dataset", "display_name") if name in request.GET}
    if again := _named(request, Job.objects.visible_to(request.user), "again"):
        return {"dataset": again.dataset_version.dataset_id, "display_name": again.display_name} | said_by(again)
    datasets = Dataset.objects.visible_to(request.user).order_by("-created")
    chosen = _named(request, datasets, "dataset") if "dataset" in asked else datasets.first()
    if chosen is None:
        return asked
    usual = assumed(chosen.latest.examples)
    return {"display_name": chosen.name[:40], **{name: getattr(usual, name) for name in NewJob.FIRST}} | asked


def _named(request: Request, rows: QuerySet[Row], name: str) -> Row | None:
    """The one of ``rows`` that the address names, if it does."""
    pk = request.GET.get(name, "")
    return rows.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 16 else None


def _start(form: NewJob) -> Job | None:
    """The job, sent to its service. ``None`` when the service refused: the form then says why.

    A service that does not answer is no refusal: the job waits, and the worker sends it later.
    """
    job = form.job()
    try:
        job.send()
    except Unavailable as error:
        logger.info("job %s waits for its service: %s", job.pk, error.code)
    except ServiceError as error:
        job.delete()
        message = explain(error)
        form.add_error(None, f"{message.title}. {error.detail or message.advice}")
        return None
    return job
