"""A base model as its makers publish it: a folder of safetensors and JSON, or one GGUF file.

Nothing else is read: pickled weights may hold programs, and no code that comes with a model is ever run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from tuning.engine.bases import layout, vocabulary, weights
from tuning.engine.bases.catalogue import CONFIG_FILE, TOKENIZER_FILE
from tuning.engine.bases.gguf_files import GgufFile
from tuning.engine.bases.shape import Shape
from tuning.engine.bases.weights import Bfloat16, Float32, Size
from tuning.errors import EngineError

INDEX_FILE = "model.safetensors.index.json"
CHAT_FILES = ("tokenizer_config.json", "chat_template.jinja")
UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl")

LARGEST_JSON = 64 << 20
"""Bytes of a file that is read whole."""


class Original(Protocol):
    """What preparation wants to know. Every method raises ``EngineError`` for what cannot be used."""

    def config(self) -> dict[str, Any]: ...

    def tokenizer(self) -> bytes:
        """``tokenizer.json``."""

    def chat_template(self) -> str:
        """Empty where there is none."""

    def special_texts(self) -> dict[str, str]:
        """What a chat template calls ``bos_token`` and ``eos_token``."""

    def sizes(self) -> dict[str, Size]: ...

    def rows(self, name: str, first: int, last: int, shape: Shape) -> Float32: ...


class SafetensorsFolder:
    """A folder as transformers writes it, its weights in one file or in several."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._tensors = {
                name: found for path in _weight_files(folder) for name, found in weights.stored(path).items()
            }
        except ValueError as exc:
            raise EngineError("base_model_unreadable", detail=str(exc)[:200]) from exc

    def config(self) -> dict[str, Any]:
        return _object(self._folder / CONFIG_FILE)

    def tokenizer(self) -> bytes:
        return _whole(self._folder / TOKENIZER_FILE)

    def chat_template(self) -> str:
        """The one called ``default``, where there are several."""
        apart = self._folder / CHAT_FILES[1]
        if apart.is_file():
            return _whole(apart).decode(errors="replace")
        found = self._tokenizer_config().get("chat_template")
        if isinstance(found, list):
            named = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}
            found = named.get("default")
        return found if isinstance(found, str) else ""

    def special_texts(self) -> dict[str, str]:
        config = self._tokenizer_config()
        said = {name: config.get(name) for name in ("bos_token", "eos_token")}
        texts = {name: text.get("content") if isinstance(text, dict) else text for name, text in said.items()}
        return {name: text for name, text in texts.items() if isinstance(text, str)}

    def sizes(self) -> dict[str, Size]:
        return {name: found.size for name, found in self._tensors.items()}

    def rows(self, name: str, first: int, last: int, shape: Shape) -> Float32:
        return self._tensors[name].rows(first, last)

    def _tokenizer_config(self) -> dict[str, Any]:
        path = self._folder / CHAT_FILES[0]
        return _object(path) if path.is_file() else {}


def opened(place: Path) -> Original:
    """The model in ``place``: a folder, or a GGUF file.

    Raises ``EngineError``: ``base_model_missing`` (nothing there), ``weights_unsafe`` (pickles alone),
    ``base_model_unreadable``.
    """
    if place.is_file():
        return GgufFile(place)
    if (place / CONFIG_FILE).is_file():
        return SafetensorsFolder(place)
    if len(files := sorted(place.glob("*.gguf"))) == 1:
        return GgufFile(files[0])
    if not place.is_dir():
        raise EngineError("base_model_missing", detail=place.name)
    raise EngineError("base_model_unreadable", detail=f"neither {CONFIG_FILE} nor one GGUF file is in {place.name}")


def check(original: Original, found: Shape) -> None:
    """Raise ``EngineError`` unless everything that preparation needs is there: ``base_model_unreadable`` (a tensor is
    missing or of another size), ``tokenizer_unknown``.
    """
    sizes = original.sizes()
    for name, size in found.tensors().items():
        if sizes.get(name) != size:
            raise EngineError("base_model_unreadable", detail=f"{name} is {sizes.get(name, 'missing')}, not {size}")
    vocabulary.check(vocabulary.read(original.tokenizer()), found.vocabulary)


def blocks(original: Original, name: str, shape: Shape) -> Iterator[Bfloat16]:
    """A tensor in bfloat16, block by block."""
    size = shape.tensors()[name]
    for first, last in weights.blocks(size, layout.head_rows(name, shape) or 1):
        yield weights.to_bfloat16(original.rows(name, first, last, shape).astype(np.float32, copy=False))


def _weight_files(folder: Path) -> list[Path]:
    """The files that the index names, or the only one."""
    index = folder / INDEX_FILE
    if index.is_file():
        names = _object(index).get("weight_map")
        found = sorted(set(names.values())) if isinstance(names, dict) else []
    else:
        found = [path.name for path in folder.glob("*.safetensors")]
    if not found and any(path.suffix in UNSAFE for path in folder.iterdir()):
        raise EngineError("weights_unsafe")
    if not found or (len(found) > 1 and not index.is_file()):
        raise EngineError("base_model_unreadable", detail=f"no safetensors, or several without {INDEX_FILE}")
    return [_inside(folder, name) for name in found]


def _inside(folder: Path, name: object) -> Path:
    if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
        raise EngineError("base_model_unreadable", detail=f"{INDEX_FILE} names {name}, which is not there"[:200])
    return folder / name


def _whole(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise EngineError("base_model_unreadable", detail=f"{path.name} is too large")
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise EngineError("base_model_unreadable", detail=f"{path.name} is missing") from exc


def _object(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(_whole(path))
    except ValueError as exc:
        raise EngineError("base_model_unreadable", detail=f"{path.name} is no JSON") from exc
    if not isinstance(found, dict):
        raise EngineError("base_model_unreadable", detail=f"{path.name} is no object")
    return found
