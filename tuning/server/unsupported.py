"""What a request may ask of larger models, but of none that is tuned here; refused as the service refused it."""

from tuning.errors import InvalidRequest
from tuning.resources import GenerateContentRequest, GenerationConfig, Modality, Part

PLAIN_TEXT = {"", "text/plain"}
JSON = "application/json"


def refuse(request: GenerateContentRequest, name: str) -> None:
    """Raise ``InvalidRequest`` for the first such thing in ``request``; ``name`` is the model's."""
    config = request.generation_config or GenerationConfig()
    parts = [part for turn in request.contents for part in turn.parts]
    asked = {
        "json_mode_unsupported": _asks_for_json(config),
        "mime_type_unknown": config.response_mime_type not in PLAIN_TEXT,
        "system_instruction_unsupported": request.system_instruction is not None,
        "tools_unsupported": request.tools or request.tool_config or any(map(_is_call, parts)),
        "images_unsupported": any(map(_is_file, parts)),
        "cache_unsupported": request.cached_content,
        "penalty_unsupported": config.presence_penalty or config.frequency_penalty,
        "logprobs_unsupported": config.response_logprobs or config.logprobs,
        "modalities_unsupported": config.speech_config or set(config.response_modalities) - {Modality.TEXT},
        "thinking_unsupported": config.thinking_config,
        "civic_answers_unsupported": config.enable_enhanced_civic_answers,
    }
    for code, present in asked.items():
        if present:
            raise InvalidRequest(code, name=name)


def _asks_for_json(config: GenerationConfig) -> bool:
    schema = config.response_schema or config.response_json_schema
    return config.response_mime_type == JSON or schema is not None


def _is_file(part: Part) -> bool:
    return bool(part.inline_data or part.file_data)


def _is_call(part: Part) -> bool:
    return bool(part.function_call or part.function_response or part.executable_code or part.code_execution_result)
