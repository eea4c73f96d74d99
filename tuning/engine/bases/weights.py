"""Weights in safetensors files, read and written a block of rows at a time, so that no file need fit into memory.

bfloat16, for which numpy has no type, is the upper half of a float32's bits, rounded to nearest even.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bfloat16 = NDArray[np.uint16]
Size = tuple[int, ...]

KINDS = {"BF16": np.uint16, "F16": np.float16, "F32": np.float32}
"""The types that are read, by safetensors' names. Pickled tensors are not: they may hold programs."""

LONGEST_HEADER = 100 << 20
"""Bytes; safetensors' own limit."""

BLOCK = 4 << 20
"""Numbers that are in memory at once."""


def to_bfloat16(values: Float32) -> Bfloat16:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def to_float32(bits: Bfloat16) -> Float32:
    return (bits.astype(np.uint32) << 16).view(np.float32)


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a safetensors file."""

    path: Path
    kind: str
    """One of :data:`KINDS`."""
    size: Size
    offset: int

    def rows(self, first: int, last: int) -> Float32:
        """The rows from ``first`` to before ``last``, in float32."""
        values = self.raw(first, last)
        return to_float32(values) if self.kind == "BF16" else values.astype(np.float32)

    def raw(self, first: int, last: int) -> NDArray[Any]:
        """The same as they are stored, mapped."""
        kind, rest = np.dtype(KINDS[self.kind]), self.size[1:]
        offset = self.offset + first * math.prod(rest) * kind.itemsize
        return np.memmap(self.path, kind, "r", offset, (last - first, *rest))


def blocks(size: Size, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) rows of blocks of a tensor, each a ``multiple`` of rows and small."""
    height = max(1, BLOCK // max(1, math.prod(size[1:])) // multiple) * multiple
    return ((first, min(first + height, size[0])) for first in range(0, size[0], height))


def stored(path: Path) -> dict[str, Stored]:
    """The tensors of a safetensors file. Raises ``ValueError`` when it is none, or has a type that is not read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LONGEST_HEADER, size - 8):
            raise ValueError(f"{path.name} is no safetensors file")
        header = orjson.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError(f"{path.name} is no safetensors file")
    header.pop("__metadata__", None)
    return {name: _stored(path, name, said, 8 + length, size) for name, said in header.items()}


def _stored(path: Path, name: str, said: Any, start: int, end: int) -> Stored:
    try:
        kind, size, (first, last) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
    except (LookupError, TypeError, ValueError) as exc:
        raise ValueError(f"{path.name} does not describe {name}") from exc
    if kind not in KINDS:
        raise ValueError(f"{name} is {kind}, not one of {', '.join(KINDS)}")
    numbers = (*size, first, last)
    if not all(type(number) is int and number >= 0 for number in numbers) or start + last > end:
        raise ValueError(f"{path.name} ends before {name} does")
    if last - first != math.prod(size) * np.dtype(KINDS[kind]).itemsize:
        raise ValueError(f"{path.name} does not describe {name}")
    return Stored(path, kind, size, start + first)


def write(path: Path, sizes: Mapping[str, Size], rows: Callable[[str], Iterable[Bfloat16]]) -> Iterator[str]:
    """Write tensors as safetensors in bfloat16; ``rows`` gives the blocks of one. Yields each name when written."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, size in sizes.items():
        last = offset + 2 * math.prod(size)
        header[name] = {"dtype": "BF16", "shape": size, "data_offsets": (offset, last)}  # type: ignore[dict-item]
        offset = last
    text = orjson.dumps(header)
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sizes:
            for block in rows(name):
                file.write(np.ascontiguousarray(block).data)  # tofile() would not say why it cannot
            yield name


def save(tensors: Mapping[str, Bfloat16], path: Path) -> None:
    """Write ``tensors`` as safetensors."""
    sizes = {name: bits.shape for name, bits in tensors.items()}
    for _ in write(path, sizes, lambda name: [tensors[name]]):
        pass


def load(path: Path) -> Iterator[tuple[str, Bfloat16]]:
    """The tensors of a safetensors file in bfloat16, mapped. Raises ``ValueError`` at another type."""
    for name, found in stored(path).items():
        if found.kind != "BF16":
            raise ValueError(f"{name} is {found.kind}, not BF16")
        yield name, found.raw(0, found.size[0])
