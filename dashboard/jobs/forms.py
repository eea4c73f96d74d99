"""The form that starts a job."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.models import Job
from dashboard.messages import explain
from tuning.errors import ServiceError
from tuning.jobs import total_steps
from tuning.providers import BaseModel

MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A base model at a connection: what the one select of the form chooses."""

    connection: Connection
    base_model: str
    label: str

    @property
    def value(self) -> str:
        return f"{self.connection.pk}:{self.base_model}"


class DatasetChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A dataset, shown with how many examples it holds."""

    def label_from_instance(self, dataset: Dataset) -> str:
        return _("%(name)s, %(count)s examples") % {"name": dataset.name, "count": f"{dataset.latest.examples:,}"}


class NewJob(forms.Form):
    """Dataset, base model and hyperparameters, with the defaults of Google's tuning guide."""

    dataset = DatasetChoice(
        Dataset.objects.none(), label=_("Dataset"), empty_label=None, help_text=_("Its newest version is used.")
    )
    target = forms.ChoiceField(
        label=_("Base model"), help_text=_("What you start from. A small model tunes in seconds and answers at once.")
    )
    display_name = forms.CharField(label=_("Name"), max_length=40, strip=True)
    epoch_count = forms.IntegerField(
        label=_("Epochs"),
        initial=5,
        min_value=1,
        max_value=1000,
        help_text=_("How often each example is read. Stop just before the loss goes flat: more only learns by heart."),
    )
    batch_size = forms.IntegerField(
        label=_("Batch size"),
        initial=4,
        min_value=1,
        max_value=1024,
        help_text=_("Examples a step learns from. Smaller follows rare examples, larger is steadier."),
    )
    learning_rate = forms.FloatField(
        label=_("Learning rate"),
        initial=0.001,
        min_value=1e-7,
        max_value=1,
        help_text=_("How far each step goes. 0.001 suits most; try 0.0002 when the loss jumps."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.unreachable: list[str] = []
        self.targets = {target.value: target for target in self._targets()}
        self.fields["dataset"].queryset = Dataset.objects.visible_to(user).with_versions()  # type: ignore[attr-defined]
        self.fields["target"].choices = self._grouped()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"dataset", "epoch_count", "batch_size"} <= cleaned.keys():
            self._check_size(cleaned["dataset"].latest, cleaned["epoch_count"], cleaned["batch_size"])
        return cleaned

    def job(self) -> Job:
        """The job that was described, saved but not yet sent."""
        asked = self.cleaned_data
        version = asked["dataset"].latest
        target = self.targets[asked["target"]]
        return Job.objects.create(
            owner=self.user,
            connection=target.connection,
            base_model=target.base_model,
            dataset_version=version,
            display_name=asked["display_name"],
            epoch_count=asked["epoch_count"],
            batch_size=asked["batch_size"],
            learning_rate=asked["learning_rate"],
            total_steps=total_steps(version.examples, asked["epoch_count"], asked["batch_size"]),
        )

    def _check_size(self, version: DatasetVersion, epochs: int, batch: int) -> None:
        if batch > version.examples:
            self.add_error(
                "batch_size",
                _("The dataset has %(count)s examples: choose that or less.") % {"count": version.examples},
            )
        elif (steps := total_steps(version.examples, epochs, batch)) > MOST_STEPS:
            self.add_error(
                "epoch_count", _("That makes %(steps)s steps; at most 1,000,000 can be run.") % {"steps": f"{steps:,}"}
            )

    def _targets(self) -> list[Target]:
        found = []
        for connection in Connection.objects.usable_by(self.user):
            try:
                models = connection.open_for(self.user).base_models()
            except ServiceError as error:
                message = explain(error)
                self.unreachable.append(f"{connection}: {message.title}. {message.advice}")
                continue
            found += [_target(connection, model) for model in models if model.tunable]
        return found

    def _grouped(self) -> list[tuple[str, list[tuple[str, str]]]]:
        groups: dict[str, list[tuple[str, str]]] = {}
        for target in self.targets.values():
            groups.setdefault(str(target.connection), []).append((target.value, target.label))
        return list(groups.items())


def _target(connection: Connection, model: BaseModel) -> Target:
    label = _("%(model)s, on %(connection)s") % {"model": model.display_name, "connection": connection}
    return Target(connection, model.name, label)
