"""Whom a link is for, and the account that somebody makes who came by one."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts import tries
from dashboard.accounts.forms import WelcomeForm, explain
from dashboard.accounts.models import User
from dashboard.library.models import Grant
from dashboard.teams.models import Invitation, Team

MOST_OPEN = 200
"""Invitations of one person that are open at once: nobody sends mails by the thousand."""
DAYS = (1, 7, 30)


class InvitationForm(forms.ModelForm[Invitation]):
    """For whom, into which team, for how long. Those who are no administrators invite to the teams they manage."""

    days = forms.TypedChoiceField(label=_("Good for"), coerce=int, initial=7)

    class Meta:
        model = Invitation
        fields = ("email", "team", "makes_administrator")
        labels = {"team": _("Team"), "makes_administrator": _("Makes them an administrator")}

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["email"].help_text = _("Only this address can use the link. Empty: whoever has the link can, once.")
        self.fields["email"].widget.attrs |= {"autocomplete": "off"}
        teams = self.fields["team"]
        teams.queryset = Team.objects.managed_by(user)  # type: ignore[attr-defined]
        teams.empty_label = _("No team")  # type: ignore[attr-defined]
        one_day, days = gettext("1 day"), gettext("%(count)s days")
        choices = [(count, one_day if count == 1 else days % {"count": count}) for count in DAYS]
        self.fields["days"].choices = choices  # type: ignore[attr-defined]
        if not user.is_administrator:
            del self.fields["makes_administrator"]
            teams.required = True
            teams.empty_label = None  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if Invitation.objects.open().filter(made_by=self.user).count() >= MOST_OPEN:
            raise ValidationError(gettext("You have so many open invitations that you get no more. Revoke some first."))
        return super().clean() or {}

    def made(self, digest: str) -> Invitation:
        """The invitation that was described, kept with the ``digest`` of its token. For a valid form."""
        self.instance.made_by, self.instance.digest = self.user, digest
        self.instance.expires = timezone.now() + timedelta(days=self.cleaned_data["days"])
        return self.save()


class NewAccountForm(WelcomeForm):
    """Name, e-mail and password twice, of somebody who was invited. An invitation for an e-mail fixes that."""

    def __init__(self, request: HttpRequest, invitation: Invitation, data: Any = None) -> None:
        super().__init__(data)
        self.request = request
        self.is_named = bool(invitation.email)
        if self.is_named:
            del self.fields["email"]
            self.instance.email = invitation.email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        email = cleaned.get("email") or self.instance.email
        try:
            tries.begin(self.request, email, "invitation")
        except tries.TooManyTries as refusal:
            raise ValidationError(explain(refusal), code="too_many_tries") from None
        if not self.is_named and Grant.objects.filter(address=email, is_group=False).exists():
            # Whoever claims an address has what is shared with it: that takes an invitation that its owner got.
            raise ValidationError(gettext("Models are shared with this e-mail: ask for an invitation made for it."))
        if User.objects.filter(email=email).exists():
            raise ValidationError(gettext("There is an account with this e-mail already. Sign in with it instead."))
        return cleaned

    def validate_unique(self) -> None:
        """Looked at in :meth:`clean`, with a sentence that says what to do."""
