"""The ways to a new job: the form, what it will take, and a pasted request that fills it in."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.http import Request
from dashboard.jobs import beginnings
from dashboard.jobs.forms import NewJob, Sketch, Target
from dashboard.jobs.models import Job
from dashboard.jobs.pasting import PasteForm
from dashboard.jobs.sending import hand_in
from dashboard.messages import explain
from dashboard.presets.models import Preset
from tuning.errors import ServiceError
from tuning.providers import Provider, Tally, TokenCounter

PRESETS_OFFERED = 12


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """The form of a new job; after it, the job's own page."""
    if request.method == "POST":
        form = NewJob(request.user, request.POST)
        if form.is_valid() and (job := _start(form)):
            return redirect(job)
        foretold = None
    else:
        form = NewJob(request.user, initial=beginnings.initial(request.GET.dict(), request.user))
        sketch = Sketch(request.user, _as_sent(form))
        form.hints, foretold = sketch.hints, sketch.estimate()
    presets = Preset.objects.visible_to(request.user)[:PRESETS_OFFERED]
    return TemplateResponse(request, "jobs/new.html", {"form": form, "estimate": foretold, "presets": presets})


@require_safe
@login_required
def estimate(request: Request) -> HttpResponse:
    """Steps and minutes of the job as far as it is filled in, and advice for the places beside the fields."""
    sketch = Sketch(request.user, request.GET)
    context = {"estimate": sketch.estimate(), "form": sketch}
    return TemplateResponse(request, "jobs/_estimate.html", context | {"out_of_band": True})


@require_POST
@login_required
def tokens(request: Request) -> HttpResponse:
    """How many tokens the chosen examples have, as the service counts them for the chosen base model."""
    sketch = Sketch(request.user, request.POST)
    context: dict[str, Any] = {"longest": sketch.cleaned_data.get("longest")}
    if sketch.is_described("dataset", "version", "target"):
        target = sketch.chosen_target
        try:
            context["tally"] = _tally(target.connection.open_for(request.user), target, sketch)
        except ServiceError as error:
            context["message"] = explain(error)
    return TemplateResponse(request, "jobs/_tokens.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def paste(request: Request) -> HttpResponse:
    """Where a request for a job is pasted; then the form, filled in with what it asks for."""
    form = PasteForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (landing := form.land(request.user)):
        for note in landing.notes:
            messages.info(request, note)
        return redirect(f"{reverse('jobs:new')}?{urlencode(landing.address)}")
    return TemplateResponse(request, "jobs/paste.html", {"form": form})


def _tally(provider: Provider, target: Target, sketch: Sketch) -> Tally | None:
    if not isinstance(provider, TokenCounter):
        return None
    return provider.tally(target.base_model, sketch.dataset_version.path)


def _as_sent(form: NewJob) -> dict[str, Any]:
    """What a browser would send, were the form's first values left as they are."""
    said = {field.name: field.value() for field in form if field.value() is not None}
    if not said.get("target") and form.targets:
        said["target"] = next(iter(form.targets))
    return said


def _start(form: NewJob) -> Job | None:
    """The job, sent to its service. ``None`` when that refused, or there are too many: the form then says why."""
    try:
        return hand_in(form.job())
    except ServiceError as error:
        message = explain(error)
        form.add_error(None, f"{message.title}. {message.advice}")
        form.refusal, form.refusal_detail = message, error.detail
        return None
