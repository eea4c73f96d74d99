"""Jobs that a service has already, brought into the dashboard with their curves. Bringing one twice gives one."""

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import BinaryIO, cast

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.connections.tokens import needed
from dashboard.connections.unreachable import explain_silence
from dashboard.datasets.forms import limits
from dashboard.datasets.models import NAME_LENGTH, Dataset, DatasetVersion
from dashboard.jobs import chronicle
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.library.notes import LENGTH
from dashboard.messages import Message
from dashboard.notices import events
from dashboard.sharing.mirror import renew_quietly
from tuning import datasets
from tuning.errors import BadAnswer, DatasetError, Exhausted, PermissionDenied, ServiceError, TimedOut, Unimplemented
from tuning.providers import Existing, Found, Importer, JobRef, Provider

logger = logging.getLogger(__name__)

LISTED = 1_000
"""Jobs of a service that are looked through."""
AT_ONCE = 200
"""Jobs that are brought with one press of a button; the next press brings the next."""
PATIENCE = 60.0
"""Seconds that the examples of a job may take to arrive; without them it is brought in all the same."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one connection has that is not here yet; ``silent`` says why that is not known."""

    connection: Connection
    jobs: Sequence[Existing] = ()
    here: int = 0
    """Jobs of it that are here already."""
    silent: Message | None = None


def shelves(user: User, q: str = "") -> list[Shelf]:
    """What ``user`` could bring from each connection whose service lists its jobs, narrowed to the words of ``q``."""
    return [
        _shelf(user, connection, provider, q)
        for connection in Connection.objects.usable_by(user)
        if _may_bring(user, connection) and isinstance(provider := connection.open_for(user), Importer)
    ]


def bring(user: User, connection: Connection, model: str) -> Job:
    """The job of ``model``, kept here with its curve, by each who may see it for themselves: that somebody else was
    first takes it from nobody. Raises ``ServiceError``.
    """
    provider = connection.open_for(user)
    if not isinstance(provider, Importer):
        raise Unimplemented
    if not _may_bring(user, connection):
        raise PermissionDenied("not_yours")
    found = provider.found(model)
    mine = Job.objects.filter(connection=connection, owner=user)
    here = mine.filter(Q(ref=found.ref) | Q(ref__startswith=f"{found.job.model}/operations/")).first()
    job = here or _kept(_described(user, connection, found), provider, found)
    if model_made := TunedModel.objects.filter(connection=connection, name=job.model).first():
        renew_quietly(model_made, user, timedelta(0))  # it may be another's, who is known here
    return job


def _may_bring(user: User, connection: Connection) -> bool:
    """Where all ask in one name, everybody's jobs come in one list: whose a job is, nobody knows but administrators."""
    return connection.knows_people or user.is_administrator


def _kept(job: Job, provider: Provider, found: Found) -> Job:
    try:
        news = chronicle.ask(provider, job, found.status)
    except ServiceError as error:  # a service without such a thing
        logger.info("of %s nothing but its curve could be read: %s", found.job.model, error.code)
        news = None
    parsed = _examples(cast(Importer, provider), found.ref)
    try:
        with transaction.atomic():
            job.dataset_version = _version(job.owner, found, parsed)
            job.save()
            job.store(found.status, found.points, news)
            events.known([job])
            audit.record(job.owner, "job.imported", job, connection=str(job.connection))
    except IntegrityError:  # somebody brings it at the same time
        return Job.objects.get(key=job.key)
    return job


def _described(user: User, connection: Connection, found: Found) -> Job:
    digest = hashlib.sha256(f"{connection.pk} {user.pk} {found.ref}".encode()).hexdigest()
    job = Job(
        owner=user,
        connection=connection,
        key=digest,
        ref=found.ref,
        display_name=found.job.display_name[:40],
        base_model=found.job.base_model[:200],
        notes=found.description[:LENGTH],
        tuned_from=found.tuned_from[:200],
        created=found.status.created or found.job.created or timezone.now(),
    )
    job.recipe = found.recipe
    return job


def _examples(provider: Importer, ref: JobRef) -> datasets.Parsed | None:
    """The dataset that the service hands out, if it does and it is one."""
    try:
        if (file := provider.training_data(ref)) is None:
            return None
        with tempfile.TemporaryFile() as kept, closing(file.chunks) as chunks:
            kept.writelines(_bounded(chunks))
            kept.seek(0)
            return datasets.parse(cast(BinaryIO, kept), "examples.jsonl", limits=limits())
    except (ServiceError, DatasetError) as error:
        logger.info("the examples of %s could not be had: %s", ref, error.code)
        return None


def _bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """``chunks``, of which a service may send no more than a person may, and not for ever. Raises ``Unavailable``."""
    left, deadline = limits().file_bytes, time.monotonic() + PATIENCE
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise BadAnswer(detail="more bytes than a dataset may have")
        if time.monotonic() > deadline:
            raise TimedOut(detail="the examples came too slowly")
        yield chunk


def _version(owner: User, found: Found, parsed: datasets.Parsed | None) -> DatasetVersion:
    """A version of the owner's with these examples; where nobody has them, or the owner no room for them, one of a
    dataset that is not here.
    """
    name = found.job.display_name[:NAME_LENGTH]
    if parsed is not None:
        known = DatasetVersion.objects.filter(dataset__owner=owner, dataset__absent=False, sha256=parsed.sha256)
        with suppress(Exhausted):
            return known.first() or Dataset.objects.start(owner, name, parsed).latest
    return Dataset.objects.absent(owner, name, found.examples, found.ref)


def _shelf(user: User, connection: Connection, provider: Importer, q: str) -> Shelf:
    try:
        needed(connection, user)
        told = list(islice(provider.existing(), LISTED))
    except ServiceError as error:
        return Shelf(connection, silent=explain_silence(connection, error))
    refs = Job.objects.filter(connection=connection, owner=user).exclude(ref="").values_list("ref", flat=True)
    here = {ref.partition("/operations/")[0] for ref in refs}
    here |= set(connection.tuned_models.filter(removed__isnull=False).values_list("name", flat=True))  # in the bin
    words = q.casefold().split()
    fresh = [job for job in told if job.model not in here]
    wanted = [job for job in fresh if all(word in _text(job) for word in words)]
    return Shelf(connection, wanted, here=len(told) - len(fresh))


def _text(job: Existing) -> str:
    return f"{job.display_name} {job.model} {job.base_model}".casefold()
