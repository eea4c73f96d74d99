"""Datasets sent ahead and named by their hash, so that a large one is never a part of a JSON body in memory.

The file is streamed to disk and read row by row. What is kept is its examples' JSONL, stored as that of jobs is, once
however many use it; but each person has to send a dataset to name it, so that nobody learns what others have. One
that no job of its owner's uses is removed after a day.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now
from django.http import HttpRequest

from tuning import datasets
from tuning.assertions import Identity
from tuning.datasets import Limits, Parsed
from tuning.errors import DatasetError, Exhausted, InvalidRequest, NotFound, Unavailable
from tuning.server import files
from tuning.server.models import Upload

CHUNK_BYTES = 256 * 1024
QUOTA = 4
"""So many datasets of the largest size may wait for a person's jobs."""
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
NAME = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
"""How ``create`` names a dataset."""
SLOTS = BoundedSemaphore(3)
"""Uploads that this process reads at once: the other threads stay free for what is quick."""
PATIENCE_SECONDS = 2.0


def receive(owner: Identity, digest: str, request: HttpRequest) -> Upload:
    """Keep the JSONL that is the body of ``request``, if its SHA-256 is ``digest``. Sent again, it is kept longer.

    Raises ``InvalidRequest`` for what is no such dataset, ``Exhausted`` where too much waits to be used already.
    """
    if not SHA256.fullmatch(digest):
        raise InvalidRequest("bad_hash", sha256=digest[:80])
    _check_room(owner, _length(request))
    with _slot(), _aside() as aside:
        if _copy(request, aside) != digest:
            raise InvalidRequest("hash_differs", sha256=digest)
        parsed = _parsed(cast(BinaryIO, aside))
        return _keep(owner, digest, parsed)


def find(owner: Identity, digest: str) -> Upload:
    """What ``owner`` has sent under this hash. Raises ``NotFound``."""
    found = (
        Upload.objects.filter(owner=owner.email.lower(), sha256=digest).first() if SHA256.fullmatch(digest) else None
    )
    if found is None:
        raise NotFound("dataset_missing", sha256=digest[:80])
    return found


def named(owner: Identity, name: str) -> Upload:
    """The dataset that ``create`` calls ``sha256:…``. Raises ``InvalidRequest`` or ``NotFound``."""
    if not (match := NAME.fullmatch(name)):
        raise InvalidRequest("bad_dataset_name", name=name[:80])
    return find(owner, match[1])


def _length(request: HttpRequest) -> int:
    """Bytes of the body. Raises ``InvalidRequest`` where they are not told, or too many."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in request.META or not length.isdigit():
        raise InvalidRequest("length_required")
    if int(length) > settings.MAX_DATASET_BYTES:
        raise InvalidRequest("body_too_large")
    return int(length)


def _check_room(owner: Identity, more: int) -> None:
    kept = Upload.objects.unused().filter(owner=owner.email.lower()).aggregate(sum=Sum("size"))["sum"] or 0
    if kept + more > QUOTA * settings.MAX_DATASET_BYTES:
        raise Exhausted("uploads_full")


@contextmanager
def _slot() -> Iterator[None]:
    if not SLOTS.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable("uploads_busy", retry_after=PATIENCE_SECONDS)
    try:
        yield
    finally:
        SLOTS.release()


@contextmanager
def _aside() -> Iterator[IO[bytes]]:
    """A file without a name, gone when the block ends however it ends."""
    folder = Path(settings.TRAINING_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        yield file


def _copy(request: HttpRequest, aside: IO[bytes]) -> str:
    """Stream the body into ``aside``. Returns its SHA-256."""
    seen = sha256()
    while chunk := request.read(CHUNK_BYTES):
        seen.update(chunk)
        aside.write(chunk)
    aside.seek(0)
    return seen.hexdigest()


def _parsed(file: BinaryIO) -> Parsed:
    try:
        return datasets.parse(file, "upload.jsonl", limits=Limits(file_bytes=settings.MAX_DATASET_BYTES))
    except DatasetError as exc:
        first = exc.problems[0]
        place = "the file" if first.row is None else f"row {first.row}"
        raise InvalidRequest("dataset_unusable", problem=first.code, place=place, count=exc.count) from exc


def _keep(owner: Identity, digest: str, parsed: Parsed) -> Upload:
    facts = {"training_data": parsed.sha256, "examples": parsed.count, "size": parsed.size, "created": Now()}
    with files.locked():
        if not files.training_data(parsed.sha256).exists():
            parsed.write_jsonl(files.training_data(parsed.sha256))
        kept, _ = Upload.objects.update_or_create(owner=owner.email.lower(), sha256=digest, defaults=facts)
    kept.refresh_from_db()  # created: by the database's clock
    return kept


def hold(upload: Upload) -> str:
    """The SHA-256 of its training data, for a job that is inserted under the same lock (:func:`files.locked`).

    Raises ``NotFound`` when it was swept away meanwhile.
    """
    return find(Identity(email=upload.owner), upload.sha256).training_data
