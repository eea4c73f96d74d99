"""Advice beside the fields: silent where all is usual, a sentence with numbers where it is not."""

from typing import Any

import pytest

from dashboard.jobs.hints import Draft, hints, usual_rates
from tuning.recipes import Recipe, assumed


def draft(examples: int = 15, *, characters: int = 40, apart: int = 0, **said: Any) -> Draft:
    usual = assumed(examples)
    first = {name: getattr(usual, name) for name in ("epoch_count", "batch_size", "learning_rate")}
    return Draft(examples=examples, longest=characters, apart=apart, recipe=Recipe(**first | said))


@pytest.mark.parametrize("examples", [10, 15, 1_000, 5_000, 100_000])
def test_what_is_assumed_needs_no_advice(examples: int) -> None:
    assert hints(draft(examples)) == {}


@pytest.mark.parametrize(
    ("situation", "field", "said"),
    [
        (draft(epoch_count=50), "epoch_count", "15 examples: 5 epochs are usual; 50 would show each example 50 times."),
        (draft(epoch_count=1), "epoch_count", "4 steps in all"),
        (draft(batch_size=64), "batch_size", "64 is more than the 15 examples to learn from."),
        (draft(batch_size=13, validation=0.2), "batch_size", "13 is more than the 12 examples"),
        (draft(batch_size=12, epoch_count=9), "batch_size", "hardly more than one step"),
        (draft(900, batch_size=64), "batch_size", "4 is usual for 900 examples"),
        (draft(learning_rate=0.05), "learning_rate", "High for a batch of 4: 0.0002 to 0.005 is usual"),
        (draft(learning_rate=0.00001), "learning_rate", "Low for a batch of 4"),
        (draft(validation=0.1), "validation", "holds out 2 examples"),
        (draft(apart=1), "validation", "holds out 1 example:"),
        (draft(100, validation=0.1, patience=5), "patience", "With 5 epochs that never stops early."),
        (draft(100, validation=0.05, samples=9), "samples", "Only 5 examples are held out."),
        (draft(warmup=0.01), "warmup", "Of 19 steps that is less than one"),
        (draft(warmup=0.8), "warmup", "still be rising after half"),
        (draft(rank=128), "rank", "8 to 16 is usual for 15 examples"),
        (draft(alpha=200), "alpha", "25 times the rank"),
        (draft(characters=4_000, longest=512), "longest", "4,000 characters, about 1,000 tokens"),
    ],
)
def test_what_is_unusual_is_said_beside_its_field(situation: Draft, field: str, said: str) -> None:
    told = hints(situation)
    assert said in told[field]


def test_one_cause_has_one_sentence() -> None:
    assert list(hints(draft(batch_size=64, epoch_count=20))) == ["epoch_count", "batch_size"]
    assert list(hints(draft(learning_rate=0.05))) == ["learning_rate"]


def test_usual_rate_grows_with_the_batch() -> None:
    assert usual_rates(draft()) == (0.0002, 0.005)
    assert usual_rates(draft(100, batch_size=16)) == (0.0004, 0.01)
    assert usual_rates(draft(100_000)) == (0.00006, 0.0015)


def test_short_examples_fit() -> None:
    assert "longest" not in hints(draft(characters=2_000, longest=512))
