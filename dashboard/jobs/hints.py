"""A sentence beside a field where what stands there is unusual for the dataset and the other fields.

Silence is the rule: what is usual gets no advice. The rules are of thumb; the numbers they start from are what is
assumed for a dataset of that size (:data:`tuning.recipes.ASSUMED`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from django.utils.translation import gettext, ngettext

from dashboard.templatetags.tuneboard import plain
from tuning.jobs import total_steps
from tuning.recipes import Assumed, Recipe, assumed, held_out

MANY = 3
"""So many times the usual is worth a word."""
FEW_STEPS = 10
"""Fewer optimizer steps hardly move the weights from where they started."""
RATE_SPREAD = 5
"""Rates within this factor of the usual one are usual."""
FEW_HELD_OUT = 5
"""A mean over fewer losses jumps with each of them."""
LARGE_RANK = 64
ENOUGH_FOR_LARGE_RANK = 1_000
CHARACTERS_A_TOKEN = 4
"""Of English text, roughly; of other languages fewer, so that lengths in tokens are rather too low."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A job as far as it is known: ``examples`` of the dataset, the ``longest`` of them in characters (input and
    output), and ``apart``, the examples of a dataset of their own to measure the loss on.
    """

    examples: int
    longest: int
    recipe: Recipe
    apart: int = 0

    @property
    def held_out(self) -> int:
        return self.apart or held_out(self.examples, self.recipe.validation)

    @property
    def learnt_from(self) -> int:
        return self.examples - held_out(self.examples, self.recipe.validation)

    @property
    def steps(self) -> int:
        return total_steps(self.learnt_from, self.recipe.epoch_count, self.recipe.batch_size)

    @property
    def usual(self) -> Assumed:
        return assumed(self.examples)


def hints(draft: Draft) -> dict[str, str]:
    """What there is to say, by the names of the fields."""
    said = {name: rule(draft) for name, rule in RULES.items()}
    return {name: sentence for name, sentence in said.items() if sentence}


def usual_rates(draft: Draft) -> tuple[float, float]:
    """Between what a learning rate is usual for this dataset and batch size: the rate grows with the square root of
    the batch (Krizhevsky 2014, https://arxiv.org/abs/1404.5997; for Adam: Malladi et al. 2022).
    """
    middle = draft.usual.learning_rate * sqrt(draft.recipe.batch_size / draft.usual.batch_size)
    return _rounded(middle / RATE_SPREAD), min(_rounded(middle * RATE_SPREAD), 1.0)


def _epochs(draft: Draft) -> str:
    epochs, usual = draft.recipe.epoch_count, draft.usual.epoch_count
    if epochs >= MANY * usual:
        text = ngettext(
            "%(examples)s example: %(usual)s epochs are usual; %(epochs)s would show it %(epochs)s times.",
            "%(examples)s examples: %(usual)s epochs are usual; %(epochs)s would show each example %(epochs)s times.",
            draft.examples,
        )
        return text % {"examples": f"{draft.examples:,}", "usual": usual, "epochs": f"{epochs:,}"}
    if draft.steps < FEW_STEPS and draft.recipe.batch_size <= draft.learnt_from:
        text = ngettext(
            "That makes %(steps)s step in all: hardly enough to learn anything.",
            "That makes %(steps)s steps in all: hardly enough to learn anything.",
            draft.steps,
        )
        return text % {"steps": draft.steps}
    return ""


def _batch(draft: Draft) -> str:
    batch, examples = draft.recipe.batch_size, draft.learnt_from
    if batch > examples:
        text = ngettext(
            "%(batch)s is more than the %(examples)s example to learn from.",
            "%(batch)s is more than the %(examples)s examples to learn from.",
            examples,
        )
    elif batch >= MANY * draft.usual.batch_size and 2 * batch > examples:
        text = gettext("An epoch of %(examples)s examples is hardly more than one step; a smaller batch makes more.")
    elif batch >= 8 * draft.usual.batch_size:
        text = gettext("%(usual)s is usual for %(examples)s examples; %(batch)s needs more memory a step.")
    else:
        return ""
    return text % {"batch": f"{batch:,}", "examples": f"{examples:,}", "usual": draft.usual.batch_size}


def _rate(draft: Draft) -> str:
    low, high = usual_rates(draft)
    if low <= draft.recipe.learning_rate <= high:
        return ""
    if draft.recipe.learning_rate > high:
        text = gettext("High for a batch of %(batch)s: %(low)s to %(high)s is usual. The loss may jump or diverge.")
    else:
        text = gettext("Low for a batch of %(batch)s: %(low)s to %(high)s is usual. The loss may hardly fall.")
    return text % {"batch": f"{draft.recipe.batch_size:,}", "low": plain(low), "high": plain(high)}


def _validation(draft: Draft) -> str:
    if not 0 < draft.held_out < FEW_HELD_OUT:
        return ""
    text = ngettext(
        "That holds out %(count)s example: one loss says little about the rest.",
        "That holds out %(count)s examples: a mean over so few jumps with each of them.",
        draft.held_out,
    )
    return text % {"count": draft.held_out}


def _patience(draft: Draft) -> str:
    if not 0 < draft.recipe.epoch_count <= draft.recipe.patience:
        return ""
    text = ngettext(
        "With %(count)s epoch that never stops early.",
        "With %(count)s epochs that never stops early.",
        draft.recipe.epoch_count,
    )
    return text % {"count": draft.recipe.epoch_count}


def _samples(draft: Draft) -> str:
    if not 0 < draft.held_out < draft.recipe.samples:
        return ""
    text = ngettext("Only %(count)s example is held out.", "Only %(count)s examples are held out.", draft.held_out)
    return text % {"count": draft.held_out}


def _warmup(draft: Draft) -> str:
    share = draft.recipe.warmup
    if 0 < share * draft.steps < 1:
        text = gettext("Of %(steps)s steps that is less than one: there would be no warm-up.")
    elif share > 0.5:
        text = gettext("The rate would still be rising after half of the %(steps)s steps; 0.03 to 0.1 is usual.")
    else:
        return ""
    return text % {"steps": f"{draft.steps:,}"}


def _rank(draft: Draft) -> str:
    if draft.recipe.rank < LARGE_RANK or draft.examples >= ENOUGH_FOR_LARGE_RANK:
        return ""
    text = ngettext(
        "8 to 16 is usual for %(examples)s example: more room only learns it by heart, and takes longer.",
        "8 to 16 is usual for %(examples)s examples: more room only learns them by heart, and takes longer.",
        draft.examples,
    )
    return text % {"examples": draft.examples}


def _alpha(draft: Draft) -> str:
    times = draft.recipe.alpha / draft.recipe.rank
    if 0.25 <= times <= 8:
        return ""
    text = gettext("Alpha is %(times)s times the rank, 1 to 2 times is usual: each step counts that much more or less.")
    return text % {"times": f"{times:.2g}"}


def _longest(draft: Draft) -> str:
    tokens = draft.longest // CHARACTERS_A_TOKEN
    if draft.recipe.longest is None or tokens <= draft.recipe.longest:
        return ""
    text = gettext(
        "The longest example has %(characters)s characters, about %(tokens)s tokens. One of more than %(limit)s tokens "
        "ends the job."
    )
    limit = draft.recipe.longest
    return text % {"characters": f"{draft.longest:,}", "tokens": f"{tokens:,}", "limit": f"{limit:,}"}


def _rounded(value: float) -> float:
    """``value`` in two digits: these are rules of thumb."""
    return float(f"{value:.1e}")


RULES: dict[str, Callable[[Draft], str]] = {
    "epoch_count": _epochs,
    "batch_size": _batch,
    "learning_rate": _rate,
    "validation": _validation,
    "patience": _patience,
    "samples": _samples,
    "warmup": _warmup,
    "rank": _rank,
    "alpha": _alpha,
    "longest": _longest,
}
