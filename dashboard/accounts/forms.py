"""What people type about themselves."""

from collections.abc import Iterator
from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import BaseUserCreationForm, PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dashboard.accounts import tasks, tries
from dashboard.accounts.models import User

PASSWORD_ADVICE = _("At least 10 characters. Not a common one, not digits alone, not like your name or e-mail.")


class ChangePasswordForm(PasswordChangeForm):
    """Old password, new password twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _advise(self.fields["new_password1"], self.fields["new_password2"])


class ChoosePasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not generic when run
    """New password twice, for who came by a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _advise(self.fields["new_password1"], self.fields["new_password2"])


class WelcomeForm(BaseUserCreationForm[User]):
    """The first person: name, e-mail, password twice."""

    class Meta:
        model = User
        fields = ("name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].widget.attrs |= {"autocomplete": "name", "autofocus": True}
        self.fields["email"].widget.attrs = {"autocomplete": "username"}
        _advise(self.fields["password1"], self.fields["password2"])


class SignInForm(forms.Form):
    """E-mail and password. A valid form has found its ``user``."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput({"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    user: User

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request
        self.refused = False

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            self._find_user(**self.cleaned_data)
        return self.cleaned_data

    def _find_user(self, email: str, password: str) -> None:
        try:
            tries.begin(self.request, email)
        except tries.TooManyTries as refusal:
            self.refused = True
            tries.note_once(self.request, email, refusal)
            raise forms.ValidationError(explain(refusal), code="too_many_tries") from None
        user = authenticate(self.request, username=email, password=password)
        if not isinstance(user, User):
            tries.note(self.request, "person.sign_in_failed", email)
            # The same words whether or not the person exists.
            return self.add_error("password", _("This e-mail and this password do not belong together."))
        tries.forgive(email)
        self.user = user
        return None


class NameForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].widget.attrs["autocomplete"] = "name"


class ResetForm(PasswordResetForm):
    """Asks for a link to choose a new password; the answer is the same whether or not the person exists."""

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request
        self.fields["email"].label = _("E-mail")
        self.fields["email"].widget.attrs |= {"autocomplete": "username", "autofocus": True}

    def get_users(self, email: str) -> Iterator[User]:
        """Also who came with a library, and has no way in yet; whoever comes by a provider needs no password."""
        for person in User.objects.filter(email=email, is_active=True):
            if person.has_usable_password() or not person.identities.exists():
                yield person

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        try:
            tries.begin(self.request, email, "reset")
        except tries.TooManyTries as refusal:
            tries.note_once(self.request, email, refusal)
            raise forms.ValidationError(explain(refusal), code="too_many_tries") from None
        tries.note(self.request, "person.password_forgotten", email)
        return email

    def send_mail(  # noqa: PLR0917 - Django's signature
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        """Leave the mail to the worker: how long an answer takes must not tell whether the person exists."""
        subject = render_to_string(subject_template_name, context).strip()
        tasks.post.enqueue(subject, render_to_string(email_template_name, context), to_email)


def explain(refusal: tries.TooManyTries) -> str:
    """The sentence for a try that came too soon, with the wait in whole minutes."""
    minutes = ceil(refusal.wait.total_seconds() / 60)
    return ngettext(
        "Too many tries. The next is possible in %(minutes)d minute.",
        "Too many tries. The next is possible in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def _advise(password: forms.Field, again: forms.Field) -> None:
    """One sentence in place of Django's list of rules, which is long on a phone."""
    password.help_text = PASSWORD_ADVICE
    again.label, again.help_text = _("The same again"), ""
