"""Text to tokens, in one way for tuning and for answering. Loads no torch.

The prompt format's own tokens are special; what a person wrote never is: a ``<|im_end|>`` in a prompt is text and
closes no turn.
"""

from functools import cache
from pathlib import Path

import orjson
from tokenizers import Tokenizer

from tuning.engine import Tally
from tuning.engine.bases.catalogue import TOKENIZER_FILE, PromptFormat


class Prompts:
    """The tokens of prompts and outputs for one base model."""

    def __init__(self, folder: Path, prompt_format: PromptFormat) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.encode_special_tokens = False
        self.before = self.tokens(prompt_format.before)
        self.after = self.tokens(prompt_format.after)
        self.end = self.tokens(prompt_format.end)
        self._tokenizer.encode_special_tokens = True

    @property
    def surroundings(self) -> int:
        """How many tokens the prompt format adds to a prompt."""
        return len(self.before) + len(self.after)

    def prompt(self, text: str) -> list[int]:
        """``text`` as a turn of the person's, followed by the opening of the model's."""
        return self.around(self.tokens(text))

    def around(self, tokens: list[int]) -> list[int]:
        """The person's turn made of ``tokens``, and the opening of the model's."""
        return [*self.before, *tokens, *self.after]

    def output(self, text: str) -> list[int]:
        """``text`` as the model's turn, closed."""
        return [*self.tokens(text), *self.end]

    def text(self, tokens: list[int]) -> str:
        """What ``tokens`` say; the prompt format's own among them say nothing."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True)

    def tokens(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def tally(prompts: Prompts, examples: Path) -> Tally:
    """The tokens of a JSONL file of ``text_input``/``output``. Inputs are counted whole, though tuning may cut them."""
    count = inputs = outputs = longest_input = longest_output = 0
    with examples.open("rb") as lines:
        for line in lines:
            example = orjson.loads(line)
            given, answer = len(prompts.prompt(example["text_input"])), len(prompts.output(example["output"]))
            count, inputs, outputs = count + 1, inputs + given, outputs + answer
            longest_input, longest_output = max(longest_input, given), max(longest_output, answer)
    return Tally(
        examples=count,
        input_tokens=inputs,
        output_tokens=outputs,
        longest_input=longest_input,
        longest_output=longest_output,
    )


@cache
def prompts(folder: Path, prompt_format: PromptFormat) -> Prompts:
    """The :class:`Prompts` of a prepared base model; loaded once."""
    return Prompts(folder, prompt_format)
