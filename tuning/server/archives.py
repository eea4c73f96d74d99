"""Folders sent as zip files, made while they are sent: nothing is held in memory, nothing is written to disk."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from tuning.errors import NotFound

CHUNK_BYTES = 256 * 1024


def zipped(source: Path, folder: str, added: Mapping[str, bytes]) -> Iterator[bytes]:
    """The files of ``source`` and what is ``added`` to them, by name, as a zip file that unpacks into ``folder``.
    Raises ``NotFound`` when ``source`` has none.

    All are opened at once, so that they come whole even when the model is deleted meanwhile. Weights are not
    compressed: there is nothing to be gained.
    """
    with ExitStack() as stack:
        paths = sorted(path for path in source.glob("*") if path.is_file() and path.name not in added)
        opened: list[tuple[str, BinaryIO]]
        opened = [(f"{folder}/{path.name}", stack.enter_context(path.open("rb"))) for path in paths]
        if not opened:
            raise NotFound("adapter_missing")
        opened += [(f"{folder}/{name}", BytesIO(content)) for name, content in added.items()]
        return _packed(opened, stack.pop_all())


def _packed(opened: Sequence[tuple[str, BinaryIO]], stack: ExitStack) -> Iterator[bytes]:
    outgoing = _Outgoing()
    with stack, ZipFile(outgoing, "w", ZIP_STORED) as archive:
        for name, file in opened:
            with archive.open(ZipInfo(name), "w") as entry:
                while chunk := file.read(CHUNK_BYTES):
                    entry.write(chunk)
                    yield outgoing.take()
    yield outgoing.take()


class _Outgoing(RawIOBase):
    """What was written and is not yet sent. It cannot seek, so zipfile writes each size behind its file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
