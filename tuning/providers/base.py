"""What the dashboard asks of a tuning service, whichever it is.

The docstrings of :class:`Provider` are its specification; every provider is held to them by
``tests/tuning/providers/``. All methods may raise :class:`tuning.errors.ServiceError`; none blocks for
longer than its connection's time-out.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NewType, Protocol, runtime_checkable

from tuning.assertions import Identity
from tuning.jobs import JobStatus, Point
from tuning.recipes import Recipe

__all__ = [
    "Answer",
    "ApiKey",
    "BaseModel",
    "Capabilities",
    "Chronicler",
    "ConnectionSettings",
    "Export",
    "Exporter",
    "Identity",
    "JobRef",
    "JobSpec",
    "KeyIssuer",
    "LogLine",
    "LogPage",
    "Prompt",
    "Provider",
    "ProviderFactory",
    "Sample",
    "SampleAnswer",
    "Takeaway",
    "Tally",
    "TokenCounter",
]

JobRef = NewType("JobRef", str)
"""What a service needs to find a job again. Opaque to everybody but its provider."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionSettings:
    """Where a service is and how we prove who we are. Secrets and tokens never enter a log or a page."""

    base_url: str = ""
    """Empty where the kind of service has an address of its own."""
    secret: str = ""
    """Local: what assertions are signed with. Gemini: an API key, or empty."""
    token: Callable[[], str] | None = None
    """A fresh OAuth access token on every call. Raises ``Unauthenticated("reconnect")`` where the person, or whoever
    set the connection up, must sign in at the service anew."""
    project: str = ""
    location: str = ""
    bucket: str = ""
    base_models: tuple[str, ...] = ()
    """Vertex AI: what can be tuned there, where that is other than its provider knows."""

    def __repr__(self) -> str:
        return f"ConnectionSettings(base_url={self.base_url!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a service can do beyond creating, watching and asking."""

    cancel: bool = False
    """A job under way can be stopped."""
    delete: bool = False
    """A job and its model can be removed."""
    permissions: bool = False
    """Models can be shared at the service itself."""
    streaming: bool = False
    """Answers can be read while they are made."""
    validation: bool = False
    """Jobs can hold examples out, and stop early: more of :class:`Recipe` is used than Google's three."""
    recipe: frozenset[str] | None = None
    """The fields of :class:`Recipe` that are used, where that is not all of them: the others change nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseModel:
    """A model that can be tuned, or asked as it is. Limits are in tokens."""

    name: str
    display_name: str
    description: str = ""
    tunable: bool = True
    input_token_limit: int = 0
    output_token_limit: int = 0
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """A job to be started. ``dataset`` is a JSONL file of ``text_input``/``output`` rows, UTF-8, already valid;
    ``validation`` another, where the loss is to be measured on examples that are no part of the first.

    ``tuned_from`` names a tuned model of the same service to go on from; empty, it is the base model.

    ``key`` is unique to the job: creating twice with one key gives one job, so that a create whose
    answer was lost is safe to repeat.
    """

    key: str
    display_name: str
    base_model: str
    dataset: Path
    recipe: Recipe
    validation: Path | None = None
    tuned_from: str = ""
    description: str = ""
    patience: float | None = None
    """Seconds for which somebody waits until the job is taken; ``None``: for as long as the service may need. What is
    not done by then is ``Unavailable``, and goes on when the job is sent again."""
    heard: Callable[[int], None] | None = None
    """Told, while a large dataset is sent, how many percent of it have arrived."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A question and how its answer is to be sampled; ``None`` leaves a choice to the model's defaults."""

    text: str
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """``finish_reason`` is the service's own word (STOP, MAX_TOKENS …); token counts are 0 where not told."""

    text: str
    finish_reason: str
    prompt_tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key by which a person's scripts use the service. ``ending`` is its last four characters.

    ``text`` is the whole key. It is known once, when the key is made, and never enters a log or a database.
    """

    id: str
    name: str
    ending: str = ""
    text: str = ""
    created: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None

    def __repr__(self) -> str:
        return f"ApiKey(id={self.id!r}, name={self.name!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """A line of a job's log; ``level`` is info, warning or error. Never holds example text."""

    time: datetime
    level: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPage:
    """Some lines of a log. ``cursor`` is where the next page begins; one that stays the same means no more lines."""

    lines: tuple[LogLine, ...]
    cursor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleAnswer:
    step: int
    epoch: int
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A held-out example, and what the model answered to it at its epochs' ends. ``row`` counts from 1."""

    row: int
    prompt: str
    expected: str
    answers: tuple[SampleAnswer, ...]


class Export(StrEnum):
    """A form in which a model can be taken elsewhere."""

    ADAPTER = "adapter"
    """Of PEFT, and for llama.cpp, with a model card: a zip file."""
    ADAPTER_GGUF = "adapter.gguf"
    """For llama.cpp beside the base model."""
    MERGED_GGUF = "merged.gguf"
    """The whole model, for llama.cpp or Ollama."""
    MODELFILE = "modelfile"
    """By which Ollama knows what to do with that."""
    CARD = "card"
    """How the model came about and how it is used, in Markdown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Takeaway:
    """A file to be read piece by piece; closing ``chunks`` stops it. ``size`` is in bytes, where it is known."""

    content_type: str
    size: int | None
    chunks: Generator[bytes, None, None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The tokens of a dataset's ``examples``, prompt format included. None has more than ``longest``."""

    examples: int
    tokens: int
    longest: int


class Provider(Protocol):
    """A tuning service, asked on behalf of one person."""

    capabilities: Capabilities

    def base_models(self) -> Sequence[BaseModel]:
        """The models this service offers to this person, tunable ones first."""

    def create(self, spec: JobSpec) -> JobRef:
        """Start a job; at most one for a ``spec.key``, however often it is called."""

    def status(self, ref: JobRef) -> JobStatus:
        """What the service knows of the job now. Raises ``NotFound`` when it is gone, or not this person's."""

    def points(self, ref: JobRef, after: int = 0) -> Sequence[Point]:
        """The training losses after step ``after``, in order of their steps."""

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        """``status`` and ``points`` in as few requests as the service allows."""

    def cancel(self, ref: JobRef) -> None:
        """Stop a job. Cancelling one that has ended changes nothing and is no error."""

    def delete(self, ref: JobRef) -> None:
        """Remove the job, its model and its files. Deleting what is gone is no error."""

    def generate(self, model: str, prompt: Prompt) -> Answer:
        """Ask ``model`` (a tuned or a base model's name) one question."""


@runtime_checkable
class KeyIssuer(Protocol):
    """What a provider may be besides: a service that knows scripts by keys which people make here."""

    def api_keys(self) -> Sequence[ApiKey]:
        """This person's keys, those in use first."""

    def create_api_key(self, name: str) -> ApiKey:
        """A new key, with its ``text``. Raises ``FailedPrecondition`` where the person has too many."""

    def revoke_api_key(self, key_id: str) -> None:
        """Make a key useless at once. Raises ``NotFound`` where it is not this person's."""


@runtime_checkable
class Chronicler(Protocol):
    """What a provider may be besides: a service that tells how its jobs went."""

    def log(self, ref: JobRef, after: int = 0) -> LogPage:
        """The lines after the cursor ``after``; 0 is the start. A page holds as many as the service likes."""

    def samples(self, ref: JobRef) -> Sequence[Sample]:
        """The held-out examples that are answered at each epoch's end, and the answers so far."""


@runtime_checkable
class Exporter(Protocol):
    """What a provider may be besides: a service whose models can be taken elsewhere."""

    def export(self, ref: JobRef, form: Export) -> Takeaway:
        """A tuned model's file. Raises ``Unavailable`` with code ``being_made``, ``percent`` and ``retry_after`` while
        the service writes it, ``FailedPrecondition`` when the job has no model.
        """


@runtime_checkable
class TokenCounter(Protocol):
    """What a provider may be besides: a service that counts tokens before anything is started."""

    def tally(self, base_model: str, dataset: Path) -> Tally:
        """Of a JSONL file as :class:`JobSpec` has it. Raises ``NotFound`` for an unknown base model."""


class ProviderFactory(Protocol):
    def __call__(self, settings: ConnectionSettings, identity: Identity) -> Provider: ...
