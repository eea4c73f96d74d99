"""The form that starts a job."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.connections.tokens import needed
from dashboard.connections.unreachable import explain_by_name
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.estimates import Estimate, estimate
from dashboard.jobs.hints import Draft, hints
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import DatasetChoice, RecipeForm
from dashboard.listing.fields import is_key
from dashboard.messages import Message
from tuning.errors import ServiceError
from tuning.jobs import total_steps
from tuning.providers import BaseModel, ignores
from tuning.recipes import Recipe, assumed


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
    """Dataset, base model and hyperparameters.

    ``further`` names a job whose tuned model is gone on from: it fixes the base model, rank and alpha, for which the
    form then has no fields. ``again`` names one whose settings the form began with. ``key`` is the form's own, so that
    what is sent twice is one job.
    """

    dataset = DatasetChoice(Dataset.objects.none(), label=_("Dataset"), empty_label=None)
    version = forms.ChoiceField(
        label=_("Version"),
        required=False,
        initial="",
        error_messages={"invalid_choice": _("That version is of another dataset. Choose one of these.")},
    )
    target = forms.ChoiceField(
        label=_("Base model"),
        help_text=_("What you start from. A small model tunes in seconds and answers at once."),
        error_messages={
            "invalid_choice": _("The model that was chosen is not offered at the moment. Choose another, or try again.")
        },
    )
    display_name = forms.CharField(label=_("Name"), max_length=40, strip=True)
    again = forms.CharField(required=False, widget=forms.HiddenInput)
    further = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput, initial=secrets.token_hex)
    field_order = ("dataset", "version", "target", "display_name")

    FIXED_BY_SOURCE = ("target", "rank", "alpha")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.unreachable: list[Message] = []
        self.without: list[Connection] = []
        """Connections whose services have no base model that can be tuned."""
        self.refusal: Message | None = None
        """Why the service did not take the job, and in its own words."""
        self.refusal_detail = ""
        self.notes: list[str] = []
        mine = Job.objects.visible_to(user)
        self.source = self._named_job("further", mine.finished_well().exclude(model=""))
        self.made_from = self._named_job("again", mine) or self.source
        self.targets = {target.value: target for target in self._targets()} if self.source is None else {}
        for name in ("dataset", "validation_dataset"):
            self.fields[name].queryset = Dataset.objects.visible_to(user).with_versions()  # type: ignore[attr-defined]
        self.fields["version"].choices = self._versions()  # type: ignore[attr-defined]
        if self.source:
            for name in self.FIXED_BY_SOURCE:
                del self.fields[name]
        else:
            self.fields["target"].choices = self._grouped()  # type: ignore[attr-defined]
            self._prefer(str(self.initial.get("base_model") or ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("further") and not self.source:
            self.add_error(None, _("The model to go on from is gone, or was not shared with you."))
        if self.is_described("dataset", "version"):
            self.advise()
            self.check_against(self.dataset_version.examples)
        return cleaned

    @cached_property
    def dataset_version(self) -> DatasetVersion:
        """The version of the dataset that was chosen. For fields without errors."""
        if number := self.cleaned_data["version"]:
            return DatasetVersion.objects.select_related("dataset").get(pk=number)
        newest: DatasetVersion = self.cleaned_data["dataset"].latest
        return newest

    @property
    def chosen_target(self) -> Target:
        """Where the job goes. For fields without errors."""
        if self.source:
            return Target(self.source.connection, self.source.base_model, self.source.display_name)
        return self.targets[self.cleaned_data["target"]]

    def recipe(self) -> Recipe:
        """As it was said; rank and alpha are those of the model that is gone on from."""
        asked = super().recipe()
        kept = self.source.recipe if self.source else asked
        return replace(asked, rank=kept.rank, alpha=kept.alpha)

    def assumptions(self) -> dict[int, dict[str, float]]:
        """What is assumed for each dataset one can choose, by the names of the fields."""
        return {
            dataset.pk: {name: getattr(assumed(dataset.latest.examples), name) for name in self.FIRST}
            for dataset in self.fields["dataset"].queryset  # type: ignore[attr-defined]
        }

    def unused(self) -> list[str]:
        """The settings, by their labels, that change nothing at the service that was chosen."""
        if not self.is_bound or not self.is_described("target"):
            return []
        used = self.chosen_target.connection.open_for(self.user).capabilities.recipe
        asked = [name for name in Recipe.__dataclass_fields__ if name in self.fields]
        return [str(self.fields[name].label) for name in asked if used is not None and name not in used]

    def estimate(self) -> Estimate | None:
        """What the job will take; ``None`` while it is not described."""
        if not self.is_described("dataset", "version", "target"):
            return None
        target = self.chosen_target
        return estimate(self.dataset_version, target.connection, target.base_model, self.recipe(), self.user)

    def job(self) -> Job:
        """The job that was described, saved but not yet sent; the same one, where the form was sent before.

        Raises ``Exhausted`` where this person has as many jobs as they may.
        """
        target, apart, foretold = self.chosen_target, self.cleaned_data["validation_dataset"], self.estimate()
        job = Job(
            owner=self.user,
            connection=target.connection,
            base_model=target.base_model,
            dataset_version=self.dataset_version,
            validation_version=apart.latest if apart else None,
            display_name=self.cleaned_data["display_name"],
            made_from=self.made_from,
            tuned_from=self.source.model if self.source else "",
            estimate=foretold.as_kept() if foretold else {},
        )
        job.recipe = self.recipe()
        if not ignores(target.connection.kind, "batch_size"):
            job.total_steps = total_steps(job.learnt_from, job.epoch_count, job.batch_size)
        with transaction.atomic():
            job, is_new = Job.objects.enter_once(job, self._key())
            if is_new:
                audit.record(self.user, "job.created", job)
        return job

    def advise(self) -> None:
        """Fill :attr:`hints`. For fields without errors."""
        facts, apart = self.dataset_version.facts, self.cleaned_data["validation_dataset"]
        draft = Draft(
            examples=self.dataset_version.examples,
            longest=facts["inputs"]["longest"] + facts["outputs"]["longest"] if facts else 0,
            recipe=self.recipe(),
            apart=apart.latest.examples if apart else 0,
        )
        self.hints = hints(draft)

    def _key(self) -> str:
        """Of this form with these settings, by this person: nobody can guess another's."""
        if not self.cleaned_data.get("key"):
            return secrets.token_hex()
        said = sorted((name, str(getattr(value, "pk", value))) for name, value in self.cleaned_data.items())
        return hashlib.sha256(repr((self.user.pk, said)).encode()).hexdigest()

    def _named_job(self, name: str, jobs: QuerySet[Job]) -> Job | None:
        """The one of ``jobs`` whose key a hidden field holds, if there is one."""
        pk = self.said(name)
        return jobs.select_related("connection").filter(pk=pk).first() if is_key(pk) else None

    def _versions(self) -> list[tuple[str, str]]:
        """Of the dataset that is chosen, the newest first."""
        pk = self.said("dataset")
        mine = Dataset.objects.visible_to(self.user)
        rows = list(DatasetVersion.objects.filter(dataset__in=mine, dataset__pk=pk)) if is_key(pk) else []
        newest = gettext("newest (%(number)s)") % {"number": rows[0].number} if rows else gettext("newest")
        text = gettext("%(number)s, %(count)s examples")
        older = [(str(row.pk), text % {"number": row.number, "count": f"{row.examples:,}"}) for row in rows[1:]]
        return [("", newest), *older]

    def _prefer(self, base_model: str) -> None:
        """Choose a base model by its name, wherever it is offered."""
        if not base_model or self.initial.get("target") in self.targets:
            return
        found = next((target for target in self.targets.values() if target.base_model == base_model), None)
        if found:
            self.initial["target"] = found.value
        elif self.targets:
            note = gettext("The base model %(name)s is not offered here: choose another one.")
            self.notes.append(note % {"name": base_model[:100]})

    def _targets(self) -> list[Target]:
        found = []
        for connection in Connection.objects.usable_by(self.user):
            try:
                needed(connection, self.user)
                models = connection.open_for(self.user).base_models()
            except ServiceError as error:
                self.unreachable.append(explain_by_name(connection, error))
                continue
            tunable = [_target(connection, model) for model in models if model.tunable]
            found += tunable
            self.without += [] if tunable else [connection]
        return found

    def _grouped(self) -> list[tuple[str, list[tuple[str, str]]]]:
        groups: dict[str, list[tuple[str, str]]] = {}
        for target in self.targets.values():
            groups.setdefault(str(target.connection), []).append((target.value, target.label))
        return list(groups.items())


class Sketch(NewJob):
    """A form that is still being filled in, looked at without asking any service: its base model is taken as said."""

    versions_of = forms.CharField(required=False)
    """The dataset whose versions the page shows."""

    def __init__(self, user: User, data: Any) -> None:
        said = {name: data[name] for name in data}
        self.has_other_versions = said.get("versions_of", said.get("dataset")) != said.get("dataset")
        if self.has_other_versions:
            said["version"] = ""
        super().__init__(user, said)
        self.is_valid()

    def _targets(self) -> list[Target]:
        pk, _colon, base_model = self.said("target").partition(":")
        connections = Connection.objects.usable_by(self.user).filter(pk=pk) if is_key(pk) else ()
        return [Target(connection, base_model, base_model) for connection in connections if base_model]


def _target(connection: Connection, model: BaseModel) -> Target:
    label = _("%(model)s, on %(connection)s") % {"model": model.display_name, "connection": connection}
    return Target(connection, model.name, label)
