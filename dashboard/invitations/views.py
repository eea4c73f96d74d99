"""The invitations room: links that let people in, and the page that such a link leads to."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.http import Request
from dashboard.invitations.forms import InvitationForm, NewAccountForm
from dashboard.invitations.redeeming import find, issue, join, make_account
from dashboard.teams.models import Invitation


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Invitations that are still open: to the teams I manage; administrators see all."""
    _check_may_invite(request.user)
    invitations = Invitation.objects.visible_to(request.user).open().select_related("team", "made_by")
    return TemplateResponse(request, "invitations/list.html", {"invitations": invitations})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new(request: Request) -> HttpResponse:
    """For whom a new link is; then the link, shown this once."""
    _check_may_invite(request.user)
    form = InvitationForm(
        request.user, request.POST if request.method == "POST" else None, initial={"team": request.GET.get("team")}
    )
    if not form.is_valid():
        return TemplateResponse(request, "invitations/new.html", {"form": form})
    with transaction.atomic():
        invitation, link = issue(form)
        audit.record(request, "invitation.created", invitation, **_facts(invitation))
    context = {"invitation": invitation, "link": link, "mailed": bool(invitation.email and settings.EMAIL_URL)}
    return TemplateResponse(request, "invitations/made.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request: Request, pk: int) -> HttpResponse:
    """Asks whether the link is to be made useless; then the others."""
    open_ones = Invitation.objects.visible_to(request.user).open().select_related("team", "made_by")
    invitation = get_object_or_404(open_ones, pk=pk)
    if request.method == "POST":
        with transaction.atomic():
            audit.record(request, "invitation.revoked", invitation, **_facts(invitation))
            invitation.delete()
        messages.success(request, _("The invitation was revoked. Its link lets nobody in."))
        return redirect("invitations:list")
    return TemplateResponse(request, "invitations/revoke.html", {"invitation": invitation})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password1", "password2")
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody new makes their account, somebody who is in joins the team; a link no longer good says so."""
    invitation = find(token)
    if invitation is None:
        return TemplateResponse(request, "invitations/over.html", status=410)
    if isinstance(request.user, User):
        return _join(request, invitation, request.user)
    posted = request.POST if request.method == "POST" else None
    form = NewAccountForm(request, invitation, posted) if settings.LOCAL_ACCOUNTS else None
    if form and form.is_valid():
        person = _new_person(request, invitation, form)
        if person is None:
            return TemplateResponse(request, "invitations/over.html", status=410)
        return redirect(invitation.team or "datasets:list")
    refused = form is not None and form.has_error("__all__", "too_many_tries")
    context = {"form": form, "invitation": invitation}
    return TemplateResponse(request, "invitations/welcome.html", context, status=429 if refused else 200)


@transaction.atomic
def _new_person(request: HttpRequest, invitation: Invitation, form: NewAccountForm) -> User | None:
    """Who has made their account with a valid ``form``, and is in; ``None`` when somebody else was quicker."""
    person = make_account(invitation, form.save)
    if person:
        login(request, person)
        audit.record(request, "person.created", person)
        audit.record(request, "invitation.used", invitation, **_facts(invitation))
    return person


def _join(request: HttpRequest, invitation: Invitation, person: User) -> HttpResponse:
    """What the invitation means to ``person``, who is signed in; then their team."""
    if request.method == "POST" and invitation.is_for(person):
        with transaction.atomic():
            if not join(invitation, person):
                return TemplateResponse(request, "invitations/over.html", status=410)
            audit.record(request, "invitation.used", invitation, **_facts(invitation))
        return redirect(invitation.team or "teams:list")
    context = {"invitation": invitation, "is_for_me": invitation.is_for(person)}
    return TemplateResponse(request, "invitations/join.html", context)


def _check_may_invite(user: User) -> None:
    if not user.may_invite:
        raise Http404


def _facts(invitation: Invitation) -> dict[str, str]:
    return {"email": invitation.email, "team": str(invitation.team or "")}
