"""Weights in bfloat16, for which numpy has no type: the upper half of a float32's bits, rounded to nearest even."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import TensorSpec, deserialize, serialize_file

Float32 = NDArray[np.float32]
Bfloat16 = NDArray[np.uint16]


def to_bfloat16(values: Float32) -> Bfloat16:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def to_float32(bits: Bfloat16) -> Float32:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def save(tensors: Mapping[str, Bfloat16], path: Path) -> None:
    """Write ``tensors``, which must be contiguous, as safetensors."""
    specs = {
        name: TensorSpec(dtype="bfloat16", shape=bits.shape, data_ptr=bits.ctypes.data, data_len=bits.nbytes)
        for name, bits in tensors.items()
    }
    serialize_file(specs, path, {"format": "pt"})


def load(path: Path) -> Iterator[tuple[str, Bfloat16]]:
    """The tensors of a safetensors file in bfloat16, one after the other. Raises ``ValueError`` at another type."""
    for name, record in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]
        if record["dtype"] != "BF16":
            raise ValueError(f"{name} is {record['dtype']}, not BF16")
        yield name, np.frombuffer(record["data"], dtype=np.uint16).reshape(record["shape"])
