"""Questions and answers, in Gemini's words and in PaLM's."""

from dataclasses import dataclass
from enum import IntEnum


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
class PromptFeedback:
    """Why a question was not answered at all, at a service with filters."""

    block_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateContentResponse:
    """An answer, or a piece of one in a stream."""

    candidates: tuple[Candidate, ...] = ()
    prompt_feedback: PromptFeedback | None = None
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
