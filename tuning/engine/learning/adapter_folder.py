"""Adapters on disk: the folder that PEFT reads and writes, and beside it the GGUF that llama.cpp reads."""

from pathlib import Path

import orjson
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tuning.engine.bases import exports
from tuning.engine.bases.shape import PROJECTIONS
from tuning.engine.learning.adapters import Adapters, Size
from tuning.engine.staging import locked, staged
from tuning.errors import EngineError

PEFT_VERSION = "0.21.2"
"""Whose format this is: https://huggingface.co/docs/peft/developer_guides/checkpoint."""


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
        config = _config(adapters.size, f"models/{base}", dropout)  # a name, no path of this machine
        (folder / exports.ADAPTER_CONFIG).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
        exports.write_adapter(folder, models / base)


def _config(size: Size, base: str, dropout: float) -> dict[str, object]:
    return {
        "peft_type": "LORA",
        "peft_version": PEFT_VERSION,
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": size.rank,
        "lora_alpha": int(size.alpha) if size.alpha == int(size.alpha) else size.alpha,
        "lora_dropout": dropout,
        "target_modules": sorted(part.rpartition(".")[2] for part in PROJECTIONS),
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "inference_mode": True,
    }
