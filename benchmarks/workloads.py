"""The two jobs of ``benchmarks/tune.py``: the published tutorial's, and a longer one of made-up English.

The longer one's hundred examples are drawn by a seeded generator, so that they are the same everywhere and nothing is
downloaded: an instruction with some context, and an answer about as long.
"""

import random
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.tuning.engine.running import NUMBERS, Pair  # noqa: E402 - found from the root
from tuning.engine.bases import catalogue  # noqa: E402
from tuning.engine.bases.prompts import Prompts  # noqa: E402
from tuning.engine.learning.corpus import order  # noqa: E402
from tuning.recipes import Recipe  # noqa: E402

IGNORED = -100
"""The label of a token that is given, not learnt."""


@dataclass(frozen=True)
class Example:
    """Tokens as both sides learn them; the first ``given`` are the prompt."""

    tokens: list[int]
    given: int


@dataclass(frozen=True)
class Workload:
    """A job: its examples as texts and as tokens, and how it is tuned."""

    name: str
    pairs: list[Pair]
    recipe: Recipe
    examples: list[Example]

    @property
    def steps(self) -> int:
        return -(-len(self.pairs) * self.recipe.epoch_count // self.recipe.batch_size)

    @property
    def tokens(self) -> int:
        """Of all epochs."""
        return self.recipe.epoch_count * sum(len(example.tokens) for example in self.examples)

    def batches(self) -> list[list[int]]:
        """Which examples stand in each step: the engine's own order."""
        numbers = order(len(self.pairs), self.recipe)
        return [list(islice(numbers, self.recipe.batch_size)) for _ in range(self.steps)]

    def rows(self) -> list[dict[str, Any]]:
        """Tokens and labels in the order in which they are learnt, for TRL."""
        return [_row(self.examples[number]) for batch in self.batches() for number in batch]

    def write_examples(self, path: Path) -> None:
        """As JSONL, for the engine."""
        write_examples(path, self.pairs)

    def flops(self, base: Path) -> float:
        """The arithmetic that learning takes at the least: no product of a padding token, no logits where no label is.

        The base is frozen, so its matrices are multiplied forward and once backward (2 + 2 FLOPs a weight and token);
        an adapter's backward a second time, for its own gradient. Attention is causal: half of the square.
        """
        shape = orjson.loads((base / catalogue.CONFIG_FILE).read_bytes())
        hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
        linear = _linear_sizes(shape)
        frozen = layers * sum(inputs * outputs for inputs, outputs in linear)
        adapters = layers * self.recipe.rank * sum(inputs + outputs for inputs, outputs in linear)
        once = [
            (4 * frozen + 6 * adapters) * len(example.tokens)
            + 4 * shape["vocab_size"] * hidden * (len(example.tokens) - example.given)
            + 6 * layers * hidden * len(example.tokens) ** 2
            for example in self.examples
        ]
        return float(self.recipe.epoch_count * sum(once))


def tutorial(base: Path) -> Workload:
    """15 pairs, 5 epochs in batches of 4: 19 steps."""
    return _workload("tutorial", NUMBERS, Recipe(epoch_count=5, batch_size=4, learning_rate=1e-3), base)


def longer(base: Path) -> Workload:
    """100 examples of 47 to 703 tokens, 19,274 in all, one epoch in batches of 4: 25 steps."""
    return _workload("longer", instructions(100), Recipe(epoch_count=1, batch_size=4, learning_rate=1e-3), base)


def write_examples(path: Path, pairs: list[Pair]) -> None:
    """``pairs`` as JSONL of ``text_input``/``output``."""
    with path.open("wb") as file:
        for given, output in pairs:
            file.write(orjson.dumps({"text_input": given, "output": output}, option=orjson.OPT_APPEND_NEWLINE))


def instructions(count: int, seed: int = 5) -> list[Pair]:
    """So many instructions and answers, most of them short and some of up to 16 sentences."""
    draw = random.Random(seed)
    return [_exchange(draw, min(16, 1 + int(draw.expovariate(0.22)))) for _ in range(count)]


def _workload(name: str, pairs: list[Pair], recipe: Recipe, base: Path) -> Workload:
    entry = catalogue.entry(base.name, base.parent)
    prompts = Prompts(base, entry.prompt_format)
    return Workload(name, pairs, recipe, [_example(prompts, *pair) for pair in pairs])


def _example(prompts: Prompts, given: str, output: str) -> Example:
    prompt = prompts.prompt(given)
    return Example(prompt + prompts.output(output), len(prompt))


def _row(example: Example) -> dict[str, Any]:
    labels = [IGNORED] * example.given + example.tokens[example.given :]
    return {"input_ids": example.tokens, "labels": labels}


def _linear_sizes(shape: dict[str, Any]) -> list[tuple[int, int]]:
    """Inputs and outputs of a layer's matrices."""
    hidden, inner, heads = shape["hidden_size"], shape["intermediate_size"], shape["num_attention_heads"]
    width = shape.get("head_dim") or hidden // heads
    queries, keys = heads * width, shape["num_key_value_heads"] * width
    attention = [(hidden, queries), (hidden, keys), (hidden, keys), (queries, hidden)]
    return [*attention, (hidden, inner), (hidden, inner), (inner, hidden)]


TASKS = ["Summarise", "Rewrite for a newcomer", "Turn into advice", "Answer politely", "List what follows from"]
WHO = ["the harbour master", "a young botanist", "our night shift", "the town library", "my neighbour", "the choir"]
WHO += ["an old clockmaker", "the ferry crew", "a visiting teacher", "the bakery on the corner", "the survey team"]
DOES = ["keeps", "repairs", "has ordered", "no longer needs", "wants to compare", "carefully describes", "sells"]
DOES += ["cannot find", "has measured", "lends", "promised to deliver", "is testing", "counts"]
WHAT = ["three copper kettles", "the northern maps", "a box of seed potatoes", "spare bicycle wheels", "two telescopes"]
WHAT += ["every second lamp", "the minutes of the meeting", "a recipe for rye bread", "the tide tables", "new ropes"]
WHEN = ["before the first frost", "every other Tuesday", "since the bridge was closed", "while the ice holds"]
WHEN += ["at the end of the quarter", "as soon as the parcel arrives", "whenever it rains", "for half the usual price"]
WHY = ["because the cellar is damp", "although nobody asked", "so that visitors can see them", "to save some time"]
WHY += [
    "as the old contract says",
    "in case the power fails",
    "for the children of the valley",
    "without telling anyone",
]


def _exchange(draw: random.Random, sentences: int) -> Pair:
    """The answer takes the told facts up again, in another order and other words."""
    facts = [tuple(draw.choice(words) for words in (WHO, DOES, WHAT, WHEN, WHY)) for _ in range(sentences)]
    told = " ".join(f"{who.capitalize()} {does} {what} {when}, {why}." for who, does, what, when, why in facts)
    again = draw.sample(facts, sentences)
    answer = " ".join(f"{when.capitalize()}, {why}, {who} {does} {what}." for who, does, what, when, why in again)
    return f"{draw.choice(TASKS)}: {told}", answer
