"""Combinations of values, and the names of their jobs."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.sweeps.grid import NAME_LENGTH, combinations, job_name, size, varied

listed = st.fixed_dictionaries(
    {
        "learning_rate": st.lists(st.floats(1e-6, 1), min_size=1, max_size=4),
        "epoch_count": st.lists(st.integers(1, 1000), min_size=1, max_size=4),
        "seed": st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3),
    }
)


@given(listed)
def test_every_combination_comes_once(values: dict[str, list[float]]) -> None:
    found = [(one["learning_rate"], one["epoch_count"], one["seed"]) for one in combinations(values)]
    assert len(found) == len(set(found)) == size(values)
    assert set(found) == {
        (rate, epochs, seed)
        for rate in values["learning_rate"]
        for epochs in values["epoch_count"]
        for seed in values["seed"]
    }


def test_only_what_differs_is_varied() -> None:
    assert varied({"learning_rate": (0.1, 0.2), "epoch_count": (5,), "seed": (1, 1)}) == ["learning_rate"]


def test_name_says_what_is_tried() -> None:
    assert job_name("Numbers", {"learning_rate": 0.002, "epoch_count": 5}, 3) == "Numbers · rate 0.002 · 5 epochs"
    assert job_name("Numbers", {"epoch_count": 1, "rank": 8}, 3) == "Numbers · 1 epoch · rank 8"


def test_name_without_room_for_the_values_has_a_number() -> None:
    values = {"learning_rate": 0.000316, "epoch_count": 12, "batch_size": 16, "rank": 64, "seed": 3}
    assert job_name("Numbers", values, 17) == "Numbers · 17"


@given(st.text(min_size=1, max_size=40), listed)
def test_names_are_short_enough_and_differ(name: str, values: dict[str, list[float]]) -> None:
    short = {field: [float(f"{one:.3g}") for one in some] for field, some in values.items()}
    names = [job_name(name, one, number) for number, one in enumerate(combinations(short), start=1)]
    assert all(len(one) <= NAME_LENGTH for one in names)
    assert len(set(names)) == len(names)
