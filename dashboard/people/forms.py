"""What administrators type about people: whom they look for, and how much somebody may have."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.people.models import Allowance, Farewell

MOST_JOBS = 100_000
MOST_MEGABYTES = 1_000_000_000


class Which(forms.Form):
    """Whom the list of people shows. What cannot be read shows all."""

    KINDS = (
        ("", _("Everybody")),
        ("active", _("Active")),
        ("inactive", _("Inactive")),
        ("administrators", _("Administrators")),
    )

    q = forms.CharField(required=False, max_length=100)
    which = forms.ChoiceField(required=False, choices=KINDS)


class QuotaForm(forms.Form):
    """How much one person may have, where that is not what everybody may."""

    jobs = forms.IntegerField(label=_("Jobs at once"), required=False, min_value=0, max_value=MOST_JOBS)
    storage_mb = forms.IntegerField(
        label=_("Storage for datasets, in MB"), required=False, min_value=0, max_value=MOST_MEGABYTES
    )

    def __init__(self, person: User, data: Any = None) -> None:
        said = Allowance.objects.filter(person=person).first()
        super().__init__(data, initial={"jobs": said.jobs, "storage_mb": said.storage_mb} if said else {})
        self.person = person
        self.fields["jobs"].help_text = _usual(settings.JOBS_AT_ONCE)
        self.fields["storage_mb"].help_text = _usual(settings.STORAGE_LIMIT_MB)

    @transaction.atomic
    def save(self) -> None:
        """Keep what was said; where nothing is, everybody's limits are this person's."""
        said = self.cleaned_data
        if said["jobs"] is None and said["storage_mb"] is None:
            Allowance.objects.filter(person=self.person).delete()
        else:
            Allowance.objects.update_or_create(person=self.person, defaults=said)


def _usual(limit: int) -> str:
    if limit:
        return gettext("Empty: as everybody, %(limit)s. 0: no limit.") % {"limit": f"{limit:,}"}
    return gettext("Empty: as everybody, no limit. 0: no limit.")


class LeavingForm(forms.Form):
    """Who takes over, and what is removed instead. A valid form has found the ``heir``."""

    heir_email = forms.EmailField(label=_("Goes to, by e-mail"), max_length=254)

    heir: User

    def __init__(self, person: User, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.person = person
        choices = (("hand", _("hand over")), ("remove", _("remove")))
        for kind in Farewell.Kind:
            self.fields[kind.value] = forms.ChoiceField(
                label=kind.label, choices=choices, initial="hand", widget=forms.RadioSelect
            )

    def clean_heir_email(self) -> str:
        email: str = self.cleaned_data["heir_email"]
        heir = User.objects.filter(email=email, is_active=True).exclude(pk=self.person.pk).first()
        if heir is None:
            raise forms.ValidationError(gettext("Nobody else who is active here signs in with this e-mail."))
        self.heir = heir
        return email

    @property
    def kinds(self) -> list[forms.BoundField]:
        """The fields that say what becomes of each kind."""
        return [self[kind.value] for kind in Farewell.Kind]

    def removes(self) -> list[str]:
        """Of :class:`Farewell.Kind`: what is removed. For a valid form."""
        return [kind.value for kind in Farewell.Kind if self.cleaned_data[kind.value] == "remove"]
