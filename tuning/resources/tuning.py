"""Tuned models, the tasks that make them, the operations that watch these, and base models."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class ModelState(IntEnum):
    """State of a tuned model; the numbers are the proto's and appear on the wire."""

    STATE_UNSPECIFIED = 0
    CREATING = 1
    ACTIVE = 2
    FAILED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One training pair: what is asked, and the answer to be learnt."""

    text_input: str = ""
    output: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Training data sent with a create request. Never returned by a service."""

    examples: Examples | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameters:
    """How a model is tuned. ``learning_rate`` and ``learning_rate_multiplier`` exclude each other."""

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_multiplier: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TuningSnapshot:
    """The state of a tuning job after one step.

    ``step`` counts from 1, ``epoch`` from 0; ``mean_loss`` is a float32, the mean over the
    labelled tokens of the step's batch, and may be slightly negative at other services.
    """

    step: int = 0
    epoch: int = 0
    mean_loss: float = 0.0
    compute_time: datetime | None = None


@dataclass(frozen=True)
class PackedSnapshots:
    """Snapshots as they are stored, packed as :mod:`tuning.curves` says: ten thousand are written without an object
    for each. Only a server has them; what is read from the wire is a tuple of :class:`TuningSnapshot`.
    """

    data: bytes


Snapshots = tuple[TuningSnapshot, ...] | PackedSnapshots


@dataclass(frozen=True, kw_only=True, slots=True)
class TuningTask:
    start_time: datetime | None = None
    complete_time: datetime | None = None
    snapshots: Snapshots = ()
    training_data: Dataset | None = None
    hyperparameters: Hyperparameters | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TunedModelSource:
    """The tuned model that this one was tuned further from, and that model's base."""

    tuned_model: str = ""
    base_model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TunedModel:
    """A tuned model (``tunedModels/…``) and the task that made it.

    ``base_model`` and ``tuned_model_source`` exclude each other.
    """

    name: str = ""
    base_model: str | None = None
    tuned_model_source: TunedModelSource | None = None
    display_name: str = ""
    description: str = ""
    state: ModelState = ModelState.STATE_UNSPECIFIED
    create_time: datetime | None = None
    update_time: datetime | None = None
    tuning_task: TuningTask | None = None
    reader_project_numbers: tuple[int, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TunedModelPage:
    tuned_models: tuple[TunedModel, ...] = ()
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateTunedModelMetadata:
    """What an operation says about a job under way. ``completed_percent`` is a float32, 0 to 100."""

    total_steps: int = 0
    completed_steps: int = 0
    completed_percent: float = 0.0
    snapshots: Snapshots = ()
    tuned_model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """How an operation failed; ``code`` is a gRPC code (1 is "cancelled")."""

    code: int = 0
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """A long-running operation; when ``done``, either ``error`` or ``response`` is set."""

    name: str = ""
    metadata: CreateTunedModelMetadata | None = None
    done: bool = False
    error: Status | None = None
    response: TunedModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationPage:
    operations: tuple[Operation, ...] = ()
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A base model (``models/…``). Limits are in tokens."""

    name: str = ""
    version: str = ""
    display_name: str = ""
    description: str = ""
    input_token_limit: int = 0
    output_token_limit: int = 0
    supported_generation_methods: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelPage:
    models: tuple[Model, ...] = ()
    next_page_token: str = ""
