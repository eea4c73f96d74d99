"""Tokens before anything is started. The inference child counts: the api process has no tokenizer in memory."""

from collections.abc import Sequence

from tuning.errors import InvalidRequest
from tuning.server import files, inference
from tuning.server.creation import INPUT_CHARACTERS, check_length, check_range
from tuning.server.models import Upload

TEXTS = 100


def of_texts(base: str, texts: Sequence[str]) -> dict[str, object]:
    """The tokens of each text as a prompt. Raises ``InvalidRequest`` or ``Unavailable``."""
    if not texts:
        raise InvalidRequest("nothing_given", field="texts")
    check_range("texts (count)", len(texts), 1, TEXTS)
    for index, text in enumerate(texts):
        check_length(f"texts[{index}]", text, INPUT_CHARACTERS)
    counts = [inference.tokens(base, text) for text in texts]
    return {"tokens": counts, "totalTokens": sum(counts)}


def of_dataset(base: str, upload: Upload) -> dict[str, object]:
    """The tokens of a dataset's examples. Raises ``Unavailable``, or ``NotFound`` when it has just been removed."""
    tally = inference.tally(base, files.training_data(upload.training_data))
    return {
        "examples": tally.examples,
        "inputTokens": tally.input_tokens,
        "outputTokens": tally.output_tokens,
        "longestInput": tally.longest_input,
        "longestOutput": tally.longest_output,
        "totalTokens": tally.input_tokens + tally.output_tokens,
    }
