"""Coming in, going out, and one's own account."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import audit
from dashboard.accounts.forms import NameForm, SignInForm, WelcomeForm
from dashboard.accounts.models import User, WelcomeLink
from dashboard.accounts.welcome import find_link, redeem
from dashboard.http import Request, next_page
from dashboard.people import quotas


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password1", "password2")
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The first person gives name, e-mail and password, and is in; a link no longer good says what to do."""
    link = find_link(token)
    form = WelcomeForm(request.POST or None) if settings.LOCAL_ACCOUNTS else None
    if link and form and form.is_valid() and _welcomed(request, link, form):
        return redirect("datasets:list")
    if link is None or (form and form.is_valid()):
        context = {"somebody": User.objects.exists()}
        return TemplateResponse(request, "accounts/welcome_over.html", context, status=410)
    return TemplateResponse(request, "accounts/welcome.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """A form for e-mail and password; who is in already goes straight on."""
    if request.user.is_authenticated:
        return redirect(next_page(request))
    form = SignInForm(request, request.POST or None) if settings.LOCAL_ACCOUNTS else None
    if form and form.is_valid():
        with transaction.atomic():
            login(request, form.user)
            audit.record(request, "person.signed_in", form.user)
        return redirect(next_page(request))
    context = {
        "form": form,
        "next": next_page(request),
        "nobody": not User.objects.exists(),
        "mail": settings.EMAIL_URL and settings.LOCAL_ACCOUNTS,
    }
    return TemplateResponse(request, "accounts/sign_in.html", context, status=429 if form and form.refused else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends this session, and back to sign-in."""
    if isinstance(request.user, User):
        audit.record(request, "person.signed_out", request.user)
    logout(request)
    return redirect("accounts:sign_in")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def account(request: Request) -> HttpResponse:
    """One's name and e-mail, and the ways out."""
    # A copy, so that the rail does not show a name that was refused.
    form = NameForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    if form.is_valid():
        with transaction.atomic():
            audit.record(request, "person.renamed", form.save())
        messages.success(request, _("Your name is saved."))
        return redirect("accounts:account")
    context = {"form": form, "jobs": quotas.jobs_of(request.user), "storage": quotas.storage_of(request.user)}
    return TemplateResponse(request, "accounts/account.html", context)


@require_POST
@login_required
def sign_out_everywhere(request: Request) -> HttpResponse:
    """Ends every session of this person, on every device."""
    with transaction.atomic():
        request.user.end_sessions()
        audit.record(request, "person.signed_out_everywhere", request.user)
    logout(request)
    messages.success(request, _("You are signed out on every device."))
    return redirect("accounts:sign_in")


@transaction.atomic
def _welcomed(request: HttpRequest, link: WelcomeLink, form: WelcomeForm) -> bool:
    """Whether the first person was made, and is signed in."""
    if user := redeem(link, form.save):
        login(request, user)
        audit.record(request, "person.created", user)
    return user is not None
