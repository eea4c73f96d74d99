"""Texts are shown exactly: nothing runs, nothing is lost, nothing invisible goes unseen."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.templatetags.texts import exact


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@given(
    st.text(
        st.characters(
            exclude_categories=["Cc", "Cs"],
            exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
            include_characters="\n\t <>&\"'",
        )
    )
)
def test_what_is_copied_from_the_page_is_the_text(text: str) -> None:
    assert text_of(exact(text)) == text


@given(st.text())
def test_no_markup_comes_out_of_a_text(text: str) -> None:
    assert set(re.findall(r"<[^>]*>", re.sub(r' data-sign="[^"<>]*"', "", exact(text)))) <= {
        '<span class="blank">',
        "</span>",
    }


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("plain text", []),
        (" x", ["·"]),
        ("x  ", ["·", "·"]),
        ("a\tb", ["⇥"]),
        ("a\nb", []),
        ("a\n", ["↵"]),
        ("abc\u202edef", ["U+202E"]),
        ("\x1b[31m", ["U+001B"]),
        ("   ", ["·", "·", "·"]),
    ],
)
def test_what_cannot_be_seen_has_a_sign(text: str, signs: list[str]) -> None:
    assert re.findall('data-sign="([^"]*)"', exact(text)) == signs


@pytest.mark.timeout(30)
def test_long_run_of_blanks_keeps_nobody_waiting() -> None:
    assert "blank" not in exact("a" + " " * 400_000 + "b")  # tried from each blank to the end, it would take minutes
