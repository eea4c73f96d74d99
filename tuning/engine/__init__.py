"""The tuning engine: torch and llama.cpp live here and only here.

``bases`` knows the base models, ``learning`` tunes them, ``answering`` asks them; the modules beside them are the
programs of the child processes, and how they are started and heard. This module, :mod:`tuning.engine.children`,
:mod:`tuning.engine.answering.answers` and the catalogue, shape and fit of ``bases`` are the interface and import
neither of the two: heavy work happens in child processes. A child speaks in :data:`Event` values, one JSON object a
line on its standard output, and ends itself when its standard input closes, so that a killed supervisor
leaves no orphan.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tuning.recipes import Recipe
from tuning.resources import TuningSnapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneSpec:
    """One tuning job. ``examples`` is JSONL of ``text_input``/``output``; ``adapter`` the folder to be written."""

    base: str
    """Name in the catalogue, e.g. ``smollm2-135m-instruct``."""
    models: Path
    """Folder of the prepared base models."""
    examples: Path
    adapter: Path
    recipe: Recipe
    work: Path
    """The job's own folder: its tokens, its journal and its checkpoints, an earlier attempt's if there was one. Made if
    missing; whoever starts the job removes it when the job has ended.
    """
    recorded: int = 0
    """The last step that was stored. What the journal knows of later steps is told once more."""
    source: Path | None = None
    """The folder of an adapter of the same base to go on from, with its rank and alpha; ``None`` begins anew."""
    held_out: Path | None = None
    """Held-out examples of their own, instead of the recipe's share of ``examples``."""
    threads: int = 0
    """So many compute; 0 leaves it to torch. The losses' last bits depend on it."""
    checkpoint_seconds: float = 30.0
    """At most so much work is lost when the process is killed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmSpec:
    """The base model that the job of a training child will probably want."""

    base: str
    models: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSpec:
    """One question to a model. ``adapter`` is a tuned model's folder, ``None`` asks the base as it is."""

    base: str
    adapter: Path | None
    prompt: str
    max_output_tokens: int
    temperature: float
    top_p: float
    top_k: int
    """0 considers every token."""
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None
    asker: str = ""
    """Whose question it is, in any word: people take turns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineAnswer:
    """``finish_reason`` is STOP or MAX_TOKENS."""

    text: str
    finish_reason: str
    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What was added to an answer just now: whole characters, a token or a few."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How an answer ended; ``finish_reason`` is STOP or MAX_TOKENS."""

    finish_reason: str
    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer came to no end: the code and the detail of a :class:`tuning.errors.ServiceError`."""

    code: str
    detail: str = ""


Said = Piece | Ending | Broken
"""A line of an answer: pieces, then one of the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSpec:
    """A prompt whose tokens are to be counted, the prompt format's own among them."""

    base: str
    prompt: str


@dataclass(frozen=True, slots=True)
class TokenCount:
    tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TallySpec:
    """Examples whose tokens are to be counted: a JSONL file of ``text_input``/``output``."""

    base: str
    examples: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Tokens of examples, the prompt format's own among them; of all together, and the longest of each."""

    examples: int
    input_tokens: int
    output_tokens: int
    longest_input: int
    longest_output: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareSpec:
    """One base model to be made ready in the folder ``models``."""

    base: str
    models: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectSpec:
    """A base model's folder or file, to be looked at before it is prepared in the folder ``models``."""

    folder: Path
    models: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeSpec:
    """An adapter to be merged into its base: folders of both, and the GGUF file to be written."""

    base: Path
    adapter: Path
    target: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeSpec:
    """A folder with an adapter that was made elsewhere, in PEFT's format, the base model it is said to fit, and the
    folder to be written.
    """

    folder: Path
    base: Path
    target: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class InferenceSpec:
    """Where the inference child finds what it serves. ``threads`` defaults to the number of CPUs."""

    models: Path
    adapters: Path
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step was made (training)."""

    snapshot: TuningSnapshot


@dataclass(frozen=True, slots=True)
class Warmed:
    """A training child has loaded its libraries and awaits its job, if that is not there already."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The first event of every job but log lines: it goes on after this step (0: it begins). What was said of later
    steps is void.
    """

    step: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """The mean loss over the held-out examples at an epoch's end; ``best`` when none was lower so far."""

    step: int
    epoch: int
    mean_loss: float
    compute_time: datetime
    best: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """The answer to a held-out prompt at an epoch's end. ``row`` counts the held-out examples from 1."""

    step: int
    epoch: int
    row: int
    prompt: str
    expected: str
    answer: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Tuning ends before its last step, for the validation loss falls no more; ``step`` is the last one made."""

    step: int


@dataclass(frozen=True, slots=True)
class Progress:
    """So many percent are done (preparing a base model)."""

    percent: int


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the job's log. Never holds example text."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The inference child listens at ``address`` (``http://127.0.0.1:PORT``) for bearers of ``key``."""

    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Done:
    """The work is finished and its files are in place."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The work ended with a reason: a code of :class:`tuning.errors.EngineError`."""

    code: str
    detail: str = ""


Event = Warmed | Step | Resumed | Validated | Sampled | Stopped | Progress | Log | Ready | Done | Failed
