"""Adapters on disk: the folder that PEFT reads and writes, and beside it the GGUF that llama.cpp reads."""

from pathlib import Path

import orjson
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tuning.engine.bases import exports
from tuning.engine.learning.adapters import Adapters, Size
from tuning.engine.staging import locked, staged
from tuning.errors import EngineError


def size(folder: Path) -> Size:
    """Rank and alpha of the adapter in ``folder``. Raises ``EngineError("source_missing")``."""
    try:
        config = orjson.loads((folder / exports.ADAPTER_CONFIG).read_bytes())
        return Size(config["r"], config["lora_alpha"])
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise EngineError("source_missing") from exc


def load(folder: Path, adapters: Adapters) -> None:
    """Take the values in ``folder``. Raises ``EngineError("source_missing")``."""
    try:
        adapters.load(load_file(folder / exports.ADAPTER_WEIGHTS))
    except (OSError, SafetensorError) as exc:
        raise EngineError("source_missing") from exc


def save(adapters: Adapters, target: Path, base: str, models: Path, dropout: float) -> None:
    """Put the folder ``target`` in place. Raises ``OSError``."""
    with locked(target.parent), staged(target) as folder:
        save_file(adapters.tensors(), folder / exports.ADAPTER_WEIGHTS, {"format": "pt"})
        size = adapters.size
        config = exports.adapter_config(size.rank, size.alpha, f"models/{base}", dropout)
        (folder / exports.ADAPTER_CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
        exports.write_adapter(folder, models / base)
