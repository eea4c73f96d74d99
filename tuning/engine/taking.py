"""Taking in an adapter that was made elsewhere: ``python -m tuning.engine.taking``, a :class:`TakeSpec` on standard
input. What is in its files is looked at here alone, and what llama.cpp will read is written anew.
"""

import shutil
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tuning.engine import Event, Log, TakeSpec, child
from tuning.engine.staging import locked, staged
from tuning.errors import EngineError
from tuning.recipes import LIMITS

if TYPE_CHECKING:
    from tuning.engine.bases.shape import Shape


def take(spec: TakeSpec) -> Iterator[Event]:
    """Write ``spec.target``, whole or not at all. Raises ``EngineError("adapter_unfit")``."""
    # gguf takes a moment to load; the supervisor's closing pipe must be heard meanwhile.
    from tuning.engine.bases import exports, shape  # noqa: PLC0415

    rank, alpha, dropout = _numbers(spec.folder / exports.ADAPTER_CONFIG)
    _check(spec.folder / exports.ADAPTER_WEIGHTS, shape.read(spec.base), rank)
    with locked(spec.target.parent), staged(spec.target) as folder:
        shutil.copyfile(spec.folder / exports.ADAPTER_WEIGHTS, folder / exports.ADAPTER_WEIGHTS)
        config = exports.adapter_config(rank, alpha, f"models/{spec.base.name}", dropout)
        (folder / exports.ADAPTER_CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
        exports.write_adapter(folder, spec.base)
    yield Log("info", f"rank {rank}")


def _numbers(path: Path) -> tuple[int, float, float]:
    """Rank, alpha and dropout."""
    try:
        said = orjson.loads(path.read_bytes())
        rank, alpha, dropout = said["r"], float(said["lora_alpha"]), float(said.get("lora_dropout", 0))
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise EngineError("adapter_unfit", detail=f"{path.name} cannot be read") from exc
    if type(rank) is not int or not (_within("rank", rank) and _within("alpha", alpha) and _within("dropout", dropout)):
        raise EngineError("adapter_unfit", detail=f"{path.name}: rank {rank!r:.20}, alpha {alpha}, dropout {dropout}")
    return rank, alpha, dropout


def _within(name: str, value: float) -> bool:
    lowest, highest = LIMITS[name]
    return isfinite(value) and lowest <= value <= highest


def _check(path: Path, base: "Shape", rank: int) -> None:
    """The matrices of every projection, of the right sizes, all of them numbers, and nothing else."""
    import numpy as np  # noqa: PLC0415 - as above

    from tuning.engine.bases import weights  # noqa: PLC0415

    try:
        found = weights.stored(path)
    except ValueError as exc:
        raise EngineError("adapter_unfit", detail=str(exc)) from exc
    wanted = _sizes(base, rank)
    if strange := found.keys() ^ wanted.keys():
        raise EngineError("adapter_unfit", detail=f"{path.name}: {min(strange)[:120]}")
    for name, tensor in found.items():
        if tensor.size != wanted[name]:
            raise EngineError("adapter_unfit", detail=f"{name} is {tensor.size}, not {wanted[name]}")
        if not np.isfinite(tensor.rows(0, tensor.size[0])).all():
            raise EngineError("adapter_unfit", detail=f"{name} holds what is no number")


def _sizes(base: "Shape", rank: int) -> dict[str, Any]:
    """The size of every matrix of an adapter, by PEFT's names."""
    from tuning.engine.bases.shape import PROJECTIONS  # noqa: PLC0415 - as above

    sizes = {}
    for layer in range(base.layers):
        for part in PROJECTIONS:
            outputs, inputs = base.projection(part)
            name = f"base_model.model.model.layers.{layer}.{part}"
            sizes[f"{name}.lora_A.weight"] = (rank, inputs)
            sizes[f"{name}.lora_B.weight"] = (outputs, rank)
    return sizes


if __name__ == "__main__":
    child.run(TakeSpec, take)
