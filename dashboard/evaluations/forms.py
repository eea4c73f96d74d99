"""What a new evaluation asks."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.evaluations.starting import Plan, learnt_by, usual_tokens
from dashboard.library.models import TunedModel

USUAL, MOST = 100, 1_000
"""Examples that are asked."""
MOST_TOKENS = 8_192


class VersionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Versions by the names of their datasets, and which of them the model was tuned on."""

    learnt: set[str]

    def label_from_instance(self, obj: DatasetVersion) -> str:
        said = _now("%(name)s, %(count)s examples") % {"name": obj, "count": f"{obj.examples:,}"}
        return _now("%s (it was tuned on these)") % said if obj.sha256 in self.learnt else said


class StartForm(forms.Form):
    """Which examples ``model`` is asked, and how many of them."""

    version = VersionChoice(
        DatasetVersion.objects.none(),
        label=_("Examples"),
        empty_label=None,
        error_messages={"invalid_choice": _("These examples are gone, or not yours to see. Choose others.")},
    )
    examples = forms.IntegerField(
        label=_("How many"),
        min_value=1,
        max_value=MOST,
        initial=USUAL,
        help_text=_("The first so many of them, 1,000 at most. All, where there are fewer."),
    )
    max_output_tokens = forms.IntegerField(
        label=_("Most tokens an answer"),
        min_value=1,
        max_value=MOST_TOKENS,
        required=False,
        help_text=_("Empty: as many as the longest expected output has characters, 32 to 1,024."),
    )
    with_base = forms.BooleanField(
        label=_("Ask its base model as well"),
        required=False,
        help_text=_("A second evaluation of the same examples: what tuning has changed."),
    )

    def __init__(self, user: User, model: TunedModel, data: Any = None, *, wanted: str = "") -> None:
        super().__init__(data, initial={"version": wanted or _first_choice(user, model)})
        readable = DatasetVersion.objects.filter(dataset__in=Dataset.objects.visible_to(user).order_by())
        field = self.fields["version"]
        field.queryset = readable.select_related("dataset").order_by("dataset__name", "dataset", "-number")  # type: ignore[attr-defined]
        field.learnt = learnt_by(model)  # type: ignore[attr-defined]

    def plan(self) -> Plan:
        """Of a valid form."""
        said = self.cleaned_data
        return Plan(
            version=said["version"],
            examples=said["examples"],
            max_output_tokens=said["max_output_tokens"] or usual_tokens(said["version"]),
            with_base=said["with_base"],
        )


def _first_choice(user: User, model: TunedModel) -> int | None:
    """The examples that its job held out in a dataset of their own; else those that it was tuned on."""
    job = model.job
    apart = job.validation_version if job else None
    candidates = [version for version in (apart, model.dataset_version) if version]
    mine = set(Dataset.objects.visible_to(user).filter(versions__in=candidates).values_list("pk", flat=True))
    return next((version.pk for version in candidates if version.dataset_id in mine), None)
