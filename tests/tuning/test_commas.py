"""Trailing commas, in text and in bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning import commas

hostile = st.text(' ,"\\[]{}:a1\n', max_size=40)


@given(hostile)
def test_only_commas_before_brackets_become_blanks_and_nothing_moves(text: str) -> None:
    blanked = commas.blanked(text)
    assert len(blanked) == len(text)
    for position, (was, became) in enumerate(zip(text, blanked, strict=True)):
        if was != became:
            assert (was, became) == (",", " ")
            assert text[position + 1 :].lstrip()[:1] in {"]", "}"}


@given(hostile)
def test_bytes_are_treated_as_text_is(text: str) -> None:
    assert commas.blanked_bytes(text.encode()) == commas.blanked(text).encode()


@given(st.recursive(hostile, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3)))
def test_value_survives_with_a_comma_before_each_bracket(value: object) -> None:
    def written(value: object) -> str:
        match value:
            case list():
                return "[" + "".join(f"{written(item)} ," for item in value) + "]"
            case dict():
                return "{" + "".join(f"{json.dumps(name)}: {written(item)},\n" for name, item in value.items()) + "}"
        return json.dumps(value)

    assert json.loads(commas.blanked(written(value))) == value


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ['"",', "[,", " ,", "[1,],", ',"\\', '"', ", ", ",\n"])
def test_time_grows_with_the_text_alone(piece: str) -> None:
    commas.blanked_bytes(("[" + piece * 500_000 + "]").encode())
