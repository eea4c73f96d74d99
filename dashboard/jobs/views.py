"""A job's page, which lives while it is tuned, and what can be done with the job.

The list: :mod:`dashboard.jobs.listing`; a new job: :mod:`dashboard.jobs.creating`.
"""

from functools import partial
from hashlib import sha256
from math import ceil
from typing import Any

import orjson
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.charts.curve import news
from dashboard.http import NoContent, Request
from dashboard.jobs import chronicle, exports, findings, snippets, troubles
from dashboard.jobs.access import Rights, require, sees_alike
from dashboard.jobs.curve import ViewForm, in_words, usual_weight
from dashboard.jobs.models import Job
from dashboard.jobs.queryset import REFRESH_INTERVAL
from dashboard.jobs.recipes import settings_of
from dashboard.jobs.retention import kept_sentence
from dashboard.jobs.retrying import RETRIABLE
from dashboard.jobs.retrying import retry as retry_job
from dashboard.jobs.service_views import offers
from dashboard.library.models import Role, TunedModel
from dashboard.messages import explain, explain_failure
from dashboard.retiring import removing
from dashboard.retiring.uses import uses
from tuning.errors import Exhausted, Unavailable
from tuning.jobs import JobState
from tuning.providers import Chronicler, Export, Exporter, JobRef, can, ignores


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One job: its state, its curve, what it was made with, and the code that does the same."""
    from dashboard.charts.loss import loss_frame  # noqa: PLC0415 - plotly is slow to load: not before the first page

    job = _job(request, pk)
    context = _context(job, request.user)
    context |= offers(job) | {
        "figure": loss_frame(held_out=bool(job.held_out)),
        "weight": usual_weight(job.total_steps),
        "lines": chronicle.last_lines(job),
        "chronicled": can(job.connection.kind, Chronicler),
        "after": 0,
        "curl": snippets.curl(job, with_examples=context["may"].see_dataset),
        "python": snippets.python(job),
    }
    return TemplateResponse(request, "jobs/detail.html", context)


@require_safe
@login_required
def live(request: Request, pk: int) -> HttpResponse:
    """What changed on a job's page since the browser last heard; 204 when nothing did."""
    job = Job.objects.glimpse(request.user, pk)
    if job and job.is_due:
        job = Job.objects.select_related("connection", "owner", "dataset_version__dataset").filter(pk=pk).first()
    if job is None:
        raise Http404
    if job.is_due:
        job.refresh_quietly()
    if request.GET.get("seen") == job.fingerprint:
        return NoContent()
    if request.GET.get("state") != job.shown_state:  # draws forms, which bear the person's own token
        return HttpResponse(_drawn(request, job))
    asked = (job.key, job.fingerprint, request.GET.urlencode(), get_language(), sees_alike(request.user))
    name = sha256(repr(asked).encode()).hexdigest()
    return HttpResponse(cache.get_or_set(name, partial(_drawn, request, job), REFRESH_INTERVAL.total_seconds()))


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
    if request.method == "GET":
        audit.record(request, "job.exported", job, form=form)
    return exports.answer(job, Export(form), file)


@require_POST
@login_required
def cancel(request: Request, pk: int) -> HttpResponse:
    """Stops the job and shows its page."""
    job = _job(request, pk, Role.WRITER)
    if job.cancel():
        audit.record(request, "job.cancelled", job)
        heard = _("“%(name)s” was cancelled.") if job.is_final else _("“%(name)s” is being cancelled.")
        messages.success(request, heard % {"name": job})
    else:
        messages.info(request, _("“%(name)s” had ended already.") % {"name": job})
    return redirect(job)


@require_POST
@login_required
def retry(request: Request, pk: int) -> HttpResponse:
    """Has a job that failed or was cancelled tried again, and shows the page of the one that runs now."""
    job = _job(request, pk, Role.WRITER)
    if job.state not in RETRIABLE:
        messages.info(request, _("“%(name)s” neither failed nor was cancelled.") % {"name": job})
        return redirect(job)
    try:
        retried = retry_job(job)
    except Exhausted as error:
        message = explain(error)
        messages.error(request, f"{message.title}. {message.advice}")
        return redirect(job)
    if retried.resumes is not None:
        audit.record(request, "job.retried", job)
    if retried.is_new:
        said = _("Its service cannot take it up again, so this is a new job with the same settings.")
    elif retried.resumes is None:
        said = _("Somebody had “%(name)s” tried again already.")
    elif retried.resumes:
        said = _("“%(name)s” is queued again and goes on from its last checkpoint.")
    else:
        said = _("“%(name)s” is queued again and begins with the first step.")
    messages.success(request, said % {"name": job})
    return redirect(retried.job)


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks whether model and adapter may go; then shows the list. A model goes into the bin, a job without one for
    good.
    """
    job = _job(request, pk, Role.OWNER)
    if request.method == "GET":
        model = TunedModel.objects.present().filter(connection=job.connection_id, name=job.model or None).first()
        context = {"job": job, "model": model, "uses": uses(model) if model else [], "days": settings.BIN_DAYS}
        return TemplateResponse(request, "jobs/delete.html", context)
    gone = removing.remove_job(job, request.user, request)
    messages.success(request, removing.told(gone, job))
    return redirect("jobs:list")


def _job(request: Request, pk: int, role: Role = Role.READER) -> Job:
    """The job, for those with that role on it; others who see it are told whose matter it is."""
    near = ("connection", "owner", "made_from", "trial__sweep", "dataset_version__dataset")
    jobs = Job.objects.visible_to(request.user).select_related(*near, "validation_version__dataset")
    job = get_object_or_404(jobs, pk=pk)
    require(job, request.user, role)
    return job


def _drawn(request: Request, job: Job) -> str:
    """The parts of a job's page that its news change: drawn once for those who see the same and watch together. The
    rest of a job that was only glimpsed is read first.
    """
    if job.get_deferred_fields():
        job = get_object_or_404(Job.objects.select_related("connection", "dataset_version__dataset"), pk=job.pk)
    context = _context(job, request.user) | {
        "points": orjson.dumps(_news(request, job), option=orjson.OPT_SERIALIZE_NUMPY).decode(),
        "tells": lambda: offers(job)["tells"],
        "turned": request.GET.get("state") != job.shown_state,
        "answered": request.GET.get("answered") != str(job.answered),
        "advised": request.GET.get("advised") != job.advised,
    }
    return render_to_string("jobs/live.html", context, request)


def _news(request: Request, job: Job) -> dict[str, Any]:
    """The points after ``?after=``; of another attempt, or where the browser has none, the curve is drawn again."""
    after = request.GET.get("after", "")
    seen = int(after) if after.isdecimal() and len(after) < 16 else 0
    if not seen or request.GET.get("attempt") != str(job.attempt) or job.first_step_at is None:
        return {"restart": True}
    view = ViewForm(request.GET).view(job)
    end = job.series(after=seen, reach=view.smoothing.reach)
    return news(end, job.validation, seen, job.first_step_at.timestamp(), view)


def _context(job: Job, user: User) -> dict[str, Any]:
    """What a job's page shows; what is called is called where it is shown, which most of a poll's answers do not."""
    return {
        "job": job,
        "may": Rights(job, user),
        "trouble": troubles.told(job),
        "failure": explain_failure(job.failure_code) if job.failure_code else None,
        "findings": partial(findings.told, job),
        "settings": partial(settings_of, job),
        "epochs": partial(chronicle.epochs, job.samples),
        "exports": partial(exports.offered, job),
        "kept": partial(kept_sentence, job),
        "words": in_words(job),
        "own_batches": ignores(job.connection.kind, "batch_size"),
    }
