"""What is done to many models at once: each is judged for itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.jobs.tags import NAME_LENGTH, Tag
from dashboard.library.models import Role, TunedModel
from dashboard.listing.fields import RowsField

MOST = 500
"""Models at once."""


class Action(TextChoices):
    STAR = "star"
    UNSTAR = "unstar"
    TAG = "tag"
    UNTAG = "untag"
    COMPARE = "compare"


class BulkForm(forms.Form):
    """Which models, and what is to be done to them. Those that the person may not see are none of them."""

    action = forms.ChoiceField(choices=Action.choices)
    model = RowsField(TunedModel.objects.none())
    tag = forms.CharField(required=False, max_length=NAME_LENGTH)

    def __init__(self, user: User, data: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["model"].queryset = TunedModel.objects.visible_to(user)  # type: ignore[attr-defined]

    def clean_tag(self) -> str:
        tag: str = self.cleaned_data["tag"]
        if not tag and self.cleaned_data.get("action") in (Action.TAG, Action.UNTAG):
            raise forms.ValidationError(_("Write the tag first."))
        return tag

    def request(self) -> "BulkRequest":
        """What was asked for."""
        asked = self.cleaned_data
        return BulkRequest(Action(asked["action"]), list(asked["model"][:MOST]), asked["tag"])


@dataclass(frozen=True, slots=True)
class BulkRequest:
    action: Action
    models: Sequence[TunedModel]
    tag: str = ""

    def jobs(self) -> list[int]:
        """The keys of the jobs that the models came from."""
        return [model.job_id for model in self.models if model.job_id]

    def do(self, user: User) -> tuple[int, int]:
        """Do it. For how many it was done, and for how many ``user`` may not do it."""
        if self.action is Action.STAR:
            user.favourites.add(*self.models)
            return len(self.models), 0
        if self.action is Action.UNSTAR:
            user.favourites.remove(*self.models)
            return len(self.models), 0
        keys = [model.pk for model in self.models]
        own = list(TunedModel.objects.with_role(user, Role.WRITER).filter(pk__in=keys))
        if own:
            self._tag(own, user)
        return len(own), len(keys) - len(own)

    @transaction.atomic
    def _tag(self, models: Sequence[TunedModel], user: User) -> None:
        puts_on = self.action is Action.TAG
        change = Tag.objects.put_on_models if puts_on else Tag.objects.take_off_models
        change(models, self.tag)
        for model in models:
            audit.record(user, "model.tagged" if puts_on else "model.untagged", model, tag=self.tag)


def said(request: BulkRequest, done: int) -> str:
    """What was done, as a sentence."""
    sentence = {
        Action.STAR: ngettext("%(count)s model is a favourite.", "%(count)s models are favourites.", done),
        Action.UNSTAR: ngettext(
            "%(count)s model is no favourite any more.", "%(count)s models are no favourites any more.", done
        ),
        Action.TAG: ngettext("%(count)s model bears “%(tag)s”.", "%(count)s models bear “%(tag)s”.", done),
        Action.UNTAG: ngettext(
            "“%(tag)s” was taken off %(count)s model.", "“%(tag)s” was taken off %(count)s models.", done
        ),
    }[request.action]
    return sentence % {"count": done, "tag": request.tag}


def not_allowed(left: int) -> str:
    """For how many models it was not done, as a sentence."""
    sentence = ngettext(
        "%(count)s model stayed as it was: only its owner and writers change its tags.",
        "%(count)s models stayed as they were: only their owners and writers change their tags.",
        left,
    )
    return sentence % {"count": left}
