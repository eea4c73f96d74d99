"""What jobs keep on disk: their training data, shared by content, and the adapters they make."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import orjson
from django.conf import settings
from django.db.models import Q

from tuning.engine import staging
from tuning.errors import FailedPrecondition
from tuning.jobs import JobState
from tuning.resources import Example
from tuning.server.models import RESUMABLE, Job, Upload

ABANDONED_SECONDS = 3600.0
"""Younger files may belong to a job that is being created at this moment."""
MERGED_SECONDS = 86400.0
"""So long a merged model is kept after somebody wanted it."""


def training_data(digest: str) -> Path:
    return Path(settings.TRAINING_DIR) / f"{digest}.jsonl"


def merged(job: Job) -> Path:
    """The tuned model as one GGUF file; made when wanted: :mod:`tuning.server.merged`."""
    return Path(settings.MERGED_DIR) / f"{job.operation_id}-{job.attempt}.gguf"


def open_training_data(job: Job) -> BinaryIO:
    """The examples of ``job`` as JSONL. Raises ``FileNotFoundError`` when they are kept no longer."""
    if job.data_removed:
        raise FileNotFoundError  # the same examples may still be there for somebody else's job
    return training_data(job.training_data).open("rb")


def adapter(job: Job) -> Path:
    """The folder of the adapter that the job's present attempt makes.

    No two attempts share a folder, nor does a new model that takes a deleted one's name: a late writer spoils
    nothing, and whoever has the old adapter in memory cannot take it for the new one.
    """
    return Path(settings.ADAPTERS_DIR) / job.model_id / f"{job.operation_id}-{job.attempt}"


def source(job: Job) -> Path:
    """The folder of the adapter that the job goes on from: its own, so that the source may be deleted meanwhile."""
    return Path(settings.SOURCES_DIR) / job.operation_id


def work(job: Job) -> Path:
    """The folder in which the job's present attempt keeps what the next one goes on from; gone when it has ended."""
    return Path(settings.WORK_DIR) / f"{job.operation_id}-{job.attempt}"


def take_over(job: Job) -> Path:
    """The work folder of the present attempt, with what the one before left in it.

    The folder gets a new name, and the journal becomes another file: a child of an older attempt that still lives,
    because its tuner was paused, finds nowhere to write that this attempt reads.
    """
    folder = work(job)
    folder.parent.mkdir(parents=True, exist_ok=True)
    *older, newest = sorted(_works(job), key=_attempt) or [folder]
    if newest != folder:
        newest.rename(folder)
        for journal in folder.glob("*.jsonl"):
            aside = journal.with_name(f".{journal.name}.part")
            shutil.copyfile(journal, aside)
            aside.replace(journal)
    for left in older:
        shutil.rmtree(left, ignore_errors=True)
    return folder


@contextmanager
def locked() -> Iterator[None]:
    """Nobody else creates or removes jobs' files meanwhile.

    A row and its files come and go together under this lock, so that a deleted job cannot take along the file that
    a new one with the same data has just found.
    """
    folder = Path(settings.TRAINING_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_training_data(examples: Iterable[Example]) -> str:
    """Store ``examples`` as JSONL under their SHA-256, which is returned. To be called :func:`locked`."""
    lines = (orjson.dumps({"text_input": example.text_input, "output": example.output}) for example in examples)
    content = b"".join(line + b"\n" for line in lines)
    digest = sha256(content).hexdigest()
    place = training_data(digest)
    if not place.exists():
        aside = place.with_name(f".{digest}")
        aside.write_bytes(content)
        aside.replace(place)
    return digest


def keep_source(job: Job, tuned: Job) -> None:
    """Keep the adapter of ``tuned`` for ``job`` to go on from. Adapters are never changed, so links will do.

    To be called :func:`locked`. Raises ``FailedPrecondition`` when there is no adapter.
    """
    try:
        shutil.copytree(adapter(tuned), source(job), copy_function=_link)
    except FileNotFoundError as exc:
        raise FailedPrecondition("adapter_missing") from exc


def _link(original: str, place: str) -> None:
    try:
        os.link(original, place)
    except OSError:  # a file system without links
        shutil.copy2(original, place)


def free(job: Job) -> None:
    """Remove the files of a job whose row is gone; training data only if no other uses it.

    To be called :func:`locked`.
    """
    folder = adapter(job).parent
    for attempt in folder.glob(f"*{job.operation_id}-*"):
        shutil.rmtree(attempt, ignore_errors=True)
    with suppress(OSError):  # not empty: a new model of that name
        folder.rmdir()
    shutil.rmtree(source(job), ignore_errors=True)
    for file in Path(settings.MERGED_DIR).glob(f"{job.operation_id}-*"):
        file.unlink(missing_ok=True)
    remove_work(job)
    remove_unused(job)


def make_ready_again(job: Job) -> bool:
    """See to it that ``job``, which has ended, finds what another attempt needs. Whether there are checkpoints.

    To be called :func:`locked`. Raises ``FailedPrecondition`` when its examples, or the adapter it began with, are
    gone.
    """
    if job.data_removed or not training_data(job.training_data).exists():
        raise FailedPrecondition("training_data_gone", name=job.name)
    if job.source and not source(job).exists():
        tuned = Job.objects.filter(model_id=job.source.removeprefix("tunedModels/"), state=JobState.SUCCEEDED).first()
        if tuned is None:
            raise FailedPrecondition("adapter_missing")
        keep_source(job, tuned)
    return bool(_works(job))


def remove_work(job: Job) -> None:
    """Remove what the next attempt would go on from."""
    for folder in _works(job):
        shutil.rmtree(folder, ignore_errors=True)


def remove_unused(job: Job) -> None:
    """Remove the training data of ``job`` that neither a job nor an upload uses. To be called :func:`locked`."""
    for digest in filter(None, (job.training_data, job.validation_data)):
        if not _in_use(digest):
            training_data(digest).unlink(missing_ok=True)


def discard(job: Job) -> None:
    """Remove what an attempt wrote that came to nothing: its adapter, whole or half."""
    for folder in (adapter(job), staging.aside(adapter(job))):
        shutil.rmtree(folder, ignore_errors=True)
    settle(job)


def settle(job: Job) -> None:
    """Remove what a job that has ended needs no longer; everything, when its row is gone."""
    state, failure = Job.objects.filter(pk=job.pk).values_list("state", "failure_code").first() or (None, "")
    if state is None:
        with locked():
            free(job)
    elif JobState(state).is_final and failure not in RESUMABLE:
        shutil.rmtree(source(job), ignore_errors=True)
        remove_work(job)


def sweep() -> None:
    """Remove what was left behind by processes killed at a bad moment, and datasets that nobody came to use."""
    with locked():
        Upload.objects.stale().delete()
        _sweep()


def _works(job: Job) -> list[Path]:
    return list(Path(settings.WORK_DIR).glob(f"{job.operation_id}-*"))


def _attempt(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _in_use(digest: str) -> bool:
    used = Job.objects.filter(Q(training_data=digest) | Q(validation_data=digest), data_removed=None)
    return used.exists() or Upload.objects.filter(training_data=digest).exists()


def _sweep() -> None:
    known = {adapter(job) for job in Job.objects.only("model_id", "operation_id", "attempt")}
    needed = [*Job.objects.unfinished().only("operation_id"), *Job.objects.resumable().only("operation_id")]
    known |= {source(job) for job in needed}
    for folder in [*Path(settings.ADAPTERS_DIR).glob("*/*"), *Path(settings.SOURCES_DIR).glob("*")]:
        if folder not in known and _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    going_on = {job.operation_id for job in needed}
    for folder in Path(settings.WORK_DIR).glob("*-*"):
        if folder.name.rpartition("-")[0] not in going_on and _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for file in Path(settings.MERGED_DIR).glob("*"):
        if _abandoned(file, MERGED_SECONDS):
            file.unlink(missing_ok=True)
    for file in Path(settings.TRAINING_DIR).glob("*.jsonl"):
        if _abandoned(file) and not _in_use(file.stem):
            file.unlink(missing_ok=True)


def _abandoned(path: Path, after: float = ABANDONED_SECONDS) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > after
    return False
