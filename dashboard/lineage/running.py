"""Running a job exactly again: from its row, or from a bundle."""

from django.db import transaction

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import NAME_LENGTH, Dataset, DatasetVersion
from dashboard.jobs.models import Job
from dashboard.jobs.pasting import version_of
from dashboard.jobs.sending import hand_in
from dashboard.lineage.bundles import BundleRefused, Run, run_of
from dashboard.lineage.models import Rerun
from dashboard.lineage.packing import may_see
from dashboard.lineage.unpacking import Bundle
from tuning.datasets import Parsed
from tuning.jobs import JobState, total_steps
from tuning.providers import Reproducer


def service_of(user: User, job: Job) -> Reproducer | None:
    """What can run ``job`` again for ``user``; ``None`` where nothing can: it has not succeeded, its examples are not
    here, or its service does not compute alike.
    """
    if job.state != JobState.SUCCEEDED or job.dataset_version.dataset.absent:
        return None
    service = job.connection.open_for(user)
    return service if isinstance(service, Reproducer) else None


def may_run(user: User, job: Job) -> bool:
    """Whether the examples of ``job`` are there for ``user`` to run it with."""
    apart = job.validation_version
    return may_see(user, job.dataset_version) and (apart is None or may_see(user, apart))


def run_again(user: User, job: Job, service: Reproducer) -> Job:
    """A job of ``user``'s that is ``job`` exactly again. Raises ``ServiceError``."""
    run, apart = run_of(job, service), job.validation_version
    return hand_in(_entered(user, job.connection, run, data=job.dataset_version, apart=apart, original=job))


def run_bundle(user: User, connection: Connection, bundle: Bundle) -> Job:
    """A job of ``user``'s that is what ``bundle`` says. Raises ``BundleRefused`` and ``ServiceError``."""
    run = bundle.run
    models = Job.objects.visible_to(user).finished_well().filter(connection=connection)
    if run.tuned_from and not models.filter(model=run.tuned_from).exists():
        raise BundleRefused("source_missing", name=run.tuned_from)
    with transaction.atomic():
        data = _version(user, run.data.sha256, run.data.name, bundle.data)
        described = run.validation
        apart = _version(user, described.sha256, described.name, bundle.validation) if described else None
        job = _entered(user, connection, run, data=data, apart=apart)
    return hand_in(job)


def _version(user: User, sha256: str, name: str, parsed: Parsed | None) -> DatasetVersion:
    """The examples of that hash: those that are here, else those that came along."""
    if here := version_of(sha256, user):
        return here
    if parsed is None:
        raise BundleRefused("data_missing")
    return Dataset.objects.start(user, name[:NAME_LENGTH].strip() or sha256[:8], parsed).latest


def _entered(
    user: User,
    connection: Connection,
    run: Run,
    *,
    data: DatasetVersion,
    apart: DatasetVersion | None,
    original: Job | None = None,
) -> Job:
    """The job, kept and still to be sent; the same one where it was asked for before and has not ended."""
    job = Job(
        owner=user,
        connection=connection,
        base_model=run.base_model,
        dataset_version=data,
        validation_version=apart,
        display_name=run.display_name,
        made_from=original,
        tuned_from=run.tuned_from,
    )
    job.recipe = run.recipe
    job.total_steps = total_steps(job.learnt_from, job.epoch_count, job.batch_size)
    with transaction.atomic():
        entered, is_new = Job.objects.enter_once(job, f"again {user.pk} {run.essence}")
        if is_new:
            Rerun.objects.note(entered, run, original)
            audit.record(user, "job.run_again", entered)
    return entered
