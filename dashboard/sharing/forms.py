"""With whom a model is to be shared, and as what."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.library.models import TunedModel
from dashboard.messages.sharing import ROLES
from dashboard.sharing.giving import Whom
from dashboard.teams.models import Team
from tuning.providers import Role

PERSON, EVERYONE = "person", "everyone"
GIVEN = (Role.READER, Role.WRITER)
"""Roles that are shared; the owner's is handed over."""
SUGGESTED = 100
TEAMS_OFFERED = 500


class RoleField(forms.TypedChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        choices = [(str(role.value), ROLES[role][0]) for role in GIVEN]
        super().__init__(choices=choices, coerce=lambda value: Role(int(value)), **kwargs)


class ShareForm(forms.Form):
    """Whom to give which role."""

    who = forms.ChoiceField(label=_("With"), initial=PERSON)
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off", "list": "colleagues"}),
    )
    role = RoleField(label=_("As"), initial=str(Role.READER.value))

    def __init__(self, model: TunedModel, user: User, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.model = model
        self.teams = {f"team:{team.pk}": team for team in Team.objects.visible_to(user)[:TEAMS_OFFERED]}
        teams = [(key, _("Team %(name)s") % {"name": team}) for key, team in self.teams.items()]
        self.fields["who"].choices = [(PERSON, _("A person, by e-mail")), *teams, (EVERYONE, _("Everyone here"))]  # type: ignore[attr-defined]
        mates = User.objects.filter(is_active=True, teams__in=list(self.teams.values())).exclude(pk=user.pk)
        self.colleagues = mates.order_by("email").distinct().values_list("email", flat=True)[:SUGGESTED]

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        if asked.get("who") == EVERYONE and asked.get("role") is not Role.READER:
            self.add_error("role", _("Everyone can be a reader and no more: share it with a team instead."))
        if asked.get("who") == PERSON and "email" in asked and not asked["email"]:
            self.add_error("email", _("Write the person’s e-mail address."))
        return asked

    def whom(self) -> Whom:
        """Who was asked for."""
        who, address = self.cleaned_data["who"], self.cleaned_data["email"].lower()
        if who == EVERYONE:
            return Whom()
        if who != PERSON:
            return Whom(team=self.teams[who])
        person = User.objects.filter(email=address).first()
        return Whom(person=person) if person else Whom(address=address)


class RoleForm(forms.Form):
    """Another role for somebody who has one."""

    role = RoleField()
