"""Names of tuned models."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.errors import InvalidRequest
from tuning.server import names


@given(st.text(max_size=60))
def test_made_id_is_always_well_formed(display_name: str) -> None:
    made = names.model_id(display_name)
    assert names.check_model_id(made) == made


@pytest.mark.parametrize(
    ("display_name", "begins"),
    [
        ("number generator model", "number-generator-model"),
        ("test_number_generator", "testnumbergenerator"),
        ("my display name 81", "my-display-name-81"),
        ("Übung!", "ubung"),
        ("2024", "tuned-model"),
        ("日本語", "tuned-model"),
    ],
)
def test_made_id_begins_with_the_words_of_the_display_name(display_name: str, begins: str) -> None:
    assert re.fullmatch(rf"{begins}-[0-9a-z]{{12}}", names.model_id(display_name))


def test_long_display_name_leaves_room_for_a_random_end() -> None:
    assert re.fullmatch(r"x{31}-[0-9a-z]{8}", names.model_id("x" * 40))


@given(st.text(max_size=45))
def test_id_is_accepted_exactly_when_the_contract_allows_it(chosen: str) -> None:
    allowed = re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", chosen) is not None
    try:
        assert names.check_model_id(chosen) == chosen
        assert allowed
    except InvalidRequest:
        assert not allowed
