"""Tuned models that were made elsewhere, taken in as files: ``PUT /tuneboard/v1/jobs/{id}/adapter``.

The body is a zip file of exactly :data:`LIMITS`' members, uncompressed: what is known of the model
(:class:`tuning.resources.KeptModel`), its loss curve packed as :mod:`tuning.curves` says, and its adapter as PEFT has
it. A child sees whether the adapter fits its base model. Sent again, it is the model that is there already.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from tuning import curves, wire
from tuning.assertions import same_in_any_spelling
from tuning.engine import TakeSpec
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from tuning.engine.children import start_taking
from tuning.errors import AlreadyExists, FailedPrecondition, InvalidRequest, Unavailable
from tuning.jobs import JobState
from tuning.recipes import TOTAL_STEPS
from tuning.resources import KeptModel, NewBaseModel, Role, TunedModel
from tuning.server import base_models, creation, files, hyperparameters, installing, names
from tuning.server.findings import ValidationPoint
from tuning.server.hyperparameters import Held
from tuning.server.looking import looks_well
from tuning.server.models import Job, LossChunk
from tuning.server.queue import CHUNK_POINTS

MODEL, POINTS = "model.json", "points.bin"
LIMITS = {
    MODEL: 4 << 20,
    POINTS: TOTAL_STEPS * curves.POINT.itemsize,
    ADAPTER_CONFIG: 64 << 10,
    ADAPTER_WEIGHTS: 4 << 30,
}
"""The most bytes of each member."""
CHUNK_BYTES = 256 << 10
SLOTS = BoundedSemaphore(1)
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 120.0
"""For a child to look at an adapter and to write it anew."""
PREPARING_SECONDS = 10.0
"""After so long, a caller may ask again whether the base model is ready."""


def take(model_id: str, request: HttpRequest) -> Job:
    """The model under ``model_id``, whether it was there or not. Raises ``InvalidRequest``, ``NotFound`` for an unknown
    base model, ``AlreadyExists`` for another model of that name, ``Unavailable`` while the base model is made ready.
    """
    names.check_model_id(model_id)
    with _slot(), tempfile.TemporaryDirectory(dir=_room()) as aside:
        folder = Path(aside)
        _unpack(request, folder)
        kept = wire.loads(KeptModel, (folder / MODEL).read_bytes(), at="model")
        draft = _drafted(model_id, kept, folder)
        points = _checked_points(folder / POINTS, draft)
        if there := _there(model_id, folder):
            return there
        _place(folder, draft)
        return _keep(draft, kept, points)


@contextmanager
def _slot() -> Iterator[None]:
    if not SLOTS.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable("uploads_busy", retry_after=PATIENCE_SECONDS)
    try:
        yield
    finally:
        SLOTS.release()


def _room() -> Path:
    """Where files are unpacked: on the disk that they stay on."""
    folder = Path(settings.MERGED_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _unpack(request: HttpRequest, folder: Path) -> None:
    """Stream the body's members into ``folder``, by their names and no others."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in request.META or not length.isdigit():
        raise InvalidRequest("length_required")
    if int(length) > sum(LIMITS.values()):
        raise InvalidRequest("body_too_large")
    with tempfile.TemporaryFile(dir=folder) as body:
        while chunk := request.read(CHUNK_BYTES):
            body.write(chunk)
        try:
            with ZipFile(body) as archive:
                for info in _members(archive):
                    with archive.open(info) as source, (folder / info.filename).open("wb") as target:
                        _copy(source, target, info)
        except (BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as exc:
            if isinstance(exc, OSError) and exc.errno:
                raise  # the disk's, not the archive's
            raise InvalidRequest("archive_unusable", detail=str(exc)[:200]) from exc


def _members(archive: ZipFile) -> list[ZipInfo]:
    found = archive.infolist()
    if sorted(info.filename for info in found) != sorted(LIMITS):
        raise InvalidRequest("archive_unusable", detail=f"its members are not {', '.join(LIMITS)}")
    for info in found:
        if info.compress_type != ZIP_STORED or info.flag_bits & 1 or info.file_size > LIMITS[info.filename]:
            raise InvalidRequest("archive_unusable", detail=f"{info.filename} is compressed, encrypted or too large")
    return found


def _copy(source: IO[bytes], target: IO[bytes], info: ZipInfo) -> None:
    left = info.file_size
    while chunk := source.read(CHUNK_BYTES):
        left -= len(chunk)
        if left < 0:
            raise InvalidRequest("archive_unusable", detail=f"{info.filename} is longer than it says")
        target.write(chunk)


def _drafted(model_id: str, kept: KeptModel, folder: Path) -> Job:
    """The row as it will be, every value within its limits."""
    creation.check_presentation(TunedModel(display_name=kept.display_name, description=kept.description))
    creation.check_sampling(TunedModel(temperature=kept.temperature, top_p=kept.top_p, top_k=kept.top_k))
    for field, value, least in (("examples", kept.examples, 1), ("held_out", kept.held_out, 0)):
        creation.check_range(f"model.{field}", value, least, 2**31 - 1)
    creation.check_range("model.total_steps", kept.total_steps, 1, TOTAL_STEPS)
    creation.check_length("model.tuned_from", kept.tuned_from, 60)
    _check_ends(kept)
    _check_owner(kept.owner)
    offer = base_models.find(_tuned_from(folder / ADAPTER_CONFIG))
    draft = Job(
        model_id=model_id,
        operation_id=names.operation_id(),
        api_version="v1beta",
        base=offer.entry.name,
        base_asked=(kept.base_model or offer.name)[:100],
        source=kept.tuned_from,
        display_name=kept.display_name,
        description=kept.description,
        temperature=offer.temperature if kept.temperature is None else kept.temperature,
        top_p=offer.top_p if kept.top_p is None else kept.top_p,
        top_k=offer.top_k if kept.top_k is None else kept.top_k,
        training_data="",
        sent_by=same_in_any_spelling(kept.owner),
        example_count=kept.examples,
        validation_count=kept.held_out,
        total_steps=kept.total_steps,
        stopped_step=kept.stopped_step,
        state=JobState.SUCCEEDED,
        attempt=1,
    )
    apart = bool(kept.recipe and kept.recipe.validation)  # held out of the examples, not a dataset of its own
    held = Held(examples=kept.examples, validation=0 if apart else kept.held_out)
    draft.recipe = hyperparameters.choose(None, kept.recipe, held)
    now = timezone.now()
    draft.created = _moment(kept.created) or now
    draft.started, draft.finished = _moment(kept.started), _moment(kept.finished) or now
    draft.updated = draft.data_removed = now  # its examples never came here
    return draft


def _check_ends(kept: KeptModel) -> None:
    """Where it stopped, and the steps after which a held-out loss was taken, are steps of its own, each once."""
    steps = [said.step for said in kept.validation]
    if kept.stopped_step is not None:
        creation.check_range("model.stopped_step", kept.stopped_step, 1, kept.total_steps)
    for step in steps:
        creation.check_range("model.validation.step", step, 1, kept.total_steps)
    for said in kept.validation:
        creation.check_range("model.validation.epoch", said.epoch, 0, TOTAL_STEPS)
    if len(set(steps)) < len(steps):
        raise InvalidRequest("archive_unusable", detail="a step has two held-out losses")


def _check_owner(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as exc:
        raise InvalidRequest("bad_value", path="model.owner", expected="e-mail address", value=email[:80]) from exc


def _moment(said: datetime | None) -> datetime | None:
    """In UTC. Raises ``InvalidRequest`` for one that the calendar ends before."""
    if said is None:
        return None
    try:
        return said.replace(tzinfo=said.tzinfo or UTC).astimezone(UTC)
    except OverflowError as exc:
        raise InvalidRequest("bad_value", path="model", expected="time", value=said.isoformat()) from exc


def _tuned_from(config: Path) -> str:
    """The base model by the adapter's own word."""
    try:
        return str(orjson.loads(config.read_bytes())["base_model_name_or_path"])[:100]
    except (ValueError, LookupError, TypeError) as exc:
        raise InvalidRequest("archive_unusable", detail=f"{ADAPTER_CONFIG} names no base model") from exc


def _checked_points(path: Path, draft: Job) -> bytes:
    """The curve: steps from the first on, none left out."""
    packed = path.read_bytes()
    try:
        steps = curves.arrays(packed).steps
    except ValueError as exc:
        raise InvalidRequest("archive_unusable", detail=f"{POINTS} ends within a point") from exc
    if len(steps) > draft.total_steps or any(step != place for place, step in enumerate(steps.tolist(), start=1)):
        raise InvalidRequest("archive_unusable", detail=f"{POINTS} leaves steps out, or has more than there are")
    draft.completed_steps = len(steps)
    return packed


def _there(model_id: str, folder: Path) -> Job | None:
    """The model that was sent before, by its adapter. Raises ``AlreadyExists`` for another one."""
    found = Job.objects.filter(model_id=model_id).first()
    if found is None:
        return None
    try:
        with (files.adapter(found) / ADAPTER_WEIGHTS).open("rb") as one, (folder / ADAPTER_WEIGHTS).open("rb") as two:
            same = _same(one, two)
    except FileNotFoundError:
        same = False
    if not same:
        raise AlreadyExists(name=found.name)
    return found


def _same(one: IO[bytes], two: IO[bytes]) -> bool:
    while (left := one.read(CHUNK_BYTES)) == two.read(CHUNK_BYTES):
        if not left:
            return True
    return False


def _place(folder: Path, draft: Job) -> None:
    """Have a child write the adapter where ``draft`` has it. What is abandoned there is swept away."""
    models = Path(settings.MODELS_DIR)
    if not catalogue.is_prepared(draft.base, models):
        installing.add(NewBaseModel(name=draft.base))
        raise Unavailable("base_model_preparing", retry_after=PREPARING_SECONDS, name=draft.base)
    spec = TakeSpec(folder=folder, base=models / draft.base, target=files.adapter(draft))
    if not looks_well(start_taking(spec), LOOK_SECONDS):
        raise FailedPrecondition("adapter_missing")


def _keep(draft: Job, kept: KeptModel, points: bytes) -> Job:
    """The row with all that belongs to it, or nothing of it."""
    try:
        with files.locked(), transaction.atomic():
            draft.save(force_insert=True)
            draft.permissions.create(email=draft.sent_by, role=Role.OWNER)
            LossChunk.objects.bulk_create(_chunks(draft, points))
            ValidationPoint.objects.bulk_create(_validation(draft, kept))
    except IntegrityError as exc:
        files.discard(draft)
        raise AlreadyExists(name=draft.name) from exc
    return draft


def _chunks(draft: Job, points: bytes) -> Iterator[LossChunk]:
    size = CHUNK_POINTS * curves.POINT.itemsize
    for start in range(0, len(points), size):
        part, first = points[start : start + size], start // curves.POINT.itemsize + 1
        last = first + len(part) // curves.POINT.itemsize - 1
        yield LossChunk(job=draft, first_step=first, last_step=last, points=part)


def _validation(draft: Job, kept: KeptModel) -> Iterator[ValidationPoint]:
    lowest = float("inf")
    for said in sorted(kept.validation, key=lambda point: point.step):
        best = said.loss is not None and said.loss < lowest
        lowest = said.loss if best and said.loss is not None else lowest
        yield ValidationPoint(
            job=draft, step=said.step, epoch=said.epoch, loss=said.loss, time=draft.finished or draft.created, best=best
        )
