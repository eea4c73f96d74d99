import pytest

from tuning.recipes import assumed, held_out


@pytest.mark.parametrize(
    ("examples", "share", "expected"),
    [
        (100, 0.1, 10),
        (15, 0.1, 2),
        (3, 0.05, 1),  # one at least
        (2, 0.9, 1),  # one is left to learn from
        (1, 0.5, 0),
        (100, 0.0, 0),
    ],
)
def test_what_is_held_out(examples: int, share: float, expected: int) -> None:
    assert held_out(examples, share) == expected


def test_a_larger_dataset_is_read_less_often_in_larger_steps() -> None:
    rows = [assumed(examples) for examples in (1, 1_000, 1_001, 10_000, 10_001, 200_000)]
    assert [(row.epoch_count, row.batch_size, row.learning_rate) for row in rows] == [
        (5, 4, 0.001),
        (5, 4, 0.001),
        (3, 8, 0.0005),
        (3, 8, 0.0005),
        (1, 16, 0.0003),
        (1, 16, 0.0003),
    ]
