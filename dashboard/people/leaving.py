"""Those who leave, or are to be out for a while: what that means, said first, and how far it has come."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.http import NoContent, Request
from dashboard.people.changes import LastAdministrator, StillLeaving, activate, deactivate, see_off
from dashboard.people.counting import belongings
from dashboard.people.forms import LeavingForm
from dashboard.people.tasks import say_farewell
from dashboard.people.views import farewell_of, person_of
from tuning.errors import ServiceError
from tuning.providers import KeyIssuer


@require_POST
@login_required
def active(request: Request, pk: int) -> HttpResponse:
    """Lets somebody sign in no more, or again."""
    person = person_of(request, pk)
    try:
        if request.POST.get("active") == "yes":
            _activate(request, person)
        else:
            _deactivate(request, person)
    except (LastAdministrator, StillLeaving) as refusal:
        messages.error(request, _why(refusal) % {"person": person})
    return redirect("people:detail", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def leaving(request: Request, pk: int) -> HttpResponse:
    """What somebody would leave behind, and who is to have it: first as a preview, then begun with one press."""
    person = person_of(request, pk)
    if person == request.user:
        raise PermissionDenied(_("You cannot see yourself off: another administrator can."))
    said = request.POST if request.method == "POST" else request.GET if "heir_email" in request.GET else None
    form = LeavingForm(person, said, initial={"heir_email": request.user.email})
    if form.is_valid() and request.method == "POST":
        try:
            _see_off(request, person, form)
        except LastAdministrator as refusal:
            messages.error(request, _why(refusal) % {"person": person})
        return redirect("people:detail", pk)
    context = {"person": person, "form": form, "has": belongings(person), "keys": _keys(person)}
    if form.is_valid():
        context |= {"heir": form.heir, "removes": form.removes(), "preview": True}
    return TemplateResponse(request, "people/leaving.html", context)


@require_safe
@login_required
def progress(request: Request, pk: int) -> HttpResponse:
    """How much is left to be done for somebody who leaves; 204 while that stays the same."""
    context = farewell_of(person_of(request, pk))
    if request.GET.get("seen") == context["seen"]:
        return NoContent()
    return TemplateResponse(request, "people/_farewell.html", context)


def _activate(request: Request, person: User) -> None:
    with transaction.atomic():
        activate(person)
        audit.record(request, "person.activated", person)
    messages.success(request, _("%(person)s can sign in again.") % {"person": person})


def _deactivate(request: Request, person: User) -> None:
    with transaction.atomic():
        farewell = deactivate(person, request.user)
        audit.record(request, "person.deactivated", person)
    say_farewell.enqueue(farewell.pk)
    messages.success(request, _("%(person)s is signed out and cannot sign in.") % {"person": person})


def _see_off(request: Request, person: User, form: LeavingForm) -> None:
    with transaction.atomic():
        farewell = see_off(person, request.user, form.heir, form.removes())
        audit.record(request, "person.seen_off", person, heir=form.heir.email, removed=", ".join(form.removes()) or "–")
    say_farewell.enqueue(farewell.pk)


def _keys(person: User) -> int | None:
    """How many API keys of theirs are in use; ``None`` where a service does not say."""
    count = 0
    for connection in Connection.objects.all():
        issuer = connection.service_for(person)
        if isinstance(issuer, KeyIssuer):
            try:
                count += sum(not key.revoked for key in issuer.api_keys())
            except ServiceError:
                return None
    return count


def _why(refusal: Exception) -> str:
    if isinstance(refusal, LastAdministrator):
        return _("%(person)s is the last administrator. Make somebody else one first.")
    return _("What %(person)s leaves behind is still being handed over.")
