"""One's API keys, kept by this machine's tuning server: here they are shown, made and revoked."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard import audit
from dashboard.connections.models import Connection
from dashboard.http import Request
from dashboard.keys.forms import NewKeyForm
from dashboard.keys.using import thing
from dashboard.messages import explain
from tuning.errors import FailedPrecondition, InvalidRequest
from tuning.providers import ApiKey, KeyIssuer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def index(request: Request) -> HttpResponse:
    """My keys and the form of a new one; a key just made is shown whole, this once."""
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    connection = Connection.objects.local()
    issuer = _issuer(request, connection)
    created = _create(issuer, form) if form.is_valid() else None
    if created:
        audit.record(request, "key.created", thing(created))
    context = {
        "created": created,
        "form": NewKeyForm() if created else form,
        "keys": issuer.api_keys(),
        "address": connection.address,
    }
    return TemplateResponse(request, "keys/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request: Request, key_id: str) -> HttpResponse:
    """Asks whether the key may go; then makes it useless and shows the others."""
    issuer = _issuer(request, Connection.objects.local())
    key = next((key for key in issuer.api_keys() if key.id == key_id and not key.revoked), None)
    if key is None:
        raise Http404
    if request.method != "POST":
        return TemplateResponse(request, "keys/revoke.html", {"key": key})
    issuer.revoke_api_key(key.id)
    audit.record(request, "key.revoked", thing(key))
    messages.success(request, _("“%(name)s” was revoked. It opens nothing any more.") % {"name": key.name})
    return redirect("keys:list")


def _issuer(request: Request, connection: Connection) -> KeyIssuer:
    """The service that keeps the keys. Raises ``Http404`` where it has none."""
    provider = connection.open_for(request.user)
    if not isinstance(provider, KeyIssuer):
        raise Http404
    return provider


def _create(issuer: KeyIssuer, form: NewKeyForm) -> ApiKey | None:
    """The new key. ``None`` when the service refused: the form then says why."""
    try:
        return issuer.create_api_key(form.cleaned_data["name"])
    except (FailedPrecondition, InvalidRequest) as error:
        message = explain(error)
        form.add_error("name", f"{message.title}. {message.advice}")
        return None
