"""Into the bin and out of it again; and what the worker does when the grace is over.

``by`` is as :func:`dashboard.audit.record` takes it: a request, a person, or ``None`` for Tuneboard itself.
"""

from datetime import timedelta
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.jobs.removing import forget
from dashboard.jobs.removing import remove as remove_for_good
from dashboard.library.models import Role, TunedModel
from dashboard.retiring.models import Removal
from dashboard.sharing.mirror import renew_quietly
from tuning.errors import FailedPrecondition, NotFound, NotSetUp, PermissionDenied, ServiceError
from tuning.providers import Importer, JobRef

By = HttpRequest | User | None


class Gone(Enum):
    """What became of a job that somebody deleted."""

    DELETED = auto()
    """It is gone, with what there was of a model."""
    IN_BIN = auto()
    """It is hidden with its model, and can be restored."""
    LET_GO = auto()
    """It is not kept here any more; its model is somebody else's and stays."""


def archive(model: TunedModel, by: By) -> None:
    """Leave it out of the list unless that is asked for. It goes on answering."""
    with transaction.atomic():
        if TunedModel.objects.present().filter(pk=model.pk, archived=None).update(archived=timezone.now()):
            audit.record(by, "model.archived", model)


def unarchive(model: TunedModel, by: By) -> None:
    """List it again."""
    with transaction.atomic():
        if TunedModel.objects.present().filter(pk=model.pk, archived__isnull=False).update(archived=None):
            audit.record(by, "model.unarchived", model)


def remove(model: TunedModel, by: By, person: User | None) -> None:
    """Put it into the bin: hidden at once, and deleted when the grace is over. ``person`` is whom the bin names."""
    now = timezone.now()
    due = now + timedelta(days=settings.BIN_DAYS)
    with transaction.atomic():
        if TunedModel.objects.present().filter(pk=model.pk).update(removed=now, removed_by=person):
            Removal.objects.create(model=model, due=due, next_try=due)
            audit.record(by, "model.removed", model, until=f"{due:%Y-%m-%d}")


def remove_job(job: Job, user: User, by: By) -> Gone:
    """Delete ``job`` for ``user``. With a model that is theirs it goes into the bin. Raises ``ServiceError``."""
    models = TunedModel.objects.present().filter(connection=job.connection_id)
    model = models.filter(name=job.model).first() if job.model else None
    if model and model.role_of(user) is Role.OWNER:
        remove(model, by, user)
        return Gone.IN_BIN
    if model is None:
        return Gone.DELETED if remove_for_good(job, user) else Gone.LET_GO
    with transaction.atomic():
        audit.record(by, "job.forgotten", job)
        forget(job)
    return Gone.LET_GO


def told(gone: Gone, name: object) -> str:
    """What became of it, as a sentence."""
    if gone is Gone.DELETED:
        return _("“%(name)s”, its model and its adapter were deleted.") % {"name": name}
    if gone is Gone.LET_GO:
        sentence = _("“%(name)s” is not kept here any more. Its model belongs to somebody else and stays.")
        return sentence % {"name": name}
    sentence = ngettext(
        "“%(name)s” is in the bin. It can be restored for %(days)s day.",
        "“%(name)s” is in the bin. It can be restored for %(days)s days.",
        settings.BIN_DAYS,
    )
    return sentence % {"name": name, "days": settings.BIN_DAYS}


def restore(model: TunedModel, by: By) -> None:
    """Take it out of the bin. Raises ``FailedPrecondition`` (``being_deleted``) and ``NotFound`` (``model_deleted``)
    where that comes too late, and other ``ServiceError`` where it cannot be known.
    """
    if Removal.objects.filter(model=model, tries__gt=0).exists():
        _look_for(model)
    with transaction.atomic():
        if not Removal.objects.take_back(model):
            raise FailedPrecondition("being_deleted")
        TunedModel.objects.filter(pk=model.pk).update(removed=None, removed_by=None, expires=None)
        audit.record(by, "model.restored", model)


def hasten(model: TunedModel, by: By) -> None:
    """Have the worker delete it for good now."""
    from dashboard.retiring.tasks import purge  # noqa: PLC0415 - tasks know this module

    now = timezone.now()
    with transaction.atomic():
        if Removal.objects.filter(model=model).update(due=now, next_try=now):
            audit.record(by, "model.purged", model)
            purge.enqueue(model.pk)


def finish(removal: Removal) -> None:
    """Ask the service to delete a model whose grace is over, then forget it here. To be called by who has claimed it.

    Nothing is forgotten before the service has deleted it; what was interrupted is done again, and harmless.
    """
    model = removal.model
    try:
        provider = model.connection.service_for(model.owner)
        provider.delete(_ref(model))
    except NotFound:
        pass  # gone already
    except ServiceError as error:
        refused = isinstance(error, PermissionDenied) and not isinstance(error, NotSetUp)
        if refused and _is_anothers(model):
            return
        if not (refused and _is_unlisted(model)):
            removal.put_off(error)
            return
    with transaction.atomic():
        audit.record(None, "model.deleted", model)
        job = model.job
        model.delete()
        if job:
            forget(job)


def _is_anothers(model: TunedModel) -> bool:
    """Whether its service has another owner than was known here: it was not to be deleted, and is shown again."""
    renew_quietly(model, model.owner, timedelta(0))
    with transaction.atomic():
        if not TunedModel.objects.filter(pk=model.pk).exclude(owner=model.owner_id).exists():
            return False
        Removal.objects.filter(model=model).delete()
        TunedModel.objects.filter(pk=model.pk).update(removed=None, removed_by=None)
        audit.record(None, "model.restored", model)
    return True


def _is_unlisted(model: TunedModel) -> bool:
    """Whether its service names it no more to its owner. Google says of what is gone only that it may not be there, or
    not be theirs: either way there is nothing left that could be deleted.
    """
    provider = model.connection.service_for(model.owner)
    if not isinstance(provider, Importer):
        return False
    names = {model.name, model.job.ref if model.job else ""}
    try:
        return all(one.model not in names for one in provider.existing())
    except ServiceError:
        return False


def _look_for(model: TunedModel) -> None:
    try:
        model.connection.service_for(model.owner).status(_ref(model))
    except NotFound:
        raise NotFound("model_deleted") from None


def _ref(model: TunedModel) -> JobRef:
    """What its service finds it by. Raises ``NotFound`` and other ``ServiceError``."""
    if model.job and model.job.ref:
        return JobRef(model.job.ref)
    provider = model.connection.service_for(model.owner)
    if not isinstance(provider, Importer):
        raise FailedPrecondition("job_forgotten")
    return provider.found(model.name).ref
