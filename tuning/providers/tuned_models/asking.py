"""Asking a model where the service speaks the tuned-models API."""

from collections.abc import Generator, Sequence
from contextlib import closing

from tuning.client import TunedModels
from tuning.errors import BadAnswer
from tuning.providers.base import Answer, BaseModel, Prompt
from tuning.providers.streaming import Piece
from tuning.resources import (
    Candidate,
    Content,
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
    Model,
    Part,
)

TUNES, ASKS = "createTunedModel", "generateContent"
"""Of a base model's methods, those by which it is of use here."""


class Asking:
    """What of :class:`tuning.providers.base.Provider` has to do with answers, and
    :class:`tuning.providers.streaming.Streamer`.
    """

    _service: TunedModels

    def base_models(self) -> Sequence[BaseModel]:
        """Embedders and the like are left out: they can be neither tuned nor asked."""
        offered = [
            _base_model(model)
            for model in self._service.models()
            if {TUNES, ASKS} & {*model.supported_generation_methods}
        ]
        return sorted(offered, key=lambda model: not model.tunable)

    def generate(self, model: str, prompt: Prompt) -> Answer:
        piece = _piece(self._service.generate_content(model, _question(prompt)))
        if not piece.finish_reason:
            raise BadAnswer(detail="an answer without candidates")
        return Answer(
            text=piece.text,
            finish_reason=piece.finish_reason,
            prompt_tokens=piece.prompt_tokens,
            answer_tokens=piece.answer_tokens,
        )

    def stream(self, model: str, prompt: Prompt) -> Generator[Piece, None, None]:
        with closing(self._service.stream_generate_content(model, _question(prompt))) as responses:
            for response in responses:
                yield _piece(response)


def _piece(response: GenerateContentResponse) -> Piece:
    """The first candidate's; a question that was blocked has none, and an answer that was held back no content."""
    candidate = next(iter(response.candidates), Candidate())
    blocked = response.prompt_feedback.block_reason if response.prompt_feedback else ""
    parts = candidate.content.parts if candidate.content else ()
    usage = response.usage_metadata
    return Piece(
        text="".join(part.text or "" for part in parts),
        finish_reason=candidate.finish_reason or blocked,
        prompt_tokens=usage.prompt_token_count if usage else 0,
        answer_tokens=usage.candidates_token_count if usage else 0,
    )


def _question(prompt: Prompt) -> GenerateContentRequest:
    config = GenerationConfig(
        temperature=prompt.temperature,
        top_p=prompt.top_p,
        top_k=prompt.top_k,
        max_output_tokens=prompt.max_output_tokens,
    )
    content = Content(parts=(Part(text=prompt.text),), role="user")
    return GenerateContentRequest(contents=(content,), generation_config=config)


def _base_model(model: Model) -> BaseModel:
    return BaseModel(
        name=model.name,
        display_name=model.display_name or model.name,
        description=model.description,
        tunable=TUNES in model.supported_generation_methods,
        input_token_limit=model.input_token_limit,
        output_token_limit=model.output_token_limit,
        temperature=model.temperature,
        top_p=model.top_p,
        top_k=model.top_k,
    )
