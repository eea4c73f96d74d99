"""Questions to models: from Google's and PaLM's requests to what the engine is asked, and its answers as resources.

``generateContent`` and ``generateText`` mean the same in other words, so every model has both.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from django.conf import settings

from tuning.assertions import Identity
from tuning.engine import AnswerSpec, Ending, EngineAnswer, Piece
from tuning.engine.bases.catalogue import BaseModelEntry, entry
from tuning.errors import FailedPrecondition, InvalidRequest
from tuning.jobs import JobState
from tuning.resources import (
    Candidate,
    Content,
    CountTextTokensRequest,
    CountTextTokensResponse,
    CountTokensRequest,
    CountTokensResponse,
    GenerateContentRequest,
    GenerateContentResponse,
    GenerateTextRequest,
    GenerateTextResponse,
    GenerationConfig,
    Part,
    SafetyRating,
    TextCompletion,
    TextPrompt,
    UsageMetadata,
)
from tuning.server import files, inference, unsupported
from tuning.server.base_models import Offer
from tuning.server.creation import INPUT_CHARACTERS, check_length, check_range
from tuning.server.models import Job

T = TypeVar("T")

CANDIDATES = 8
STOP_SEQUENCES = 5
STOP_SEQUENCE_CHARACTERS = 100
HIGHEST_TEMPERATURE = 2
LARGEST_TOP_K = 1_000_000
LARGEST_SEED = 2**31 - 1
LARGEST_OUTPUT = 8192
"""Tokens that may be asked of every model, as of the service's; each stops at its own limit."""


def _negligible(*harms: str) -> tuple[SafetyRating, ...]:
    return tuple(SafetyRating(category=f"HARM_CATEGORY_{harm}", probability="NEGLIGIBLE") for harm in harms)


RATINGS = _negligible("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")
"""Scripts read them, so they are there, in the service's order; nothing here judges an answer."""
PALM_RATINGS = _negligible("DEROGATORY", "TOXICITY", "VIOLENCE", "SEXUAL", "MEDICAL", "DANGEROUS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A model that can be asked, and how its answers are sampled where the question does not say."""

    name: str
    asker: str
    base: BaseModelEntry
    adapter: Path | None
    temperature: float
    top_p: float
    top_k: int


def tuned_model(job: Job, caller: Identity) -> Asked:
    """The tuned model of ``job``, for ``caller`` to ask. Raises ``FailedPrecondition`` unless its tuning succeeded."""
    if not job.is_final:
        raise FailedPrecondition("still_creating", name=job.name)
    if job.state != JobState.SUCCEEDED:
        raise FailedPrecondition("not_active", name=job.name)
    return Asked(
        name=job.name,
        asker=caller.email,
        base=entry(job.base, settings.MODELS_DIR),
        adapter=files.adapter(job),
        temperature=job.temperature,
        top_p=job.top_p,
        top_k=job.top_k,
    )


def base_model(offer: Offer, caller: Identity) -> Asked:
    return Asked(
        name=offer.name,
        asker=caller.email,
        base=offer.entry,
        adapter=None,
        temperature=offer.temperature,
        top_p=offer.top_p,
        top_k=offer.top_k,
    )


def content(asked: Asked, request: GenerateContentRequest) -> GenerateContentResponse:
    answers = inference.whole(_content_specs(asked, request))
    return GenerateContentResponse(
        candidates=tuple(_candidate(index, answer.text, answer.finish_reason) for index, answer in enumerate(answers)),
        usage_metadata=_usage(answers),
    )


def content_stream(asked: Asked, request: GenerateContentRequest) -> Generator[GenerateContentResponse, None, None]:
    """The same answer as it is made: candidate after candidate, each closed by an empty text with its finish reason;
    the last of these carries the usage.
    """
    specs = _content_specs(asked, request)
    endings: list[Ending] = []
    with closing(inference.pieces(specs)) as pieces:
        for index, said in pieces:
            if isinstance(said, Piece):
                yield GenerateContentResponse(candidates=(_candidate(index, said.text),))
                continue
            endings.append(said)
            usage = _usage(endings) if len(endings) == len(specs) else None
            last = _candidate(index, "", said.finish_reason)
            yield GenerateContentResponse(candidates=(last,), usage_metadata=usage)


def text(asked: Asked, request: GenerateTextRequest) -> GenerateTextResponse:
    prompt = _text_prompt(request.prompt)
    config = GenerationConfig(
        temperature=request.temperature,
        candidate_count=request.candidate_count,
        max_output_tokens=request.max_output_tokens,
        top_p=request.top_p,
        top_k=request.top_k,
        stop_sequences=request.stop_sequences,
    )
    answers = inference.whole(_specs(asked, prompt, config, at=""))
    completions = (TextCompletion(output=answer.text, safety_ratings=PALM_RATINGS) for answer in answers)
    return GenerateTextResponse(candidates=tuple(completions))


def token_count(asked: Asked, request: CountTokensRequest) -> CountTokensResponse:
    """As many as the question would have in the usage of its answer, its surroundings among them."""
    whole = request.generate_content_request or GenerateContentRequest(contents=request.contents)
    return CountTokensResponse(total_tokens=inference.tokens(asked.base.name, _prompt(whole, asked.name)))


def text_token_count(asked: Asked, request: CountTextTokensRequest) -> CountTextTokensResponse:
    return CountTextTokensResponse(token_count=inference.tokens(asked.base.name, _text_prompt(request.prompt)))


def _text_prompt(prompt: TextPrompt | None) -> str:
    """Raises ``InvalidRequest`` where there is none, or too much."""
    if prompt is None or not prompt.text:
        raise InvalidRequest("nothing_given", field="prompt.text")
    check_length("prompt.text", prompt.text, INPUT_CHARACTERS)
    return prompt.text


def _content_specs(asked: Asked, request: GenerateContentRequest) -> list[AnswerSpec]:
    config = request.generation_config or GenerationConfig()
    return _specs(asked, _prompt(request, asked.name), config, at="generation_config.")


def _prompt(request: GenerateContentRequest, name: str) -> str:
    """The text of the one turn there may be. Raises ``InvalidRequest``."""
    unsupported.refuse(request, name)
    turns = request.contents
    if not turns or not any(part.text for part in turns[0].parts):
        raise InvalidRequest("contents_missing")
    if len(turns) > 1:
        raise InvalidRequest("multiturn_unsupported", name=name)
    if turns[0].role not in {"", "user"}:
        raise InvalidRequest("role_unknown")
    joined = "".join(part.text or "" for part in turns[0].parts)
    check_length("contents[0].parts", joined, INPUT_CHARACTERS)
    return joined


def _specs(asked: Asked, prompt: str, config: GenerationConfig, at: str) -> list[AnswerSpec]:
    """``config`` filled up with the model's defaults, once a candidate; sampled ones differ by their seeds.

    ``at`` is where the fields stand in the request. Raises ``InvalidRequest`` for what is out of range.
    """
    spec = AnswerSpec(
        base=asked.base.name,
        adapter=asked.adapter,
        prompt=prompt,
        max_output_tokens=_or(config.max_output_tokens, asked.base.output_token_limit),
        temperature=_or(config.temperature, asked.temperature),
        top_p=_or(config.top_p, asked.top_p),
        top_k=_or(config.top_k, asked.top_k),
        stop_sequences=config.stop_sequences,
        seed=config.seed,
        asker=asked.asker,
    )
    most = max(asked.base.output_token_limit, LARGEST_OUTPUT)
    candidates = _or(config.candidate_count, 1)
    check_range(f"{at}max_output_tokens", spec.max_output_tokens, 1, most)
    check_range(f"{at}temperature", spec.temperature, 0, HIGHEST_TEMPERATURE)
    check_range(f"{at}top_p", spec.top_p, 0, 1)
    check_range(f"{at}top_k", spec.top_k, 0, LARGEST_TOP_K)
    check_range(f"{at}seed", _or(config.seed, 0), -LARGEST_SEED - 1, LARGEST_SEED)
    check_range(f"{at}candidate_count", candidates, 1, CANDIDATES)
    check_range(f"{at}stop_sequences (count)", len(spec.stop_sequences), 0, STOP_SEQUENCES)
    for sequence in spec.stop_sequences:
        check_length(f"{at}stop_sequences", sequence, STOP_SEQUENCE_CHARACTERS)
    return [replace(spec, seed=None if spec.seed is None else spec.seed + index) for index in range(candidates)]


def _candidate(index: int, said: str, finish_reason: str = "") -> Candidate:
    """Ratings belong to an answer that is whole."""
    turn = Content(parts=(Part(text=said),), role="model")
    ratings = RATINGS if finish_reason else ()
    return Candidate(content=turn, finish_reason=finish_reason, index=index, safety_ratings=ratings)


def _usage(answers: Sequence[EngineAnswer | Ending]) -> UsageMetadata:
    """The prompt counts once, however many candidates."""
    prompt, said = answers[0].prompt_tokens, sum(answer.answer_tokens for answer in answers)
    return UsageMetadata(prompt_token_count=prompt, candidates_token_count=said, total_token_count=prompt + said)


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
