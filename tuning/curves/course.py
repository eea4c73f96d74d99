"""What the adviser looks at, a job's curve and what is known of the job, and what it says: findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from tuning.curves.levels import at_start, levels, run, scatter, smoothed
from tuning.curves.series import Floats
from tuning.recipes import Recipe

Validation = Sequence[tuple[int, int, float | None]]
"""(step, epoch, loss) at the ends of epochs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a curve says. ``params`` are the evidence, for the sentence of ``code``; the steps from
    ``first_step`` to ``last_step`` show it; ``changes`` are fields of a recipe as the next job should have them.
    """

    code: str
    params: dict[str, Any]
    first_step: int
    last_step: int
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What the rules look at: the finite points of a training series, and what is known of its job."""

    steps: npt.NDArray[np.uint32]
    values: Floats
    validation: list[tuple[int, int, float]]
    recipe: Recipe
    examples: int
    ended: bool

    @cached_property
    def levels(self) -> list[float]:
        return levels(self.values)

    @cached_property
    def course(self) -> list[float]:
        """The levels without those that stand alone."""
        return smoothed(self.levels)

    @cached_property
    def scatter(self) -> float:
        """Of the levels."""
        return scatter(self.levels)

    @cached_property
    def start(self) -> float:
        return at_start(self.values)

    @cached_property
    def per_epoch(self) -> float:
        return max(self.examples, 1) / self.recipe.batch_size

    @cached_property
    def first_loss(self) -> float:
        """The median of the first epoch, or of its first sixteen steps: each example counts once."""
        return float(np.median(self.values[: self.window]))

    @cached_property
    def last_loss(self) -> float:
        """The median of the last epoch or the last sixteen steps, of a long curve of its last tenth."""
        return float(np.median(self.values[-max(self.window, len(self.values) // 10) :]))

    @property
    def window(self) -> int:
        return max(1, min(round(self.per_epoch), 16, len(self.values) // 3))

    def step(self, level: int) -> int:
        """The first step of the level of that index."""
        length = run(len(self.values))
        return int(self.steps[len(self.values) % length + level * length])

    def epochs_until(self, step: int) -> int:
        """How many epochs it takes to come to the end of ``step``."""
        return max(1, ceil(step / self.per_epoch))

    def finding(self, code: str, first: int, last: int | None = None, /, **params: Any) -> Finding:
        """A finding without changes, its steps within the series, its losses short enough to be stored."""
        low, high = int(self.steps[0]), int(self.steps[-1])
        first = min(max(first, low), high)
        last = high if last is None else min(max(last, first), high)
        known = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in params.items()}
        return Finding(code=code, params=known, first_step=first, last_step=last)
