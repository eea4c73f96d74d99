"""Texts of examples and answers, shown exactly: what cannot be seen, or would mislead, is marked."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard.messages import explain_problem

register = template.Library()

register.filter("explained", explain_problem)

_MARKED = re.compile("^ +|(?<! ) +$|\t|\n$|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Blanks at either end, tabs, a last line feed; control characters and those that turn the writing's direction.

The look behind keeps a long run of blanks in the middle from being tried from each of them.
"""
_MISLEADING = re.compile("[\t\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SIGNS = {" ": "·", "\t": "⇥", "\n": "↵"}


@register.filter
def exact(text: str) -> SafeString:
    """``text``, escaped, its invisible parts marked. What a person copies from it is the text itself."""
    return _shown(text, _MARKED)


@register.filter
def exact_inside(text: str) -> SafeString:
    """The same for a piece from the middle of a text: blanks at its ends are seen by what stands beside them."""
    return _shown(text, _MISLEADING)


def _shown(text: str, marked: re.Pattern[str]) -> SafeString:
    pieces: list[str] = []
    end = 0
    for found in marked.finditer(text):
        pieces += [conditional_escape(text[end : found.start()]), *map(_mark, found[0])]
        end = found.end()
    return mark_safe("".join([*pieces, conditional_escape(text[end:])]))  # noqa: S308 - every piece is escaped


def _mark(character: str) -> SafeString:
    """The character under its sign; one that does more than leave a gap is named in its stead."""
    sign = _SIGNS.get(character)
    if sign is None:
        return format_html('<span class="blank" data-sign="U+{}"></span>', f"{ord(character):04X}")
    return format_html('<span class="blank" data-sign="{}">{}</span>', sign, character)
