"""One model retired: archived, put into the bin and taken out of it, kept until a date."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.http import Request
from dashboard.library.models import Role, TunedModel
from dashboard.messages import explain
from dashboard.retiring import expiring, removing
from dashboard.retiring.forms import ExpiryForm
from dashboard.retiring.models import Fate
from dashboard.retiring.uses import uses
from tuning.errors import ServiceError, Unavailable

MODELS_A_PAGE = 50


@require_safe
@login_required
def bin_index(request: Request) -> HttpResponse:
    """What I can restore, the last removed first."""
    near = ("owner", "removed_by", "connection", "job", "removal")
    models = TunedModel.objects.in_bin_of(request.user).select_related(*near).order_by("-removed", "-pk")
    page = Paginator(models, MODELS_A_PAGE).get_page(request.GET.get("page"))
    problems = {model.pk: model.removal.why() for model in page if model.removal.problem}
    context = {"page": page, "problems": problems, "days": settings.BIN_DAYS}
    return TemplateResponse(request, "retiring/bin.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def archive(request: Request, pk: int) -> HttpResponse:
    """Says who still needs the model; then leaves it out of the list."""
    model = _mine(request, pk)
    if request.method == "POST":
        removing.archive(model, request)
        messages.success(request, _("“%(name)s” is archived. It goes on answering.") % {"name": model})
        return redirect(model)
    return TemplateResponse(request, "retiring/archive.html", {"model": model, "uses": uses(model)})


@require_POST
@login_required
def unarchive(request: Request, pk: int) -> HttpResponse:
    """Lists the model again, and shows it."""
    model = _mine(request, pk)
    removing.unarchive(model, request)
    messages.success(request, _("“%(name)s” is in the library’s list again.") % {"name": model})
    return redirect(model)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Says who still needs the model; then puts it into the bin."""
    model = _mine(request, pk)
    if request.method == "POST":
        removing.remove(model, request, request.user)
        messages.success(request, removing.told(removing.Gone.IN_BIN, model))
        return redirect("retiring:bin")
    return TemplateResponse(
        request, "retiring/delete.html", {"model": model, "uses": uses(model), "days": settings.BIN_DAYS}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def expiry(request: Request, pk: int) -> HttpResponse:
    """Until when the model is kept, and what becomes of it then."""
    model = _mine(request, pk)
    form = ExpiryForm(model, request.POST if request.method == "POST" else None)
    if form.is_valid():
        expiring.set_expiry(model, request, form.cleaned_data["expires"], Fate(form.cleaned_data["fate"]))
        messages.success(request, _("Until when “%(name)s” is kept was saved.") % {"name": model})
        return redirect(model)
    return TemplateResponse(request, "retiring/expiry.html", {"model": model, "form": form})


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Takes a model out of the bin and shows it; says why where that cannot be done."""
    model = _binned(request, pk)
    try:
        removing.restore(model, request)
    except Unavailable:
        raise
    except ServiceError as error:
        said = explain(error)
        messages.error(request, f"{said.title}. {said.advice}")
        return redirect("retiring:bin")
    messages.success(request, _("“%(name)s” is back, with its curve and its adapter.") % {"name": model})
    return redirect(model)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def purge(request: Request, pk: int) -> HttpResponse:
    """Asks whether the model may be deleted for good; then has the worker do it."""
    model = _binned(request, pk)
    if request.method == "POST":
        removing.hasten(model, request)
        messages.success(request, _("“%(name)s” is being deleted for good.") % {"name": model})
        return redirect("retiring:bin")
    return TemplateResponse(request, "retiring/purge.html", {"model": model})


def _mine(request: Request, pk: int) -> TunedModel:
    """The model, of which the person is an owner. Who sees it and is none is told so."""
    seen = TunedModel.objects.visible_to(request.user).select_related("job", "owner", "connection")
    model = get_object_or_404(seen, pk=pk)
    if model.role_of(request.user) is not Role.OWNER:
        raise PermissionDenied(_("Only its owner can archive, delete or expire a model."))
    return model


def _binned(request: Request, pk: int) -> TunedModel:
    models = TunedModel.objects.in_bin_of(request.user).select_related("job", "owner", "connection")
    return get_object_or_404(models, pk=pk)
