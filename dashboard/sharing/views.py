"""With whom a model is shared: one dialog, which is a page of its own where there are no scripts."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.http import Request
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.messages import explain
from dashboard.messages.sharing import REFUSED, ROLES
from dashboard.sharing import giving
from dashboard.sharing.forms import GIVEN, RoleForm, ShareForm
from dashboard.sharing.mirror import renew_quietly
from tuning.errors import ServiceError


@require_safe
@login_required
def index(request: Request, pk: int) -> HttpResponse:
    """Who may do what with a model, and how to change that."""
    return _shown(request, _model(request, pk))


@require_POST
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Shares a model with a person, a team or everyone."""
    model = _model(request, pk)
    form = ShareForm(model, request.user, request.POST)
    if not form.is_valid():
        return _shown(request, model, form=form)
    try:
        grant = giving.give(request, model, form.whom(), form.cleaned_data["role"])
    except ServiceError as error:
        return _refused(request, model, error, form=form)
    if grant.address:
        said = _("Shared with %(who)s, who has no account here yet and finds it after signing up.")
    else:
        said = _("Shared with %(who)s.")
    return _done(request, model, said % {"who": grant.grantee})


@require_POST
@login_required
def change(request: Request, pk: int, grant: int) -> HttpResponse:
    """Gives somebody another role, or asks whether they are to be the owner."""
    model = _model(request, pk)
    shared = _grant(model, grant)
    form = RoleForm(request.POST)
    if not form.is_valid() or (shared.everyone and form.cleaned_data["role"] is not Role.READER):
        return _shown(request, model, refusal=_("Choose one of the roles that can be given."))
    try:
        giving.change(request, shared, form.cleaned_data["role"])
    except ServiceError as error:
        return _refused(request, model, error)
    said = _("%(who)s is %(role)s now.") % {"who": shared.grantee, "role": ROLES[Role(shared.role)][0]}
    return _done(request, model, said)


@require_POST
@login_required
def remove(request: Request, pk: int, grant: int) -> HttpResponse:
    """Takes a role back."""
    model = _model(request, pk)
    shared = _grant(model, grant)
    try:
        giving.take(request, shared)
    except ServiceError as error:
        return _refused(request, model, error)
    return _done(request, model, _("No longer shared with %(who)s.") % {"who": shared.grantee})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def hand_over(request: Request, pk: int, grant: int) -> HttpResponse:
    """Asks whether a person is to be the owner; then makes them so."""
    model = _model(request, pk, Role.OWNER)
    person = get_object_or_404(model.grants.filter(person__is_active=True), pk=grant).person
    assert person is not None
    if request.method != "POST":
        template = "sharing/hand_over.html#asked" if request.htmx else "sharing/hand_over.html"
        return TemplateResponse(request, template, {"model": model, "person": person, "grant": grant})
    try:
        giving.hand_over(request, model, person)
    except ServiceError as error:
        return _refused(request, model, error)
    return _done(request, model, _("%(who)s is the owner now.") % {"who": person})


def _model(request: Request, pk: int, role: Role = Role.WRITER) -> TunedModel:
    """The model, for those with that role; others who see it are told whose matter it is."""
    models = TunedModel.objects.visible_to(request.user).select_related("owner", "connection", "job")
    model = get_object_or_404(models, pk=pk)
    has = model.role_of(request.user)
    if has is None or has < role:
        raise PermissionDenied(REFUSED[role])
    return model


def _grant(model: TunedModel, pk: int) -> Grant:
    """One that can be changed: the owner's is handed over."""
    return get_object_or_404(model.grants.exclude(role=Role.OWNER).select_related("person", "team", "model"), pk=pk)


def _shown(request: Request, model: TunedModel, **more: Any) -> HttpResponse:
    renew_quietly(model, request.user)
    model.refresh_from_db(fields=["owner"])
    context = {
        "model": model,
        "grants": model.grants.select_related("person", "team"),
        "form": more.pop("form", None) or ShareForm(model, request.user),
        "role": model.role_of(request.user),
        "roles": ROLES.items(),
        "given": [(role, ROLES[role][0]) for role in GIVEN],
    }
    template = "sharing/index.html#shared" if request.htmx else "sharing/index.html"
    return TemplateResponse(request, template, context | more)


def _refused(request: Request, model: TunedModel, error: ServiceError, **more: Any) -> HttpResponse:
    """What the service would not do; its permissions are read again, since they may be others than those shown."""
    TunedModel.objects.filter(pk=model.pk).update(permissions_read=None)
    message = explain(error)
    return _shown(request, model, refusal=f"{message.title}. {message.advice}", detail=error.detail, **more)


def _done(request: Request, model: TunedModel, said: str) -> HttpResponse:
    """The dialog as it is now; who may not share it any more is led to the library."""
    if not TunedModel.objects.with_role(request.user, Role.WRITER).filter(pk=model.pk).exists():
        messages.success(request, said)
        return redirect("library:list")
    if request.htmx:
        return _shown(request, model, said=said)
    messages.success(request, said)
    return redirect("sharing:index", model.pk)
