"""What is typed in the teams room: a team's name, and who is to be in it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.teams.models import Team


class TeamForm(forms.ModelForm[Team]):
    """A team's name, which no other has in any letter case."""

    class Meta:
        model = Team
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs |= {"autocomplete": "off", "autofocus": True}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError(gettext("A character of this name cannot be shown. Type it anew."))
        if Team.objects.exclude(pk=self.instance.pk).filter(name__iexact=name).exists():
            raise ValidationError(gettext("There is a team of that name already. Choose another name."))
        return name


class NewMemberForm(forms.Form):
    """Somebody who has an account here, by e-mail. A valid form has found the ``person``."""

    email = forms.EmailField(
        label=_("E-mail of somebody who has an account here"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )

    person: User

    def __init__(self, team: Team, data: Any = None) -> None:
        super().__init__(data)
        self.team = team

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        person = User.objects.filter(email=email, is_active=True).first()
        if person is None:
            raise ValidationError(gettext("Nobody here signs in with this e-mail. Invite them by a link."))
        if self.team.members.filter(pk=person.pk).exists():
            raise ValidationError(gettext("%(person)s is in the team already.") % {"person": person})
        self.person = person
        return email
