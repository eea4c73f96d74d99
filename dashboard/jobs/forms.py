"""The form that starts a job."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import DatasetChoice, RecipeForm
from dashboard.messages import explain
from tuning.errors import ServiceError
from tuning.jobs import total_steps
from tuning.providers import BaseModel
from tuning.recipes import assumed


@dataclass(frozen=True, slots=True)
class Target:
    """A base model at a connection: what the one select of the form chooses."""

    connection: Connection
    base_model: str
    label: str

    @property
    def value(self) -> str:
        return f"{self.connection.pk}:{self.base_model}"


class NewJob(RecipeForm):
    """Dataset, base model and hyperparameters."""

    dataset = DatasetChoice(
        Dataset.objects.none(), label=_("Dataset"), empty_label=None, help_text=_("Its newest version is used.")
    )
    target = forms.ChoiceField(
        label=_("Base model"), help_text=_("What you start from. A small model tunes in seconds and answers at once.")
    )
    display_name = forms.CharField(label=_("Name"), max_length=40, strip=True)
    field_order = ("dataset", "target", "display_name")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.unreachable: list[str] = []
        self.targets = {target.value: target for target in self._targets()}
        for name in ("dataset", "validation_dataset"):
            self.fields[name].queryset = Dataset.objects.visible_to(user).with_versions()  # type: ignore[attr-defined]
        self.fields["target"].choices = self._grouped()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.is_described("dataset"):
            self.check_against(cleaned["dataset"].latest.examples)
        return cleaned

    def assumptions(self) -> dict[int, dict[str, float]]:
        """What is assumed for each dataset one can choose, by the names of the fields."""
        return {
            dataset.pk: {name: getattr(assumed(dataset.latest.examples), name) for name in self.FIRST}
            for dataset in self.fields["dataset"].queryset  # type: ignore[attr-defined]
        }

    def job(self) -> Job:
        """The job that was described, saved but not yet sent."""
        asked = self.cleaned_data
        version, apart = asked["dataset"].latest, asked["validation_dataset"]
        target = self.targets[asked["target"]]
        job = Job(
            owner=self.user,
            connection=target.connection,
            base_model=target.base_model,
            dataset_version=version,
            validation_version=apart.latest if apart else None,
            display_name=asked["display_name"],
        )
        job.recipe = self.recipe()
        job.total_steps = total_steps(job.learnt_from, job.epoch_count, job.batch_size)
        job.save()
        return job

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
