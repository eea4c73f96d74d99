"""Downloading a base model from a model hub that speaks Hugging Face's HTTP API. Only what the catalogue names.

A download goes on where an earlier one was cut off. Files whose hash the hub tells are held against it.
"""

import shutil
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from tuning.engine import Event, Progress
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import CONFIG_FILE, TOKENIZER_FILE, BaseModelEntry, Hub
from tuning.engine.bases.originals import CHAT_FILES, INDEX_FILE, UNSAFE
from tuning.errors import EngineError

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two pieces."""
TRIES = 5
CHUNK = 64 << 10
TEXTS = (CONFIG_FILE, TOKENIZER_FILE, INDEX_FILE, *CHAT_FILES)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a model on the hub."""

    name: str
    size: int
    sha256: str = ""
    """Empty where the hub does not tell."""


def download(entry: BaseModelEntry, source: Hub, models: Path) -> Generator[Event, None, BaseModelEntry]:
    """Fetch the files of ``entry``; its ``Progress`` is that of the download. Returns the entry with its commit.

    Raises ``EngineError``: ``download_failed``, ``weights_unsafe``, ``does_not_fit`` (the disk is too small).
    """
    with requests.Session() as session:
        commit, files = _files(session, source)
        target = catalogue.downloaded(entry.name, models)
        target.mkdir(parents=True, exist_ok=True)
        whole = sum(file.size for file in files)
        if whole > (free := shutil.disk_usage(target).free):
            raise EngineError("does_not_fit", detail=f"{whole >> 20} MB are to be downloaded, {free >> 20} MB are free")
        done = 0
        for file in files:
            url = f"{source.endpoint}/{source.hub}/resolve/{commit}/{quote(file.name)}"
            for size in _fetch(session, url, target, file):
                yield Progress(99 * (done + size) // max(1, whole))
            done += file.size
    return replace(entry, weights=replace(source, revision=commit))


def _files(session: requests.Session, source: Hub) -> tuple[str, list[Remote]]:
    """The commit that the revision names, and its files that are wanted."""
    url = f"{source.endpoint}/api/models/{source.hub}/revision/{quote(source.revision, safe='')}"
    try:
        answer = session.get(url, params={"blobs": "true"}, timeout=TIMEOUT)
        answer.raise_for_status()
        said = answer.json()
        return str(said["sha"]), _wanted([_remote(row) for row in said["siblings"]])
    except (requests.RequestException, HTTPError) as exc:
        raise EngineError("download_failed", detail=_reason(exc)) from exc
    except (ValueError, LookupError, TypeError) as exc:
        raise EngineError("download_failed", detail="the hub's answer cannot be read") from exc


def _remote(row: dict[str, Any]) -> Remote:
    large = row.get("lfs") or {}
    return Remote(str(row["rfilename"]), int(row.get("size") or large.get("size") or 0), str(large.get("sha256", "")))


def _wanted(files: Sequence[Remote]) -> list[Remote]:
    """The texts and the safetensors, or the only GGUF. Some makers add their own layout of the same weights."""
    here = [file for file in files if "/" not in file.name and not file.name.startswith(".")]
    tensors = [file for file in here if file.name.endswith(".safetensors")]
    named = [file for file in tensors if file.name.startswith("model")]
    ggufs = [file for file in here if file.name.endswith(".gguf")]
    if weights := named or tensors:
        return [*(file for file in here if file.name in TEXTS), *weights]
    if len(ggufs) == 1:
        return ggufs
    if any(Path(file.name).suffix in UNSAFE for file in here):
        raise EngineError("weights_unsafe")
    raise EngineError("base_model_unreadable", detail="the hub has neither safetensors nor one GGUF file")


def _fetch(session: requests.Session, url: str, target: Path, file: Remote) -> Iterator[int]:
    """Bring one file; yields how many bytes of it are here."""
    place, part = target / file.name, target / f"{file.name}.part"
    if place.is_file():
        return
    for left in reversed(range(TRIES)):
        try:
            yield from _rest(session, url, part)
            break
        except (requests.RequestException, HTTPError) as exc:
            if not left or getattr(getattr(exc, "response", None), "status_code", 500) < 500:
                raise EngineError("download_failed", detail=f"{file.name}: {_reason(exc)}") from exc
    with part.open("rb") as content:
        if file.sha256 and file_digest(content, "sha256").hexdigest() != file.sha256:
            part.unlink()
            raise EngineError("hash_differs", detail=file.name)
    part.rename(place)


def _rest(session: requests.Session, url: str, part: Path) -> Iterator[int]:
    """What is missing of a file. A hub that sends it whole instead is read from the start."""
    held = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={held}-", "Accept-Encoding": "identity"} if held else {"Accept-Encoding": "identity"}
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if held and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it was here already
        answer.raise_for_status()
        resumed = answer.status_code == requests.codes.partial_content
        size = held if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_content(CHUNK):
                out.write(chunk)
                size += len(chunk)
                yield size


def _reason(exc: Exception) -> str:
    """What went wrong, without the URL: a mirror's may hold a password."""
    response = getattr(exc, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(exc).__name__
