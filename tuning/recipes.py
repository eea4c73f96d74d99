"""How a model is tuned: every hyperparameter, and what is assumed where nothing is said.

Google's API knows three of them; the rest go through ``/tuneboard/v1`` (docs/api.md).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

LIMITS: dict[str, tuple[float, float]] = {
    "epoch_count": (1, 1_000),
    "batch_size": (1, 1_024),
    "learning_rate": (0, 1),
    "warmup": (0, 1),
    "weight_decay": (0, 1),
    "gradient_norm": (0, 1_000),
    "rank": (1, 256),
    "alpha": (0, 4_096),
    "dropout": (0, 0.9),
    "longest": (8, 1_000_000),
    "seed": (0, 2**31 - 1),
    "validation": (0, 0.9),
    "patience": (0, 1_000),
    "samples": (0, 20),
}
"""The least and the most of each number of a :class:`Recipe`."""
ABOVE_ZERO = frozenset({"learning_rate", "alpha"})
"""Those that 0 makes no sense for."""
GOOGLES = ("epoch_count", "batch_size", "learning_rate")
"""The three that Google's API knows."""
TOTAL_STEPS = 1_000_000
"""The most that epochs, batch size and examples may come to."""
RANK = 8
ALPHA_A_RANK = 2.0
"""Where only the rank is said, alpha follows it, so that what the matrices add stays as large."""


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up: as it is, or down to zero at the last step."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The hyperparameters of one job. Shares are between 0 and 1."""

    epoch_count: int
    batch_size: int
    """Examples a step."""
    learning_rate: float
    schedule: Schedule = Schedule.CONSTANT
    warmup: float = 0.0
    """The share of all steps in which the learning rate rises from zero."""
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    """Gradients longer than this are scaled down to it; 0 leaves them alone."""
    rank: int = RANK
    """Of the low-rank matrices (LoRA, Hu et al. 2021); ``alpha / rank`` scales what they add."""
    alpha: float = RANK * ALPHA_A_RANK
    dropout: float = 0.0
    """The share of the adapters' inputs that is left out, at random, in each step."""
    longest: int | None = None
    """Tokens of an example at most; ``None`` is what the base model reads."""
    seed: int = 0
    """Decides the adapters' first values and the order of the examples."""
    validation: float = 0.0
    """The share of the examples that is held out, to measure the loss on at each epoch's end."""
    patience: int = 0
    """So many epochs in a row may end without a lower validation loss before tuning stops; 0 never stops early."""
    samples: int = 0
    """So many held-out prompts are answered at each epoch's end."""


def beyond(recipe: Recipe) -> dict[str, Any]:
    """What of ``recipe`` Google's API has no words for, as a database keeps it."""
    return {name: value for name, value in asdict(recipe).items() if name not in GOOGLES}


def whole(epoch_count: int, batch_size: int, learning_rate: float, more: Mapping[str, Any]) -> Recipe:
    """The recipe of Google's three and of what :func:`beyond` gave."""
    rest = {**more, "schedule": Schedule(more.get("schedule", Schedule.CONSTANT))}
    return Recipe(epoch_count=epoch_count, batch_size=batch_size, learning_rate=learning_rate, **rest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """What is taken where a request says nothing, for a dataset of at most ``examples``."""

    examples: float
    epoch_count: int
    batch_size: int
    learning_rate: float


ASSUMED = (
    Assumed(examples=1_000, epoch_count=5, batch_size=4, learning_rate=0.001),
    Assumed(examples=10_000, epoch_count=3, batch_size=8, learning_rate=0.0005),
    Assumed(examples=float("inf"), epoch_count=1, batch_size=16, learning_rate=0.0003),
)
"""The first row is Google's own default (https://ai.google.dev/gemini-api/docs/model-tuning). A larger dataset needs
fewer looks at each example, and steps that are steadier and shorter. A multiplier multiplies its row's rate.
"""


def assumed(examples: int) -> Assumed:
    """What is taken for a dataset of so many examples."""
    return next(row for row in ASSUMED if examples <= row.examples)


def held_out(examples: int, share: float) -> int:
    """How many of so many examples are held out for validation: of a share above 0 one at least, and one at least is
    left to learn from. Which ones: the last of the order that the recipe's seed gives.
    """
    if share <= 0 or examples < 2:
        return 0
    return min(max(1, round(share * examples)), examples - 1)
