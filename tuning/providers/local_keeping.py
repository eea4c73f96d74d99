"""Handing a tuned model to a tuning server of ours."""

import tempfile
from dataclasses import asdict
from math import isfinite
from typing import IO, BinaryIO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from tuning import wire
from tuning.client.tuneboard import Tuneboard
from tuning.errors import BadAnswer, InvalidRequest
from tuning.providers.base import JobRef
from tuning.providers.keeping import Carried
from tuning.resources import HeldOutLoss, JobRecipe, KeptModel

MEMBERS = {"adapter_config.json": 64 << 10, "adapter_model.safetensors": 4 << 30}
"""Of an adapter's zip file, whatever its folder is called, and the most bytes of each."""
CHUNK_BYTES = 256 << 10


class LocalKeeping:
    """:class:`tuning.providers.keeping.Keeper`."""

    _service: Tuneboard

    def keep(self, carried: Carried) -> JobRef:
        with tempfile.TemporaryFile() as sent:
            _pack(carried, sent)
            operation = self._service.keep(carried.model.removeprefix("tunedModels/"), cast(BinaryIO, sent))
        if not operation.startswith(f"{carried.model}/operations/"):
            raise BadAnswer(detail="no operation's name")
        return JobRef(operation)


def _pack(carried: Carried, sent: IO[bytes]) -> None:
    with ZipFile(sent, "w") as archive:
        archive.writestr("model.json", wire.dumps(_told(carried)))
        archive.writestr("points.bin", carried.points)
        try:
            with ZipFile(carried.adapter) as source:
                for info in _members(source):
                    _copy(source, info, archive)
        except (BadZipFile, NotImplementedError, EOFError, RuntimeError) as exc:
            raise InvalidRequest("archive_unusable", detail=str(exc)[:200]) from exc


def _members(source: ZipFile) -> list[ZipInfo]:
    """One of each name. Raises ``InvalidRequest``."""
    found = {info.filename.rpartition("/")[2]: info for info in source.infolist()}
    try:
        chosen = [found[name] for name in MEMBERS]
    except KeyError as exc:
        raise InvalidRequest("archive_unusable", detail=f"no {exc.args[0]}") from exc
    if any(info.file_size > MEMBERS[info.filename.rpartition("/")[2]] for info in chosen):
        raise InvalidRequest("archive_unusable", detail="a file is too large")
    return chosen


def _copy(source: ZipFile, info: ZipInfo, archive: ZipFile) -> None:
    name = info.filename.rpartition("/")[2]
    with source.open(info) as read, archive.open(ZipInfo(name), "w", force_zip64=True) as written:
        while chunk := read.read(CHUNK_BYTES):
            written.write(chunk)


def _told(carried: Carried) -> KeptModel:
    shown = carried.presentation
    losses = (
        HeldOutLoss(step=point.step, epoch=point.epoch, loss=point.value if isfinite(point.value) else None)
        for point in carried.validation
    )
    return KeptModel(
        display_name=shown.display_name,
        description=shown.description,
        temperature=shown.temperature,
        top_p=shown.top_p,
        top_k=shown.top_k,
        owner=carried.owner,
        base_model=carried.base_model,
        tuned_from=carried.tuned_from,
        recipe=JobRecipe(**asdict(carried.recipe)),
        examples=carried.examples,
        held_out=carried.held_out,
        total_steps=carried.total_steps,
        stopped_step=carried.stopped,
        validation=tuple(losses),
        created=carried.created,
        started=carried.started,
        finished=carried.finished,
    )
