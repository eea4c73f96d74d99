"""Files that are sent, for as long as there is time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tuning.errors import TimedOut


@dataclass(frozen=True, slots=True)
class Timely:
    """A file on its way, of which nothing is read any more when the time is over."""

    file: BinaryIO
    deadline: float

    def __iter__(self) -> Iterator[bytes]:  # by which requests knows what to send as it is read
        return iter(self.file)

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self.deadline:
            raise TimedOut(detail="it was taken too slowly")
        return self.file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()
