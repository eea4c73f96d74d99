"""A tuned model's page, and what its people write about it. The list: :mod:`dashboard.library.listing`."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.charts.loss import loss_frame
from dashboard.datasets.models import Dataset
from dashboard.http import Request
from dashboard.jobs import chronicle, exports
from dashboard.jobs.access import Rights
from dashboard.jobs.curve import in_words, usual_weight
from dashboard.jobs.tags import NAME_LENGTH, Tag
from dashboard.library import presenting, uses
from dashboard.library.forms import NotesForm, PresentationForm
from dashboard.library.models import Role, TunedModel
from dashboard.library.notes import LENGTH, rendered
from dashboard.library.snippets import snippets
from dashboard.messages import explain
from dashboard.messages.sharing import REFUSED
from tuning.errors import ServiceError


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One model: what it is, how it was tuned, what it answers, and how it is asked by code."""
    model = _model(request, pk)
    role = model.role_of(request.user) or Role.READER
    context = {
        "model": model,
        "may_change": role >= Role.WRITER,
        "may_retire": role is Role.OWNER,
        "notes": rendered(model.notes),
        "snippets": snippets(model),
        "used": uses.told(model),
        "dataset": _dataset(request, model),
        "source": TunedModel.objects.visible_to(request.user).filter(descendants=model).first(),
        **_of_its_job(request, model),
    }
    return TemplateResponse(request, "library/detail.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: Request, pk: int) -> HttpResponse:
    """Changes name, description and sampling at the model's service; its refusal stands above the form."""
    model = _to_be_changed(request, pk)
    service = presenting.editor(model, request.user)
    if service is None:
        raise PermissionDenied(_("This service does not let models be renamed or described anew."))
    if request.method == "GET":
        refusal = _refusal(lambda: presenting.renew(model, service))
        form = PresentationForm(model)
    else:
        form = PresentationForm(model, request.POST)
        changes = form.changes()
        refusal = _refusal(lambda: presenting.change(model, service, changes)) if changes else None
        if form.is_valid() and refusal is None:
            if changes:
                audit.record(request, "model.presented", model, fields=", ".join(sorted(changes)))
            return redirect(model)
    return TemplateResponse(request, "library/edit.html", {"model": model, "form": form, "refusal": refusal})


@require_safe
@login_required
def sampling(request: Request, pk: int) -> HttpResponse:
    """How the model's answers are sampled, asked of its service by a page that does not know."""
    model = _model(request, pk)
    service = presenting.editor(model, request.user)
    refusal = _refusal(lambda: presenting.renew(model, service)) if service else None
    return TemplateResponse(request, "library/_sampling.html", {"model": model, "asked": True, "refusal": refusal})


@require_POST
@login_required
def note(request: Request, pk: int) -> HttpResponse:
    """Keeps what is to be remembered about a model."""
    model = _to_be_changed(request, pk)
    form = NotesForm(request.POST)
    if form.is_valid():
        with transaction.atomic():
            TunedModel.objects.filter(pk=model.pk).update(notes=form.cleaned_data["notes"])
            audit.record(request, "model.noted", model)
        messages.success(request, _("The notes are kept."))
    else:
        messages.error(request, _("Notes are at most 10,000 characters long, and plain text."))
    return redirect(model)


@require_POST
@login_required
def preview(request: Request) -> HttpResponse:
    """Notes as they will look. Nothing is kept."""
    notes = request.POST.get("notes", "")[:LENGTH]
    return TemplateResponse(request, "library/_noted.html", {"notes": rendered(notes)})


@require_POST
@login_required
@transaction.atomic
def change_tags(request: Request, pk: int) -> HttpResponse:
    """Puts a tag on a model, or takes one off."""
    model = _to_be_changed(request, pk)
    if tag := request.POST.get("add", "").strip()[:NAME_LENGTH].replace("\0", ""):
        Tag.objects.put_on_models([model], tag)
        audit.record(request, "model.tagged", model, tag=tag)
    if tag := request.POST.get("remove", ""):
        Tag.objects.take_off_models([model], tag)
        audit.record(request, "model.untagged", model, tag=tag[:NAME_LENGTH])
    if request.htmx:
        return TemplateResponse(request, "library/_tags.html", {"model": model, "may_change": True, "again": True})
    return redirect(model)


def _model(request: Request, pk: int) -> TunedModel:
    near = ("connection", "owner", "dataset_version__dataset", "job__owner", "job__connection")
    nearer = ("job__dataset_version__dataset", "job__validation_version")
    models = TunedModel.objects.visible_to(request.user).starred_by(request.user).select_related(*near, *nearer)
    return get_object_or_404(models, pk=pk)


def _to_be_changed(request: Request, pk: int) -> TunedModel:
    """What the person may see is theirs to change as its owner or a writer; a reader is told why it is not."""
    model = _model(request, pk)
    if (model.role_of(request.user) or Role.READER) < Role.WRITER:
        raise PermissionDenied(REFUSED[Role.WRITER])
    return model


def _refusal(verb: Callable[[], None]) -> dict[str, object] | None:
    """What a service said against ``verb``; ``None`` where it did it."""
    try:
        verb()
    except ServiceError as error:
        return {"message": explain(error), "detail": error.detail}
    return None


def _dataset(request: Request, model: TunedModel) -> Dataset | None:
    """The dataset whose page the person may open."""
    version = model.dataset_version
    if version is None or version.dataset.absent:
        return None
    return Dataset.objects.visible_to(request.user).filter(pk=version.dataset_id).first()


def _of_its_job(request: Request, model: TunedModel) -> dict[str, object]:
    """Curve, answers and files, where the job is kept."""
    job = model.job
    if job is None:
        return {}
    return {
        "job": job,
        "figure": loss_frame(held_out=bool(job.held_out)),
        "weight": usual_weight(job.total_steps),
        "words": in_words(job),
        "epochs": chronicle.epochs(job.samples) if Rights(job, request.user).see_samples else [],
        "exports": exports.offered(job),
    }
