"""Until when a model is kept, and the rule of a clean-up."""

from dataclasses import fields
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.jobs.tags import NAME_LENGTH, Tag, folded
from dashboard.library.models import Role, TunedModel
from dashboard.listing.asked import BIGGEST_KEY, OFFERED
from dashboard.retiring.cleaning import Rule
from dashboard.retiring.models import Fate

LONGEST = timedelta(days=36_525)
MOST_DAYS = 36_525
KEY = r"[0-9a-zA-Z_-]{16,64}"


class ExpiryForm(forms.Form):
    """Until when a model is kept, and what becomes of it then."""

    expires = forms.DateField(
        label=_("Kept until"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: for as long as nobody says otherwise."),
    )
    fate = forms.ChoiceField(label=_("Afterwards"), choices=Fate.choices)

    def __init__(self, model: TunedModel, data: Any = None) -> None:
        said = timezone.localdate(model.expires) if model.expires else None
        fate = Fate.REMOVE if model.removed_on_expiry else Fate.ARCHIVE
        super().__init__(data, initial={"expires": said, "fate": fate})

    def clean_expires(self) -> datetime | None:
        """The end of that day."""
        day = self.cleaned_data["expires"]
        if day is None:
            return None
        today = timezone.localdate()
        if not today <= day <= today + LONGEST:
            raise forms.ValidationError(_now("Choose a day that is still to come."))
        return timezone.make_aware(datetime.combine(day, time.max))


def _days(label: Any, help_text: Any) -> forms.IntegerField:
    widget = forms.NumberInput({"inputmode": "numeric"})
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=1, max_value=MOST_DAYS, widget=widget
    )


class CleanupForm(forms.Form):
    """A rule, and what becomes of the models that it finds."""

    unused_days = _days(_("Not used for, in days"), _("Nobody asked it, in the playground or by a script."))
    older_days = _days(_("Older than, in days"), "")
    loss_above = forms.FloatField(
        label=_("Loss above"), required=False, widget=forms.NumberInput({"step": "any", "inputmode": "decimal"})
    )
    no_favourite = forms.BooleanField(label=_("Nobody’s favourite"), required=False)
    not_shared = forms.BooleanField(label=_("Shared with nobody"), required=False)
    tag = forms.CharField(label=_("Tag"), required=False, max_length=NAME_LENGTH, widget=forms.Select)
    owner = forms.IntegerField(
        label=_("Owner"), required=False, min_value=1, max_value=BIGGEST_KEY, widget=forms.Select
    )
    fate = forms.ChoiceField(label=_("What becomes of them"), choices=Fate.choices, initial=Fate.ARCHIVE)

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        tags = Tag.objects.filter(tuned_models__in=TunedModel.objects.with_role(user, Role.OWNER))
        names = tags.distinct().order_by("key").values_list("name", flat=True)[:OFFERED]
        self._choose("tag", [(name, name) for name in names])
        if user.is_administrator:
            people = User.objects.filter(pk__in=TunedModel.objects.present().order_by().values("owner"))
            self._choose("owner", [(one.pk, str(one)) for one in people.order_by("name", "email")[:OFFERED]])
        else:
            del self.fields["owner"]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and self.rule() == Rule():
            raise forms.ValidationError(_now("Say what they have in common: a rule without any demand finds none."))
        return said

    def rule(self) -> Rule:
        """What was asked for; of a form that was cleaned."""
        said: dict[str, Any] = {field.name: self.cleaned_data.get(field.name) for field in fields(Rule)}
        return Rule(**said | {"tag": folded(said["tag"] or "")})

    @property
    def wanted(self) -> Fate:
        """Of a valid form."""
        return Fate(self.cleaned_data["fate"])

    def said(self) -> dict[str, str]:
        """What demands something, as an address has it. Of a valid form."""
        asked = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", False)}
        return {name: "on" if value is True else str(value) for name, value in asked.items()}

    def _choose(self, name: str, choices: list[tuple[Any, str]]) -> None:
        self.fields[name].widget.choices = [("", _("any")), *choices]


class SureForm(forms.Form):
    """That what was previewed is to be done: the preview's fingerprint, and a key by which twice is once."""

    seen = forms.CharField(max_length=16)
    key = forms.RegexField(KEY)
