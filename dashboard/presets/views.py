"""The presets room: settings that were kept, to begin jobs with."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import audit
from dashboard.http import Request
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import said_by, shown_recipe
from dashboard.listing.fields import is_key
from dashboard.presets.forms import PresetForm, filled_with
from dashboard.presets.models import NAME_LENGTH, Preset


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """My presets and those that others share."""
    presets = Preset.objects.visible_to(request.user).select_related("owner")
    return TemplateResponse(request, "presets/list.html", {"presets": presets})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: Request) -> HttpResponse:
    """The form of a new preset: of a job's settings, or of what the form of a new job holds, which has no name yet."""
    if request.method == "POST" and "name" in request.POST:
        form = PresetForm(request.POST)
        if form.is_valid():
            with transaction.atomic():
                preset = form.save(request.user)
                audit.record(request, "preset.created", preset)
            messages.success(request, _("“%(name)s” was saved. New jobs can begin with it.") % {"name": preset})
            return redirect("presets:list")
    else:
        form = PresetForm(initial=_of_form(request) if request.method == "POST" else _of_job(request))
    return TemplateResponse(request, "presets/form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """What a preset holds; whose it is can change everything about it."""
    preset = get_object_or_404(Preset.objects.visible_to(request.user).select_related("owner"), pk=pk)
    if not preset.may_be_changed_by(request.user):
        context = {"preset": preset, "settings": shown_recipe(preset.recipe).items()}
        return TemplateResponse(request, "presets/detail.html", context)
    form = PresetForm(request.POST if request.method == "POST" else None, initial=filled_with(preset))
    if form.is_valid():
        with transaction.atomic():
            form.save(request.user, preset)
            audit.record(request, "preset.changed", preset)
        messages.success(request, _("“%(name)s” was saved.") % {"name": preset})
        return redirect("presets:list")
    return TemplateResponse(request, "presets/form.html", {"form": form, "preset": preset})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks whether the preset may go; then the list."""
    preset = get_object_or_404(Preset.objects.changeable_by(request.user), pk=pk)
    if request.method == "POST":
        with transaction.atomic():
            audit.record(request, "preset.deleted", preset)
            preset.delete()
        messages.success(request, _("“%(name)s” was deleted.") % {"name": preset})
        return redirect("presets:list")
    return TemplateResponse(request, "presets/delete.html", {"preset": preset})


def _of_job(request: Request) -> dict[str, Any]:
    """The settings of the job that the address names, if this person may see it."""
    pk = request.GET.get("job", "")
    job = Job.objects.visible_to(request.user).filter(pk=pk).first() if is_key(pk) else None
    if job is None:
        return {}
    return said_by(job.recipe) | {"name": job.display_name[:NAME_LENGTH], "base_model": job.base_model}


def _of_form(request: Request) -> dict[str, Any]:
    """What the form of a new job sent, as it is: what is wrong with it is said when it is to be saved."""
    said = {name: request.POST[name] for name in PresetForm.base_fields if name in request.POST}
    base_model = request.POST.get("target", "").partition(":")[2]
    return said | {"name": request.POST.get("display_name", "")[:NAME_LENGTH], "base_model": base_model}
