"""Scores of answers, and intervals of shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.evaluations.scoring import Share, differences, normalised, score

texts = st.text(max_size=40)


@pytest.mark.parametrize(
    ("expected", "answer", "exact", "nearly"),
    [
        ("LXIV", "LXIV", True, True),
        ("LXIV", " LXIV\n", True, True),
        ("LXIV", "lxiv.", False, True),
        ("It’s  four", "it's four!", False, True),
        ("LXIV", "LXV", False, False),
        ("!", "?", False, False),
        ("", "", True, True),
        ("four", "", False, False),
    ],
)
def test_answer_is_as_expected_or_nearly(expected: str, answer: str, exact: bool, nearly: bool) -> None:
    found = score(expected, answer)
    assert (found.exact, found.normalised) == (exact, nearly)


def test_similarity_is_one_less_the_share_of_characters_to_be_changed() -> None:
    assert score("kitten", "sitting").similarity == pytest.approx(1 - 3 / 7)
    assert score("abc", "xyz").similarity == 0


@given(texts, texts)
def test_similarity_lies_between_0_and_1_either_way_round(one: str, other: str) -> None:
    there, back = score(one, other), score(other, one)
    assert 0 <= there.similarity <= 1
    assert there.similarity == pytest.approx(back.similarity)
    assert there.exact == (there.similarity == 1)
    assert there.normalised or not there.exact


@given(texts)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == normalised(normalised(once))
    assert score(text, f"\n {text}\t").exact


@given(texts, texts)
def test_differences_are_the_answer_piece_by_piece(expected: str, answer: str) -> None:
    pieces = differences(expected, answer)
    assert "".join(text for text, _differs in pieces) == answer
    if answer == expected.strip():
        assert not any(differs for _text, differs in pieces)


def test_differing_words_are_marked() -> None:
    assert differences("the red house", "the blue house") == [("the ", False), ("blue", True), (" house", False)]


def test_interval_is_wilsons() -> None:
    share = Share(8, 10)  # Newcombe 1998, and every table of it
    assert (share.low, share.high) == (pytest.approx(0.4902, abs=5e-5), pytest.approx(0.9433, abs=5e-5))
    assert Share(0, 10).low == 0
    assert Share(0, 10).high == pytest.approx(0.2775, abs=5e-5)
    assert Share(10, 10).high == 1


@given(st.integers(1, 1000), st.data())
def test_share_lies_in_its_interval_which_shrinks_with_more_examples(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    few, many = Share(count, total), Share(10 * count, 10 * total)
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert many.high - many.low < few.high - few.low
