"""Choosing a new password: with the old one, or by a link that comes by e-mail."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import audit
from dashboard.accounts.forms import ChangePasswordForm, ChoosePasswordForm, ResetForm
from dashboard.http import Request

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def where_mail_goes(view: View[P]) -> View[P]:
    """A page that exists only where there are passwords and a mail server is set."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not (settings.EMAIL_URL and settings.LOCAL_ACCOUNTS):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@login_required
def change(request: Request) -> HttpResponse:
    """Old password, new password twice; other devices are signed out by it."""
    if not request.user.comes_by_password:
        raise Http404
    form = ChangePasswordForm(request.user, request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            update_session_auth_hash(request, form.save())
            audit.record(request, "person.password_changed", request.user)
        messages.success(request, _("Your password is changed. Other devices are signed out."))
        return redirect("accounts:account")
    return TemplateResponse(request, "accounts/change_password.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@where_mail_goes
def forgotten(request: HttpRequest) -> HttpResponse:
    """Asks for the e-mail to which a link is to go."""
    form = ResetForm(request, request.POST or None)
    if form.is_valid():
        # The address in the mail is the configured one, not what a request says in its Host header.
        form.save(
            domain_override=settings.SITE_URL,
            subject_template_name="accounts/reset_subject.txt",
            email_template_name="accounts/reset_mail.txt",
        )
        return redirect("accounts:link_sent")
    return TemplateResponse(request, "accounts/forgotten.html", {"form": form})


@require_safe
@where_mail_goes
def link_sent(request: HttpRequest) -> HttpResponse:
    """Says that a link is under way, if there is such a person."""
    return TemplateResponse(request, "accounts/link_sent.html")


class _Choose(PasswordResetConfirmView):
    form_class = ChoosePasswordForm
    template_name = "accounts/choose_password.html"
    success_url = reverse_lazy("accounts:sign_in")

    def form_valid(self, form: object) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            audit.record(self.request, "person.password_chosen", self.user)
        messages.success(self.request, _("Your password is changed. Sign in with the new one."))
        return answer


choose = where_mail_goes(never_cache(_Choose.as_view()))
