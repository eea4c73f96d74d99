"""The adviser: what it says of recorded and of made curves, and when it keeps silent."""

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning import curves
from tuning.curves.course import Finding, Validation
from tuning.jobs import Point, epoch_at
from tuning.recipes import Recipe, Schedule

RECORDED = {
    job["name"]: job for job in json.loads((Path(__file__).parents[1] / "recorded" / "curves.json").read_text())
}
PLAIN = Recipe(epoch_count=10, batch_size=4, learning_rate=0.001)


def advised(losses: Any, *, recipe: Recipe = PLAIN, examples: int = 0, **more: Any) -> tuple[Finding, ...]:
    """What is said of ``losses``, one a step. Without ``examples``, there are as many as fill the steps."""
    examples = examples or max(1, len(losses) * recipe.batch_size // recipe.epoch_count)
    points = [Point(at + 1, epoch_at(at + 1, recipe.batch_size, examples), loss, 0.0) for at, loss in enumerate(losses)]
    return curves.advise(curves.arrays(curves.pack(points)), recipe=recipe, examples=examples, **more)


def codes(*arguments: Any, **more: Any) -> list[str]:
    return [finding.code for finding in advised(*arguments, **more)]


def noise(count: int, size: float, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, size, count)


def falling(count: int, *, start: float = 3.0, end: float = 0.1, after: float = 0.5) -> Any:
    """From ``start`` towards ``end``; the share ``after`` of the steps takes it to 5 % of the way."""
    return end + (start - end) * np.exp(-3 * np.arange(count) / (after * count))


def recorded(name: str, examples: int) -> tuple[Finding, ...]:
    job = RECORDED[name]
    said = job["hyperparameters"]
    recipe = Recipe(epoch_count=said["epochCount"], batch_size=said["batchSize"], learning_rate=said["learningRate"])
    points = [Point(row["step"], row.get("epoch", 0), row["meanLoss"], 0.0) for row in job["snapshots"]]
    return curves.advise(curves.arrays(curves.pack(points)), recipe=recipe, examples=examples)


def test_recorded_job_that_went_well_needed_fewer_epochs() -> None:
    (flat,) = recorded("tunedModels/testnumbergenerator-fvitocr834l6", 25)
    assert (flat.code, flat.first_step, flat.last_step) == ("flat", 13, 16)
    assert flat.params["epoch"] == 8
    assert flat.changes == {"epoch_count": 8}


@pytest.mark.parametrize("name", ["my-display-name-81-9wpmc1m920vq", "my-display-name-81-r9wcuda14lyy"])
def test_recorded_job_whose_loss_stayed_where_it_was_is_told_so(name: str) -> None:
    (finding,) = recorded(f"tunedModels/{name}", 15)
    assert (finding.code, finding.params["percent"]) == ("hardly_fell", 0)
    assert finding.changes == {"learning_rate": 0.005}


@pytest.mark.parametrize("name", ["number-generator-model-kctlevca1g3q", "number-generator-model-w1eabln5adwp"])
def test_recorded_job_whose_batches_of_two_hide_everything_is_told_so(name: str) -> None:
    (finding,) = recorded(f"tunedModels/{name}", 15)
    assert finding.code == "unsteady"
    assert finding.params["spread"] > finding.params["gain"]
    assert finding.changes == {"batch_size": 4}


def test_five_polls_of_a_recorded_job_are_too_few_to_say_anything() -> None:
    assert recorded("tunedModels/number-generator-model-polled", 15) == ()


@pytest.mark.parametrize("count", [19, 60, 300, 5_000])
@pytest.mark.parametrize("size", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("after", [0.3, 0.6, 1.0, 2.0])
def test_good_curve_is_called_flat_at_most(count: int, size: float, after: float) -> None:
    for seed in range(5):
        assert set(codes(falling(count, after=after) + noise(count, size, seed))) <= {"flat"}


@pytest.mark.parametrize("count", [30, 300, 20_000])
def test_plateau_is_found_where_it_begins(count: int) -> None:
    (flat,) = advised(falling(count, after=0.3) + noise(count, 0.01))
    assert flat.code == "flat"
    assert 0.25 * count < flat.first_step < 0.75 * count
    assert flat.changes == {"epoch_count": flat.params["epoch"]}
    assert 3 <= flat.params["epoch"] <= 7
    assert flat.params["percent"] <= 3


def test_plateau_is_found_below_zero_too_and_in_spite_of_a_spike() -> None:
    losses = falling(200, start=1.0, end=-2.0, after=0.2)
    losses[150] = 40.0
    assert codes(losses) == ["flat"]


def test_curve_that_goes_to_exactly_zero_is_flat_there() -> None:
    (flat,) = advised([3.0, 2.0, 1.0, 0.5] + [0.0] * 16)
    assert (flat.code, flat.first_step, flat.params["percent"]) == ("flat", 5, 1)


def test_curve_that_still_falls_is_not_flat() -> None:
    assert codes(falling(200, after=2.0)) == []
    assert codes(3.0 - 2.9 * np.linspace(0, 1, 200) + noise(200, 0.2)) == []


def test_plateau_of_a_single_epoch_has_nothing_to_change() -> None:
    (flat,) = advised(falling(300, after=0.2), recipe=Recipe(epoch_count=1, batch_size=4, learning_rate=0.001))
    assert (flat.code, flat.changes) == ("flat", {})


def test_end_that_is_flat_because_the_rate_went_to_zero_is_not_held_against_it() -> None:
    losses = np.concatenate([falling(155, after=1.5), np.full(45, falling(155, after=1.5)[-1])])
    cosine = Recipe(epoch_count=10, batch_size=4, learning_rate=0.001, schedule=Schedule.COSINE)
    assert codes(losses) == ["flat"]
    assert codes(losses, recipe=cosine) == []


def test_plateau_of_a_job_under_way_waits_for_a_whole_epoch() -> None:
    losses = falling(60, after=0.3)
    assert codes(losses, examples=80, ended=False) == ["flat"]
    assert codes(losses, examples=800, ended=False) == []


def test_loss_that_turned_up_for_good_has_diverged() -> None:
    rising = np.concatenate([falling(100), 0.1 + 4 * np.linspace(0, 1, 100)]) + noise(200, 0.05)
    (finding,) = advised(rising)
    assert finding.code == "diverged"
    assert 60 <= finding.first_step <= 115
    assert finding.last_step == 200
    assert finding.changes == {"learning_rate": 0.0002}


def test_loss_that_is_no_number_has_diverged_since_then() -> None:
    (finding,) = advised([3.0, 2.0, 1.0, math.nan, math.inf, math.nan])
    assert (finding.code, finding.first_step, finding.last_step) == ("not_finite", 4, 6)
    assert finding.changes == {"learning_rate": 0.0001}
    assert [finding.code for finding in advised([math.nan] * 3)] == ["not_finite"]


def test_hole_that_closes_again_is_no_divergence() -> None:
    losses = falling(100, after=2.0)
    losses[40:43] = math.nan
    assert codes(losses) == []


@pytest.mark.parametrize("count", [12, 30, 60, 300])
def test_noise_alone_is_neither_divergence_nor_swings(count: int) -> None:
    for seed in range(40):
        losses = 1.0 + 0.5 * falling(count, end=2.0) + noise(count, 0.6, seed)
        assert not {"diverged", "exploded", "swings"} & set(codes(losses))


@pytest.mark.parametrize("height", [2.0, 50.0, 1e30])
def test_single_spike_says_nothing(height: float) -> None:
    for at in (3, 50, 98, 99):
        losses = falling(100, after=2.0)
        losses[at] = height
        assert codes(losses) == []


def test_beginning_that_exploded_and_came_back_had_too_high_a_rate() -> None:
    losses = np.concatenate([[3.0, 3.1, 3.0, 8.0, 9.0, 8.5, 6.0], falling(60)]) + noise(67, 0.05)
    finding = advised(losses)[0]
    assert (finding.code, finding.first_step) == ("exploded", 1)
    assert 7 <= finding.last_step <= 12
    assert finding.changes == {"learning_rate": 0.0003}


def test_loss_that_swings_slowly_had_too_high_a_rate() -> None:
    losses = 2.0 + np.cos(np.arange(120) / 5) + noise(120, 0.03)
    finding = advised(losses)[0]
    assert (finding.code, finding.changes) == ("swings", {"learning_rate": 0.0003})
    assert finding.params["times"] >= 3


def test_straight_line_to_the_end_could_have_gone_faster() -> None:
    (finding,) = advised(3.0 - 0.9 * np.linspace(0, 1, 200) + noise(200, 0.05))
    assert (finding.code, finding.changes) == ("still_falling", {"learning_rate": 0.002})
    assert (finding.first_step, finding.last_step) == (84, 200)


def test_high_rate_is_not_advised_to_be_higher() -> None:
    fast = Recipe(epoch_count=3, batch_size=4, learning_rate=0.02)
    (finding,) = advised(3.0 + noise(60, 0.01), recipe=fast)
    assert (finding.code, finding.changes) == ("hardly_fell", {})


def test_loss_that_is_small_already_need_not_fall() -> None:
    assert codes(0.05 + noise(60, 0.005)) == []


def test_job_under_way_hears_nothing_of_how_it_ends() -> None:
    assert codes(3.0 + noise(60, 0.01), ended=False) == []


def validated(*losses: float | None) -> Validation:
    return [(10 * at, at, loss) for at, loss in enumerate(losses, start=1)]


def test_validation_that_turns_up_names_the_best_epoch() -> None:
    (finding,) = advised(falling(60), recipe=PLAIN, validation=validated(2.0, 1.0, 0.8, None, 0.9, 1.2))
    assert finding.code == "overfitting"
    assert finding.params == {"epoch": 3, "best": 0.8, "now": 1.2, "percent": 50}
    assert (finding.first_step, finding.last_step) == (30, 60)
    assert finding.changes == {"epoch_count": 3}


@pytest.mark.parametrize(
    "losses",
    [(2.0, 1.0, 0.8, 0.9), (2.0, 1.0, 0.8, 0.81, 0.8, 0.82), (2.0, 1.5, 1.2, 1.0), (math.nan,) * 6, (1.0, 2.0)],
    ids=["one epoch", "by a hair", "falls", "no numbers", "two epochs"],
)
def test_validation_that_does_not_surely_turn_up_says_nothing(losses: tuple[float, ...]) -> None:
    assert "overfitting" not in codes(falling(60, after=2.0), validation=validated(*losses))


def test_validation_that_rises_with_the_training_loss_is_no_overfitting() -> None:
    losses = np.concatenate([falling(30), 0.5 + np.linspace(0, 0.4, 30)])
    assert "overfitting" not in codes(losses, validation=validated(2.0, 1.0, 0.8, 0.9, 1.0, 1.2))


RATES = st.floats(1e-7, 1.0)
RECIPES = st.builds(
    Recipe,
    epoch_count=st.integers(1, 1_000),
    batch_size=st.integers(1, 1_024),
    learning_rate=RATES,
    schedule=st.sampled_from(Schedule),
    warmup=st.floats(0, 1),
)
LOSSES = st.floats(width=32) | st.floats(-5, 5, width=32) | st.sampled_from([0.0, -0.0, 1.0, 3.4e38, -3.4e38])


@given(
    st.lists(LOSSES, max_size=200),
    RECIPES,
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 50), st.none() | st.floats()), max_size=12),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_whatever_comes_is_borne_and_findings_lie_within_it(  # noqa: PLR0917 - what hypothesis gives
    losses: list[float], recipe: Recipe, examples: int, validation: Validation, ended: bool, first: int
) -> None:
    points = [Point(first + at, 0, loss, 0.0) for at, loss in enumerate(losses)]
    series = curves.arrays(curves.pack(points))
    for finding in curves.advise(series, recipe=recipe, examples=examples, validation=validation, ended=ended):
        assert first <= finding.first_step <= finding.last_step < first + len(losses)
        assert json.loads(json.dumps(finding.params, allow_nan=False)) == finding.params
        assert set(finding.changes) <= {"epoch_count", "batch_size", "learning_rate"}
        assert finding.changes.get("epoch_count", 1) >= 1
        assert 0 < finding.changes.get("learning_rate", 1) <= 1
        assert 1 <= finding.changes.get("batch_size", 1) <= 1_024
    since = curves.flat_since(series.steps, series.values)
    assert since is None or first <= since < first + len(losses)


def test_hundred_thousand_points_take_no_time_to_speak_of() -> None:
    losses = falling(100_000) + noise(100_000, 0.1)
    points = [Point(at + 1, 0, loss, 0.0) for at, loss in enumerate(losses.tolist())]
    series = curves.arrays(curves.pack(points))

    def once() -> float:
        started = time.perf_counter()
        curves.advise(series, recipe=PLAIN, examples=40_000)
        return time.perf_counter() - started

    assert min(once() for _ in range(10)) < 0.03  # 6 ms on a machine at rest


def test_flat_since_names_the_step() -> None:
    assert curves.flat_since([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], [3, 2, 1, 0, 0, 0, 0, 0, 0, 0]) == 40
    assert curves.flat_since([], []) is None
