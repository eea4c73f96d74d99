"""What people write into a field of several values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.sweeps.forms import SENTENCES
from dashboard.sweeps.values import MOST, Spacing, Unreadable, read, written


@pytest.mark.parametrize(
    ("text", "spacing", "values"),
    [
        ("0.0005, 0.001, 0.002", Spacing.RATIOS, (0.0005, 0.001, 0.002)),
        ("5e-4 1E-3\n.002;", Spacing.RATIOS, (0.0005, 0.001, 0.002)),
        ("0,0005; 0,001", Spacing.RATIOS, (0.0005, 0.001)),
        ("0.001, 0.001, 1e-3", Spacing.RATIOS, (0.001,)),
        ("0.0001..0.01 x5", Spacing.RATIOS, (0.0001, 0.000316, 0.001, 0.00316, 0.01)),
        ("0.0001 to 0.01 × 3", Spacing.RATIOS, (0.0001, 0.001, 0.01)),
        ("0.01…0.0001 x3", Spacing.RATIOS, (0.01, 0.001, 0.0001)),
        ("0.0001–0.01", Spacing.RATIOS, (0.0001, 0.000316, 0.001, 0.00316, 0.01)),
        ("0.001..0.001 x4", Spacing.RATIOS, (0.001,)),
        ("0.001..0.01 x1", Spacing.RATIOS, (0.001,)),
        ("1..5", Spacing.WHOLE, (1, 2, 3, 4, 5)),
        ("2..10 x3", Spacing.WHOLE, (2, 6, 10)),
        ("3, 5..7, 6", Spacing.WHOLE, (3, 5, 6, 7)),
        ("0..2", Spacing.WHOLE, (0, 1, 2)),
        ("4..16", Spacing.DOUBLINGS, (4, 8, 16)),
        ("4..20", Spacing.DOUBLINGS, (4, 8, 16, 20)),
        ("4..64 x3", Spacing.DOUBLINGS, (4, 16, 64)),
        ("8", Spacing.DOUBLINGS, (8,)),
    ],
)
def test_values_are_read_as_they_are_meant(text: str, spacing: Spacing, values: tuple[float, ...]) -> None:
    assert read(text, spacing) == values


@pytest.mark.parametrize(
    ("text", "spacing", "code", "found"),
    [
        ("", Spacing.WHOLE, "empty", None),
        (" ,; ", Spacing.WHOLE, "empty", None),
        ("five", Spacing.WHOLE, "not_a_number", "five"),
        ("3, 5b, 7", Spacing.WHOLE, "not_a_number", "5b"),
        ("1-5", Spacing.WHOLE, "not_a_number", "1-5"),
        ("1..", Spacing.RATIOS, "not_a_number", "1.."),
        ("nan", Spacing.RATIOS, "not_a_number", "nan"),
        ("2.5", Spacing.WHOLE, "not_whole", "2.5"),
        ("0..0.01 x3", Spacing.RATIOS, "not_positive", "0..0.01 x3"),
        ("1..1000000000", Spacing.WHOLE, "too_many", None),
        ("0.1..0.2 x65", Spacing.RATIOS, "too_many", None),
        (" ".join(map(str, range(65))), Spacing.WHOLE, "too_many", None),
    ],
)
def test_what_cannot_be_read_says_why(text: str, spacing: Spacing, code: str, found: str | None) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text, spacing)
    assert caught.value.code == code
    assert caught.value.params.get("found") == found


@given(st.text(st.sampled_from("0123456789.,;…–x×e-+ to\n")) | st.text(), st.sampled_from(Spacing))
def test_any_text_is_values_or_a_reason(text: str, spacing: Spacing) -> None:
    try:
        values = read(text, spacing)
    except Unreadable as reason:
        code, values = reason.code, ()
    else:
        code = ""
    assert bool(values) != (code in SENTENCES)
    assert len(set(values)) == len(values) <= MOST


rates = st.floats(1e-7, 1, allow_nan=False)


@given(st.lists(rates, min_size=1, max_size=MOST, unique_by=lambda value: f"{value:.12g}"))
def test_what_is_written_is_read_again(values: list[float]) -> None:
    short = tuple(float(f"{value:.12g}") for value in values)
    assert read(written(short), Spacing.RATIOS) == short


@given(rates, rates, st.integers(2, MOST), st.sampled_from([Spacing.RATIOS]))
def test_range_holds_both_ends_and_goes_one_way(first: float, last: float, count: int, spacing: Spacing) -> None:
    first, last = float(f"{first:.6g}"), float(f"{last:.6g}")
    values = read(f"{first:.6g}..{last:.6g} x{count}", spacing)
    assert (values[0], values[-1]) == (first, last)
    assert list(values) == sorted(values, reverse=first > last)
    assert len(values) <= count


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(2, 20), st.sampled_from(Spacing))
def test_range_of_whole_numbers_stays_within_its_ends(first: int, last: int, count: int, spacing: Spacing) -> None:
    values = read(f"{first}..{last} x{count}", spacing)
    assert {values[0], values[-1]} == {first, last}
    assert all(min(first, last) <= value <= max(first, last) for value in values)
