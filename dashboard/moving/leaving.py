"""The library on its way out: everything that is not in the bin, into one file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.evaluations.models import Evaluation
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, TunedModel
from dashboard.moving import archive, records
from dashboard.moving.archive import LIBRARY, Writing
from dashboard.moving.records import (
    SCORES,
    DatasetRecord,
    EvaluationRecord,
    GrantRecord,
    JobRecord,
    Library,
    MemberRecord,
    ModelRecord,
    PersonRecord,
    TeamRecord,
    VersionRecord,
    VersionRef,
)
from dashboard.teams.models import Team
from tuning.errors import NotFound, ServiceError, TuningError, Unavailable
from tuning.jobs import Conditions
from tuning.providers import Export, Exporter, JobRef

Told = Callable[[int, int], None]
"""How many models of how many are done."""


@dataclass(slots=True)
class Outcome:
    """How many models were moved, and of which why not."""

    models: int = 0
    datasets: int = 0
    there: int = 0
    """Models that were there already, where they are brought in."""
    failed: list[tuple[str, TuningError]] = field(default_factory=list)


def export(path: Path, administrator: User, told: Told = lambda done, total: None) -> Outcome:
    """Write the library to ``path``. A model whose adapter cannot be had is written without it, and told of.

    Raises ``OSError`` where the disk is full, and ``Unavailable`` where a service does not answer: what is half is
    no archive.
    """
    outcome = Outcome()
    models = TunedModel.objects.present().order_by("pk")
    keys = list(models.values_list("pk", flat=True))
    datasets = Dataset.objects.order_by("pk").prefetch_related("versions").select_related("owner")
    with archive.writing(path) as out:
        found = []
        for done, key in enumerate(keys):
            told(done, len(keys))
            if model := models.filter(pk=key).select_related("connection", "owner", "tuned_from").first():
                found.append(_model(out, model, administrator, outcome))
        kept = [_dataset(out, dataset, outcome) for dataset in datasets]
        people = [PersonRecord(email=one.email, name=one.name) for one in User.objects.order_by("pk")]
        library = Library(people=people, teams=_teams(), datasets=kept, models=found)
        out.add(LIBRARY, [records.written(library)])
    told(len(keys), len(keys))
    return outcome


def _model(out: Writing, model: TunedModel, administrator: User, outcome: Outcome) -> ModelRecord:
    job = Job.objects.filter(library_model=model).select_related("dataset_version", "validation_version").first()
    if job:
        out.add(f"models/{model.pk}/curve.bin", (bytes(data) for data in job.chunks.values_list("data", flat=True)))
        _adapter(out, model, job, administrator, outcome)
    outcome.models += 1
    return ModelRecord(
        key=model.pk,
        connection=model.connection.name,
        name=model.name,
        owner=model.owner.email,
        display_name=model.display_name,
        description=model.description,
        base_model=model.base_model,
        version=_ref(model.dataset_version),
        tuned_from=model.tuned_from.name if model.tuned_from else "",
        temperature=model.temperature,
        top_p=model.top_p,
        top_k=model.top_k,
        notes=model.notes,
        tags=sorted(str(tag) for tag in model.tags.all()),
        favourites=sorted(model.favourites.values_list("email", flat=True)),
        created=model.created,
        last_used=model.last_used,
        last_loss=model.last_loss,
        archived=model.archived,
        expires=model.expires,
        removed_on_expiry=model.removed_on_expiry,
        grants=[_grant(grant) for grant in model.grants.select_related("person", "team")],
        job=_job(job) if job else None,
        evaluations=[_evaluation(one) for one in model.evaluations.done().select_related("dataset_version")],
    )


def _evaluation(evaluation: Evaluation) -> EvaluationRecord:
    said = {name: getattr(evaluation, name) for name in SCORES}
    return EvaluationRecord(version=_ref(evaluation.dataset_version), **said)


def _adapter(out: Writing, model: TunedModel, job: Job, administrator: User, outcome: Outcome) -> None:
    provider = model.connection.open_for(administrator)
    try:
        if not isinstance(provider, Exporter):
            raise NotFound("adapter_kept")
        file = provider.export(JobRef(job.ref), Export.ADAPTER)
    except Unavailable:
        raise
    except ServiceError as error:
        outcome.failed.append((model.display_name, error))
    else:
        out.add(f"models/{model.pk}/adapter.zip", file.chunks)


def _job(job: Job) -> JobRecord:
    return JobRecord(
        display_name=job.display_name,
        base_model=job.base_model,
        version=VersionRef(dataset=job.dataset_version.dataset_id, number=job.dataset_version.number),
        validation_version=_ref(job.validation_version),
        epoch_count=job.epoch_count,
        batch_size=job.batch_size,
        learning_rate=job.learning_rate,
        more_recipe=job.more_recipe,
        tuned_from=job.tuned_from,
        total_steps=job.total_steps,
        stopped_step=job.stopped_step,
        validation=job.validation,
        samples=records.samples(job.samples),
        estimate={name: value for name, value in job.estimate.items() if isinstance(value, int | float | None)},
        notes=job.notes,
        tags=sorted(str(tag) for tag in job.tags.all()),
        created=job.created,
        started=job.started,
        finished=job.finished,
        conditions=Conditions(**job.conditions) if job.conditions else None,
    )


def _grant(grant: Grant) -> GrantRecord:
    return GrantRecord(
        role=grant.role,
        email=grant.person.email if grant.person else "",
        team=grant.team.name if grant.team else "",
        address=grant.address,
        is_group=grant.is_group,
    )


def _dataset(out: Writing, dataset: Dataset, outcome: Outcome) -> DatasetRecord:
    outcome.datasets += 1
    versions = sorted(dataset.versions.all(), key=lambda version: version.number)
    for version in versions:
        name = f"datasets/{version.sha256}.jsonl"
        if not (dataset.absent or out.has(name)) and version.path.exists():
            out.add_file(name, version.path)
    return DatasetRecord(
        key=dataset.pk,
        owner=dataset.owner.email,
        name=dataset.name,
        created=dataset.created,
        absent=dataset.absent,
        versions=[_version(version) for version in versions],
    )


def _version(version: DatasetVersion) -> VersionRecord:
    return VersionRecord(
        number=version.number,
        sha256=version.sha256,
        examples=version.examples,
        size=version.size,
        created=version.created,
        facts=version.facts,
    )


def _teams() -> list[TeamRecord]:
    teams = Team.objects.prefetch_related("memberships__person")
    return [
        TeamRecord(
            name=team.name,
            address=team.address,
            members=[MemberRecord(email=one.person.email, is_manager=one.is_manager) for one in team.memberships.all()],
        )
        for team in teams
    ]


def _ref(version: DatasetVersion | None) -> VersionRef | None:
    return VersionRef(dataset=version.dataset_id, number=version.number) if version else None
