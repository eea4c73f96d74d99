"""The connections room: the services people can use, set up by administrators."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.connections import removing
from dashboard.connections.consent import way_back
from dashboard.connections.forms import ConnectionForm
from dashboard.connections.models import Connection
from dashboard.connections.service_accounts import email_of
from dashboard.connections.testing import checks
from dashboard.http import Request
from dashboard.messages import explain_check
from tuning.providers import PROVIDERS

OTHERS_ALLOWED_THAT = {"kind", "base_url", "proof", "oauth_client"}
"""What people were asked for: where that changes, they are asked again."""


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """The connections I may use, and which of them wait for my account."""
    rows = Connection.objects.usable_by(request.user)
    accounts = {account.connection_id: account for account in request.user.service_accounts.all()}
    context = {"rows": [(row, accounts.get(row.pk)) for row in rows]}
    return TemplateResponse(request, "connections/list.html", context)


@require_safe
@login_required
def choose_kind(request: Request) -> HttpResponse:
    """What kind the new connection is to be of."""
    _administrators_only(request)
    return TemplateResponse(request, "connections/kinds.html", {"kinds": _kinds()})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@sensitive_post_parameters("secret")
def new(request: Request, kind: str) -> HttpResponse:
    """A new connection, with what its kind has; then its page, to be tested."""
    _administrators_only(request)
    if kind not in dict(_kinds()):
        raise Http404
    connection = Connection(kind=kind)
    form = _form(request, connection)
    if form.is_valid():
        with transaction.atomic():
            form.save()
            audit.record(request, "connection.created", connection)
        messages.success(request, _("“%(name)s” is set up. Test it before others use it.") % {"name": connection})
        return redirect(connection)
    return TemplateResponse(request, "connections/form.html", _asked(form))


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One connection: my account there, and for administrators, what it is made of."""
    return _page(request, _usable(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@sensitive_post_parameters("secret")
def edit(request: Request, pk: int) -> HttpResponse:
    """A connection, to be changed. Where that leads elsewhere, what people allowed there is taken back."""
    _administrators_only(request)
    connection = _usable(request, pk)
    form = _form(request, connection)
    if form.is_valid():
        if OTHERS_ALLOWED_THAT & set(form.about_to_change()):
            removing.disconnect_all(connection, request)
        with transaction.atomic():
            if changed := form.save():
                audit.record(request, "connection.changed", connection, fields=", ".join(changed))
        messages.success(request, _("“%(name)s” is saved.") % {"name": connection})
        return redirect(connection)
    return TemplateResponse(request, "connections/form.html", _asked(form))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: Request, pk: int) -> HttpResponse:
    """Asks whether a connection may go, and says what goes with it; then the list."""
    _administrators_only(request)
    connection = get_object_or_404(Connection.objects.usable_by(request.user).filter(built_in=False), pk=pk)
    if request.method == "POST":
        if removing.remove(connection, request):
            messages.success(request, _("“%(name)s” was removed.") % {"name": connection})
        else:
            said = _("“%(name)s” is closed. What is known of it here is being forgotten, which takes a few minutes.")
            messages.success(request, said % {"name": connection})
        return redirect("connections:list")
    context = {
        "connection": connection,
        "jobs": connection.jobs.count(),
        "unfinished": connection.jobs.unfinished().count(),
        "models": connection.tuned_models.count(),
        "accounts": connection.accounts.count(),
    }
    return TemplateResponse(request, "connections/remove.html", context)


@require_POST
@login_required
def test(request: Request, pk: int) -> HttpResponse:
    """What a job there would need, looked at line by line."""
    _administrators_only(request)
    connection = _usable(request, pk)
    found = checks(connection, request.user)
    audit.record(request, "connection.tested", connection, missing=sum(not check.ok for check in found))
    context = {"checks": [(check, explain_check(check)) for check in found], "connection": connection}
    if request.htmx:
        return TemplateResponse(request, "connections/_checks.html", context)
    return _page(request, connection, context)


def _page(request: Request, connection: Connection, more: dict[str, Any] | None = None) -> HttpResponse:
    context = {
        "connection": connection,
        "account": connection.account_of(request.user),
        "connected": connection.accounts.count(),
        "service_account": email_of(connection) if request.user.is_administrator else "",
    }
    return TemplateResponse(request, "connections/detail.html", context | (more or {}))


def _asked(form: ConnectionForm) -> dict[str, Any]:
    return {"form": form, "connection": form.connection, "way_back": way_back()}


def _usable(request: Request, pk: int) -> Connection:
    return get_object_or_404(Connection.objects.usable_by(request.user), pk=pk)


def _form(request: Request, connection: Connection) -> ConnectionForm:
    if request.method == "POST":
        return ConnectionForm(connection, request.POST, request.FILES)
    return ConnectionForm(connection)


def _kinds() -> list[tuple[str, Any]]:
    """Those that there is a provider for."""
    return [(value, label) for value, label in Connection.Kind.choices if value in PROVIDERS]


def _administrators_only(request: Request) -> None:
    """Raises ``Http404`` for everybody else."""
    if not request.user.is_administrator:
        raise Http404
