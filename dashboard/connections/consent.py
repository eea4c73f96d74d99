"""People connect their accounts: to the provider and back, and taking it back."""

from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dashboard import audit
from dashboard.connections import tokens
from dashboard.connections.clients import client_of
from dashboard.connections.models import Connection
from dashboard.http import Request
from dashboard.messages import explain
from dashboard.openid.errors import ConsentError
from dashboard.openid.flow import begin, finish
from tuning.providers import scopes

PURPOSE = "connect"
ROUNDS = 8
"""That may be under way in a session, each for a connection."""


@require_safe
@login_required
@never_cache
def connect(request: Request, pk: int) -> HttpResponse:
    """On to the provider, which asks whether we may act in the person's name."""
    connection = _wanting(request, pk)
    account = connection.account_of(request.user)
    address = begin(
        request,
        client_of(connection),
        purpose=PURPOSE,
        scopes=("openid", "email", *scopes(connection.kind)),
        redirect_uri=way_back(),
        keeps={"connection": connection.pk, "person": request.user.pk},
        offline=True,
        login_hint=account.email if account else "",
    )
    state = parse_qs(urlsplit(address).query)["state"][0]
    rounds = request.session.get(PURPOSE, [])[1 - ROUNDS :]
    request.session[PURPOSE] = [*rounds, [state, connection.pk]]
    return redirect(address)


@require_safe
@never_cache
def back(request: Request) -> HttpResponse:
    """Back from the provider: the account is connected, or what is missing is said, with a way to grant it."""
    if not request.user.is_authenticated:  # no way back here after it: the code is in the address
        return redirect_to_login(reverse("connections:list"))
    state, rounds = request.GET.get("state", ""), request.session.get(PURPOSE, [])
    request.session[PURPOSE] = [each for each in rounds if each[0] != state]
    if (pk := dict(rounds).get(state)) is None:
        over = explain(ConsentError("consent_stale"))
        messages.error(request, f"{over.title}. {over.advice}")
        return redirect("connections:list")
    connection = _wanting(request, pk)
    try:
        granted = finish(request, client_of(connection), purpose=PURPOSE, redirect_uri=way_back())
        if granted.keeps["person"] != request.user.pk:
            raise ConsentError("consent_stale")
    except ConsentError as error:
        context = {"connection": connection, "message": explain(error), "detail": error.detail, "code": error.code}
        return TemplateResponse(request, "connections/refused.html", context, status=400)
    before = connection.account_of(request.user)
    with transaction.atomic():
        account = tokens.keep(connection, request.user, granted)
        audit.record(request, "account.connected", connection, account=account.email)
    messages.success(request, _("%(account)s is connected.") % {"account": account.email or _("Your account")})
    if before and before.subject != account.subject:
        other = _("Before, it was %(account)s: what belongs to that account there may not be found any more.")
        messages.warning(request, other % {"account": before.email})
    if not account.refresh_token:
        messages.warning(request, _("It was not allowed for long: you will be asked again when it ends."))
    return redirect(connection)


@require_POST
@login_required
def disconnect(request: Request, pk: int) -> HttpResponse:
    """Has the provider take back what the person allowed, and forgets it."""
    connection = get_object_or_404(Connection, pk=pk, accounts__person=request.user)
    account = connection.account_of(request.user)
    if account and tokens.forget(account, request):
        messages.success(request, _("%(account)s is disconnected.") % {"account": account.email})
    else:
        said = _("It is forgotten here. Google did not confirm that it took it back: look at %(page)s.")
        messages.warning(request, said % {"page": "myaccount.google.com/connections"})
    return redirect(connection if connection.may_be_used_by(request.user) else "connections:list")


def _wanting(request: Request, pk: int) -> Connection:
    """A connection that the person may use by an account of theirs. Raises ``Http404``."""
    connection = get_object_or_404(Connection.objects.usable_by(request.user), pk=pk)
    if not connection.wants_account:
        raise Http404
    return connection


def way_back() -> str:
    """As it is registered at the provider, which compares it letter by letter."""
    return settings.SITE_URL.rstrip("/") + reverse("connections:back")
