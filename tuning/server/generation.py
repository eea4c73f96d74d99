"""From a generateContent request to the inference child's answer."""

from dataclasses import replace
from threading import BoundedSemaphore
from typing import TypeVar

from django.conf import settings

from tuning.engine import AnswerSpec, EngineAnswer
from tuning.engine.answers import ask
from tuning.engine.catalogue import BaseModelEntry, entry
from tuning.errors import FailedPrecondition, InvalidRequest, Unavailable
from tuning.jobs import JobState
from tuning.resources import (
    Candidate,
    Content,
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
    Part,
    UsageMetadata,
)
from tuning.server import files
from tuning.server.base_models import Offer
from tuning.server.creation import INPUT_CHARACTERS, check_length, check_range
from tuning.server.models import InferenceChild, Job

T = TypeVar("T")

STOP_SEQUENCES = 5
STOP_SEQUENCE_CHARACTERS = 100
HIGHEST_TEMPERATURE = 2
LARGEST_TOP_K = 1_000_000
LARGEST_SEED = 2**31 - 1
SLOTS = BoundedSemaphore(5)
"""Requests of this process that may wait for answers at once: the other threads stay free for what is quick."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for a slot; then the caller is told to come again."""


def of_tuned_model(job: Job, request: GenerateContentRequest) -> GenerateContentResponse:
    """What the tuned model of ``job`` answers. Raises ``FailedPrecondition`` unless its tuning succeeded."""
    if not job.is_final:
        raise FailedPrecondition("still_creating", name=job.name)
    if job.state != JobState.SUCCEEDED:
        raise FailedPrecondition("not_active", name=job.name)
    base = entry(job.base, settings.MODELS_DIR)
    spec = _spec(base, job, _prompt(request, job.name), request.generation_config or GenerationConfig())
    return _ask(replace(spec, adapter=files.adapter(job)))


def of_base_model(offer: Offer, request: GenerateContentRequest) -> GenerateContentResponse:
    config = request.generation_config or GenerationConfig()
    return _ask(_spec(offer.entry, offer, _prompt(request, offer.name), config))


def _prompt(request: GenerateContentRequest, name: str) -> str:
    """The text of the one turn there may be. Raises ``InvalidRequest``."""
    turns = request.contents
    if not turns or not any(part.text for part in turns[0].parts):
        raise InvalidRequest("contents_missing")
    if len(turns) > 1:
        raise InvalidRequest("multiturn_unsupported", name=name)
    if turns[0].role not in {"", "user"}:
        raise InvalidRequest("role_unknown")
    text = "".join(part.text for part in turns[0].parts)
    check_length("contents[0].parts", text, INPUT_CHARACTERS)
    return text


def _spec(base: BaseModelEntry, defaults: Job | Offer, prompt: str, config: GenerationConfig) -> AnswerSpec:
    """``config`` filled up with ``defaults``. Raises ``InvalidRequest`` for what is out of range."""
    spec = AnswerSpec(
        base=base.name,
        adapter=None,
        prompt=prompt,
        max_output_tokens=_or(config.max_output_tokens, base.output_token_limit),
        temperature=_or(config.temperature, defaults.temperature),
        top_p=_or(config.top_p, defaults.top_p),
        top_k=_or(config.top_k, defaults.top_k),
        stop_sequences=config.stop_sequences,
        seed=config.seed,
    )
    at = "generation_config"
    check_range(f"{at}.max_output_tokens", spec.max_output_tokens, 1, base.output_token_limit)
    check_range(f"{at}.temperature", spec.temperature, 0, HIGHEST_TEMPERATURE)
    check_range(f"{at}.top_p", spec.top_p, 0, 1)
    check_range(f"{at}.top_k", spec.top_k, 0, LARGEST_TOP_K)
    check_range(f"{at}.seed", _or(config.seed, 0), -LARGEST_SEED - 1, LARGEST_SEED)
    check_range(f"{at}.candidate_count", _or(config.candidate_count, 1), 1, 1)
    check_range(f"{at}.stop_sequences (count)", len(spec.stop_sequences), 0, STOP_SEQUENCES)
    for sequence in spec.stop_sequences:
        check_length(f"{at}.stop_sequences", sequence, STOP_SEQUENCE_CHARACTERS)
    return spec


def _ask(spec: AnswerSpec) -> GenerateContentResponse:
    child = InferenceChild.objects.first()
    if child is None:
        raise Unavailable("inference_starting")
    if not SLOTS.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable("overloaded")
    try:
        return _response(ask(child.address, child.key, spec, settings.GENERATION_SECONDS))
    finally:
        SLOTS.release()


def _response(answer: EngineAnswer) -> GenerateContentResponse:
    content = Content(parts=(Part(text=answer.text),), role="model")
    return GenerateContentResponse(
        candidates=(Candidate(content=content, finish_reason=answer.finish_reason, index=0),),
        usage_metadata=UsageMetadata(
            prompt_token_count=answer.prompt_tokens,
            candidates_token_count=answer.answer_tokens,
            total_token_count=answer.prompt_tokens + answer.answer_tokens,
        ),
    )


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
