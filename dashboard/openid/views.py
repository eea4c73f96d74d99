"""The openid room: to the provider and back, and what somebody says about the account that came with them."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.http import Request, next_page
from dashboard.messages import explain
from dashboard.openid.admitting import Claimed, lets_in, link, make_person, note_use
from dashboard.openid.client import GOOGLE, is_offered, our_client
from dashboard.openid.errors import ConsentError, NotAdmitted
from dashboard.openid.flow import begin, finish
from dashboard.openid.forms import PasswordForm
from dashboard.openid.waiting import Waiting, forget, wait, waiting
from dashboard.teams.models import Invitation

logger = logging.getLogger(__name__)
P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponse]

PURPOSE = "sign-in"
PROMPT = {"consent_refused": "consent", "consent_scopes": "consent"}
"""What the provider is to ask anew, by what went wrong."""


def where_offered(view: View[P]) -> View[P]:
    """A page that exists only where a provider is set. What goes wrong with it is told there, with ways on."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_offered():
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except (ConsentError, NotAdmitted) as error:
            return _refused(request, error)

    return never_cache(checked)


@require_safe
@where_offered
def sign_in(request: HttpRequest) -> HttpResponse:
    """To the provider; who is in already goes straight on."""
    if request.user.is_authenticated:
        return redirect(next_page(request))
    return _to_provider(request, {"next": next_page(request)})


@require_safe
@login_required
@where_offered
def add(request: Request) -> HttpResponse:
    """To the provider, for an account there to be linked with mine."""
    return _to_provider(request, {"next": reverse("accounts:account"), "person": request.user.pk})


@require_safe
@where_offered
def back(request: HttpRequest) -> HttpResponse:
    """From the provider: in, or to a page that asks whether the account is theirs who has its e-mail here."""
    client = our_client()
    granted = finish(request, client, purpose=PURPOSE, redirect_uri=_back_here())
    claimed, wanted = Claimed.of(client, granted), granted.keeps["next"]
    if "person" in granted.keeps:
        if request.user.pk != granted.keeps["person"]:
            raise ConsentError("consent_stale")
        return _ask(request, claimed, User.objects.get(pk=granted.keeps["person"]), wanted)
    if identity := claimed.identity():
        return _come_in(request, identity.user, claimed, wanted)
    if user := claimed.person_of_email():
        return _ask(request, claimed, user, wanted)
    try:
        return _arrive(request, claimed, wanted)
    except IntegrityError:  # in two tabs at once: the other was quicker
        raise ConsentError("consent_stale", keeps={"next": wanted}) from None


@require_http_methods(["GET", "HEAD", "POST"])
@where_offered
@sensitive_post_parameters("password")
def confirm(request: HttpRequest) -> HttpResponse:
    """Links the account that waits: with a press by who is signed in, else by the password."""
    this = waiting(request)
    form = PasswordForm(request, this.user.email, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (not this.is_needed or form.is_valid()):
        return _link(request, this)
    context = {"this": this, "form": form, "provider": settings.OPENID_NAME}
    status = 429 if this.is_needed and form.refused else 200
    return TemplateResponse(request, "openid/confirm.html", context, status=status)


@require_POST
@login_required
def remove(request: Request, pk: int) -> HttpResponse:
    """Unlinks an account of mine elsewhere, if there is another way in for me."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=request.user.pk)  # two at once must not take the last two
        identity = get_object_or_404(request.user.identities, pk=pk)
        if identity.is_the_last_way_in:
            messages.error(request, _("It is your only way in. Link another account first, or choose a password."))
            return redirect("accounts:account")
        audit.record(request, "person.unlinked", request.user, email=identity.email, issuer=identity.issuer)
        identity.delete()
    messages.success(request, _("%(email)s is unlinked. It lets nobody in.") % {"email": identity.email})
    return redirect("accounts:account")


def _to_provider(request: HttpRequest, keeps: dict[str, Any]) -> HttpResponse:
    """Off we go. Nothing is asked twice but on request."""
    prompt, domains = request.GET.get("prompt", ""), settings.OPENID_DOMAINS
    only = domains[0] if settings.OPENID_ISSUER == GOOGLE and len(domains) == 1 else ""
    return redirect(
        begin(
            request,
            our_client(),
            purpose=PURPOSE,
            scopes=("openid", "email"),
            wishes=("profile",),
            redirect_uri=_back_here(),
            keeps=keeps,
            prompt=prompt if prompt in {"consent", "select_account"} else "",
            hd=only,  # accounts of this domain alone are then offered
        )
    )


def _back_here() -> str:
    """As the provider knows it: the address that people open, whatever this request was sent to."""
    return settings.SITE_URL.rstrip("/") + reverse("openid:back")


def _ask(request: HttpRequest, claimed: Claimed, user: User, wanted: str) -> HttpResponse:
    """To the page on which ``user`` says that it is their account."""
    if (identity := claimed.identity()) and identity.user_id != user.pk:
        raise NotAdmitted("openid_elsewhere", email=claimed.email)
    if not user.is_active:
        raise NotAdmitted("openid_inactive", email=claimed.email)
    wait(request, claimed, user, wanted)
    return redirect("openid:confirm")


def _link(request: HttpRequest, this: Waiting) -> HttpResponse:
    forget(request)
    with transaction.atomic():
        link(this.claimed, this.user)
        audit.record(this.user, "person.linked", this.user, email=this.claimed.email, issuer=this.claimed.issuer)
    if this.is_needed:
        return _come_in(request, this.user, this.claimed, this.wanted)
    messages.success(request, _("%(email)s is linked: you can sign in by it.") % {"email": this.claimed.email})
    return redirect(this.wanted)


@transaction.atomic
def _arrive(request: HttpRequest, claimed: Claimed, wanted: str) -> HttpResponse:
    """Somebody new."""
    person = make_person(claimed, wanted)
    audit.record(person, "person.created", person)
    kind, _token = lets_in(wanted)
    if invitation := Invitation.objects.filter(used_by=person).first():
        audit.record(person, "invitation.used", invitation, email=invitation.email, team=str(invitation.team or ""))
    place = (invitation and invitation.team) or "datasets:list"
    return _come_in(request, person, claimed, place if kind else wanted)


def _come_in(request: HttpRequest, user: User, claimed: Claimed, wanted: Any) -> HttpResponse:
    if not user.is_active:
        raise NotAdmitted("openid_inactive", email=claimed.email)
    with transaction.atomic():
        login(request, user)
        note_use(claimed)
        audit.record(request, "person.signed_in_by", user, provider=settings.OPENID_NAME)
    return redirect(wanted)


def _refused(request: HttpRequest, error: ConsentError | NotAdmitted) -> HttpResponse:
    """What happened, in words, and what can be done."""
    logger.info("%s: %s %s", request.path, error.code, error.detail)
    again = reverse("openid:add" if request.user.is_authenticated else "openid:sign_in")
    query = {"prompt": PROMPT.get(error.code, "")} if isinstance(error, ConsentError) else {"prompt": "select_account"}
    if isinstance(error, ConsentError) and "next" in error.keeps:
        query["next"] = error.keeps["next"]
    context = {"message": explain(error), "detail": error.detail, "again": f"{again}?{urlencode(query)}", **query}
    status = 503 if error.code == "consent_unreachable" else 403
    return TemplateResponse(request, "openid/refused.html", context, status=status)
