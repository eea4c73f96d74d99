"""The resources of the tuned-models REST API, as plain values.

Source: the ``google.ai.generativelanguage`` protos, v1beta
(https://ai.google.dev/api/tuning). Attribute names are Python's; the spelling on the wire
is known to :mod:`tuning.wire` alone. A scalar that proto3 calls ``optional`` is ``None``
when it is not set; every other scalar has proto3's zero as its default.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class ModelState(IntEnum):
    """State of a tuned model; the numbers are the proto's and appear on the wire."""

    STATE_UNSPECIFIED = 0
    CREATING = 1
    ACTIVE = 2
    FAILED = 3


class GranteeType(IntEnum):
    """To whom a permission is given; the numbers are the proto's."""

    GRANTEE_TYPE_UNSPECIFIED = 0
    USER = 1
    GROUP = 2
    EVERYONE = 3


class Role(IntEnum):
    """What a permission allows; the numbers are the proto's. The smaller the number, the more it allows.

    A reader asks the model, a writer changes and shares it, too, and the owner may also delete it and give it away.
    """

    ROLE_UNSPECIFIED = 0
    OWNER = 1
    WRITER = 2
    READER = 3


class FinishReason(StrEnum):
    """Why a candidate ends where it ends."""

    STOP = "STOP"
    MAX_TOKENS = "MAX_TOKENS"
    OTHER = "OTHER"


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
class Permission:
    """One grantee's role (``tunedModels/…/permissions/…``). EVERYONE has no e-mail address."""

    name: str = ""
    grantee_type: GranteeType | None = None
    email_address: str | None = None
    role: Role | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PermissionPage:
    permissions: tuple[Permission, ...] = ()
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferOwnershipRequest:
    """``name`` is the tuned model, as in the path; ``email_address`` its new owner."""

    name: str = ""
    email_address: str = ""


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


class HarmCategory(IntEnum):
    """Kinds of harm; PaLM's six, then Gemini's. The numbers are the proto's."""

    HARM_CATEGORY_UNSPECIFIED = 0
    HARM_CATEGORY_DEROGATORY = 1
    HARM_CATEGORY_TOXICITY = 2
    HARM_CATEGORY_VIOLENCE = 3
    HARM_CATEGORY_SEXUAL = 4
    HARM_CATEGORY_MEDICAL = 5
    HARM_CATEGORY_DANGEROUS = 6
    HARM_CATEGORY_HARASSMENT = 7
    HARM_CATEGORY_HATE_SPEECH = 8
    HARM_CATEGORY_SEXUALLY_EXPLICIT = 9
    HARM_CATEGORY_DANGEROUS_CONTENT = 10
    HARM_CATEGORY_CIVIC_INTEGRITY = 11


class HarmBlockThreshold(IntEnum):
    """From which probability on an answer would be held back; the numbers are the proto's."""

    HARM_BLOCK_THRESHOLD_UNSPECIFIED = 0
    BLOCK_LOW_AND_ABOVE = 1
    BLOCK_MEDIUM_AND_ABOVE = 2
    BLOCK_ONLY_HIGH = 3
    BLOCK_NONE = 4
    OFF = 5


class Modality(IntEnum):
    """What an answer is made of; the numbers are the proto's."""

    MODALITY_UNSPECIFIED = 0
    TEXT = 1
    IMAGE = 2
    AUDIO = 3


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that is known by the name of its field alone; what it holds is not looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a turn: exactly one of these. Only text can be had here."""

    text: str | None = None
    inline_data: Unread | None = None
    file_data: Unread | None = None
    function_call: Unread | None = None
    function_response: Unread | None = None
    executable_code: Unread | None = None
    code_execution_result: Unread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    parts: tuple[Part, ...] = ()
    role: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationConfig:
    """How an answer is sampled. ``temperature`` 0 is greedy decoding. From ``response_mime_type`` on, the fields
    belong to larger models than those that are tuned.
    """

    candidate_count: int | None = None
    stop_sequences: tuple[str, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    response_mime_type: str = ""
    response_schema: Unread | None = None
    response_json_schema: Unread | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    enable_enhanced_civic_answers: bool | None = None
    response_modalities: tuple[Modality, ...] = ()
    speech_config: Unread | None = None
    thinking_config: Unread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetySetting:
    """Accepted for the sake of scripts that send it; open models have no such filter."""

    category: HarmCategory = HarmCategory.HARM_CATEGORY_UNSPECIFIED
    threshold: HarmBlockThreshold = HarmBlockThreshold.HARM_BLOCK_THRESHOLD_UNSPECIFIED


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateContentRequest:
    model: str = ""
    system_instruction: Content | None = None
    contents: tuple[Content, ...] = ()
    tools: tuple[Unread, ...] = ()
    tool_config: Unread | None = None
    safety_settings: tuple[SafetySetting, ...] = ()
    generation_config: GenerationConfig | None = None
    cached_content: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyRating:
    category: str = ""
    probability: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One answer. ``index`` is shown even when 0, as the service shows it."""

    content: Content | None = None
    finish_reason: str = ""
    index: int | None = None
    safety_ratings: tuple[SafetyRating, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageMetadata:
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    total_token_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateContentResponse:
    """An answer, or a piece of one in a stream."""

    candidates: tuple[Candidate, ...] = ()
    usage_metadata: UsageMetadata | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTokensRequest:
    """``contents`` and ``generate_content_request`` exclude each other."""

    model: str = ""
    contents: tuple[Content, ...] = ()
    generate_content_request: GenerateContentRequest | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTokensResponse:
    total_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPrompt:
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTextTokensRequest:
    model: str = ""
    prompt: TextPrompt | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CountTextTokensResponse:
    token_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateTextRequest:
    """PaLM's question; its fields mean what those of :class:`GenerationConfig` do."""

    model: str = ""
    prompt: TextPrompt | None = None
    temperature: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    safety_settings: tuple[SafetySetting, ...] = ()
    stop_sequences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TextCompletion:
    output: str = ""
    safety_ratings: tuple[SafetyRating, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateTextResponse:
    candidates: tuple[TextCompletion, ...] = ()


# Tuneboard's own, under /tuneboard/v1


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A script's key. ``key`` is its whole text, told once, when it is made; ``ending`` its last four characters."""

    id: str = ""
    name: str = ""
    key: str = ""
    ending: str = ""
    created: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyPage:
    keys: tuple[ApiKey, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NewApiKey:
    """``name`` says what the key is for."""

    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokensRequest:
    """Texts, or a dataset sent ahead (``sha256:…``), whose tokens are to be counted for ``base_model``."""

    base_model: str = ""
    texts: tuple[str, ...] = ()
    dataset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecipe:
    """How a model is tuned: :class:`tuning.recipes.Recipe` as it is asked for, and told. What is not said is assumed
    by the size of the dataset. ``learning_rate`` and ``learning_rate_multiplier`` exclude each other.
    """

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_multiplier: float | None = None
    schedule: str | None = None
    warmup: float | None = None
    weight_decay: float | None = None
    gradient_norm: float | None = None
    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    longest: int | None = None
    seed: int | None = None
    validation: float | None = None
    patience: int | None = None
    samples: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationData:
    """Examples to measure the loss on, as a dataset sent ahead: ``sha256:…``."""

    dataset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """A job with all that Tuneboard knows of: ``tuned_model`` as Google's create takes it, and the rest beside it.

    Training data stands in ``tuned_model`` or is named by ``dataset`` (``sha256:…``), not both.
    """

    tuned_model_id: str = ""
    tuned_model: TunedModel | None = None
    dataset: str = ""
    validation: ValidationData | None = None
    recipe: JobRecipe | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBaseModel:
    """A base model to be made ready: one that is known by ``name``, or a new one from a ``folder`` of the server's."""

    name: str = ""
    folder: str = ""
    display_name: str = ""
    description: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChange:
    """Jobs of a higher ``priority`` go first, whoever's they are; 0 is everybody's."""

    priority: int | None = None
