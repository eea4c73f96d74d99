"""What is left to be done when somebody leaves, kind after kind, each as far as its service lets us.

Every step is safe to repeat: it looks for what the person still has, and at the service for what is still theirs
there. Whoever is killed in the middle leaves no more than something to be done again.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from django.db import models, transaction
from django.db.models import ProtectedError

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections import tokens
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset, Upload
from dashboard.evaluations.models import Evaluation
from dashboard.jobs import removing
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, TunedModel
from dashboard.listing.models import SavedView
from dashboard.people.models import Farewell
from dashboard.presets.models import Preset
from tuning.errors import NotFound, ServiceError, Unauthenticated, Unavailable
from tuning.providers import Grantee, KeyIssuer, Role, Sharer

logger = logging.getLogger(__name__)

Kind = Farewell.Kind
M = TypeVar("M", bound=models.Model)


def go_on(farewell: Farewell) -> None:
    """Do what is still to be done. What a service refuses or is away for is noted, and tried again another time."""
    steps: list[Callable[[Farewell], None]] = [_stop_evaluations, _revoke_keys]
    if farewell.sees_off:
        steps += [_take_access, _settle_jobs, _settle_models, _settle_datasets, _settle_presets, _settle_views]
    steps.append(_disconnect)  # last: what is handed over or removed is so in the person's name
    try:
        for step in steps:
            step(farewell)
    except ServiceError as error:
        logger.info("what %s leaves behind waits: %s", farewell.person_id, error.code)
        farewell.interrupted(error.code)
        return
    if farewell.finish() and farewell.sees_off:
        audit.record(farewell.by, "person.gone", farewell.person)


def _revoke_keys(farewell: Farewell) -> None:
    for connection in Connection.objects.all():
        issuer = connection.service_for(farewell.person)
        if isinstance(issuer, KeyIssuer):
            for key in issuer.api_keys():
                if not key.revoked:
                    issuer.revoke_api_key(key.id)
                    audit.record(farewell.by, "key.revoked", audit.Thing("key", key.id, key.name))


def _stop_evaluations(farewell: Farewell) -> None:
    """Nothing is asked in the person's name any more; what was answered stays with the models."""
    Evaluation.objects.stop_those_of(farewell.person)


def _disconnect(farewell: Farewell) -> None:
    """Have the providers take back what the person allowed us there."""
    for account in farewell.person.service_accounts.select_related("connection"):
        tokens.forget(account, farewell.by, patiently=True)


def _take_access(farewell: Farewell) -> None:
    """Take back what others share with the person."""

    def take(grant: Grant) -> None:
        service = _sharer(grant.model.connection, farewell.by)
        if grant.ref and service:
            with suppress(NotFound):
                service.unshare(grant.ref)
        with transaction.atomic():
            audit.record(farewell.by, "model.unshared", grant.model, grantee=farewell.person.email)
            grant.delete()

    _each(farewell, Grant.objects.filter(person=farewell.person).select_related("model__connection"), take)


def _settle_jobs(farewell: Farewell) -> None:
    """The person's jobs with their models, and then their sweeps."""

    def remove(job: Job) -> None:
        try:
            removing.remove(job, farewell.by)
        except Unauthenticated:
            if not job.connection.wants_account:
                raise
            _let_go(farewell, job)

    def hand_over(job: Job) -> None:
        _hand_over_job(farewell, job)

    jobs = Job.objects.filter(owner=farewell.person).select_related("connection", "owner")
    sweeps = farewell.person.sweeps.all()
    if Kind.JOBS in farewell.removes:
        _each(farewell, jobs, remove)
        sweeps.delete()
    else:
        _each(farewell, jobs, hand_over)
        sweeps.update(owner=farewell.heir)


def _let_go(farewell: Farewell, job: Job) -> None:
    """Forget a job that lies in an account of the person's own, which they have taken back: nobody else reaches it."""
    with transaction.atomic():
        audit.record(farewell.by, "job.forgotten", job)
        TunedModel.objects.let_go(job)
        removing.forget(job)


def _hand_over_job(farewell: Farewell, job: Job) -> None:
    if model := job.model or job.ref.partition("/operations/")[0]:
        _transfer(farewell, job.connection, model)
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(owner=farewell.heir)
        for kept in TunedModel.objects.filter(job=job, owner=farewell.person):
            _own(farewell, kept)
        audit.record(farewell.by, "job.handed_over", job, heir=_heir(farewell).email)


def _settle_models(farewell: Farewell) -> None:
    """Models without a job of the person's: others have brought their jobs in, so they are handed over in any case."""

    def hand_over(model: TunedModel) -> None:
        _transfer(farewell, model.connection, model.name)
        with transaction.atomic():
            _own(farewell, model)

    _each(farewell, TunedModel.objects.filter(owner=farewell.person).select_related("connection"), hand_over)


def _settle_datasets(farewell: Farewell) -> None:
    """A dataset that somebody's job was tuned with stays: it is handed over, whatever was said."""

    def settle(dataset: Dataset) -> None:
        with transaction.atomic():
            if Kind.DATASETS in farewell.removes and _removed(farewell, dataset):
                return
            Dataset.objects.filter(pk=dataset.pk).update(owner=farewell.heir)
            audit.record(farewell.by, "dataset.handed_over", dataset, heir=_heir(farewell).email)

    for upload in Upload.objects.filter(owner=farewell.person):
        upload.delete()
    _each(farewell, Dataset.objects.filter(owner=farewell.person), settle)


def _removed(farewell: Farewell, dataset: Dataset) -> bool:
    thing = audit.Thing("datasets.dataset", str(dataset.pk), str(dataset))
    try:
        with transaction.atomic():
            dataset.delete()
    except ProtectedError:
        return False
    audit.record(farewell.by, "dataset.deleted", thing)
    return True


def _settle_presets(farewell: Farewell) -> None:
    presets = Preset.objects.filter(owner=farewell.person)
    with transaction.atomic():
        for preset in presets:
            if Kind.PRESETS in farewell.removes:
                audit.record(farewell.by, "preset.deleted", preset)
            else:
                audit.record(farewell.by, "preset.handed_over", preset, heir=_heir(farewell).email)
        if Kind.PRESETS in farewell.removes:
            presets.delete()
        else:
            presets.update(owner=farewell.heir)


def _settle_views(farewell: Farewell) -> None:
    """Views that the person shares; those that they kept for themselves are of use to nobody."""
    with transaction.atomic():
        for view in SavedView.objects.filter(owner=farewell.person):
            if Kind.VIEWS in farewell.removes or not view.shared:
                audit.record(farewell.by, "view.deleted", view)
                view.delete()
            else:
                view.give_to(_heir(farewell))
                audit.record(farewell.by, "view.handed_over", view, heir=_heir(farewell).email)


def _transfer(farewell: Farewell, connection: Connection, model: str) -> None:
    """Make the heir the owner of ``model`` at its service, where the person is it, and leave the person no role."""
    service = _sharer(connection, farewell.by)
    if service is None:
        return
    person, heir = farewell.person.email, _heir(farewell).email
    with suppress(NotFound):  # gone there: what is left of it here is handed over all the same
        owner = next((one.address for one in service.permissions(model) if one.role is Role.OWNER), "")
        if owner == person:
            service.transfer(model, heir)
        for one in service.permissions(model):
            if one.grantee is Grantee.PERSON and one.address == person and one.role is not Role.OWNER:
                service.unshare(one.ref)


def _own(farewell: Farewell, model: TunedModel) -> None:
    model.grants.filter(person__in=[_heir(farewell), farewell.person]).delete()
    TunedModel.objects.filter(pk=model.pk).update(owner=farewell.heir)
    audit.record(farewell.by, "model.handed_over", model, before=str(farewell.person), owner=str(farewell.heir))


def _sharer(connection: Connection, user: User) -> Sharer | None:
    """The service, asked for ``user``, where it is one that keeps permissions and lets administrators change them. What
    lies in somebody's own account elsewhere, they alone can give away.
    """
    if connection.wants_account or not connection.knows_people:
        return None
    provider = connection.open_for(user)
    return provider if isinstance(provider, Sharer) and provider.capabilities.permissions else None


def _heir(farewell: Farewell) -> User:
    assert farewell.heir
    return farewell.heir


def _each(farewell: Farewell, rows: Iterable[M], do: Callable[[M], None]) -> None:
    """``do`` it for each of ``rows``; what a service refuses for one is no reason for the others. Raises the first
    ``ServiceError``, at once where the service does not answer.
    """
    first: ServiceError | None = None
    for row in list(rows):
        farewell.still_at_it()
        try:
            do(row)
        except Unavailable:
            raise
        except ServiceError as error:
            first = first or error
    if first:
        raise first
