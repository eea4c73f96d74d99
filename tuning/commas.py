"""JSON with commas before closing brackets, as the published tutorials send it and nobody else reads it.

A blank takes each such comma's place, so that an error found later is where the person sees it. Time and memory grow
with the text and not with the number of its strings or commas: it may come from anybody.
"""

import re
from collections.abc import Iterator
from io import StringIO

_UP_TO = r"""(?: [^",]++ | "[^"\\]*+(?:\\.[^"\\]*+)*+"? | ,(?!\s*+[}\]]) )*+ ,"""
"""Everything up to the next trailing comma, that included: strings whole, for theirs are none."""
_LOOKS_LIKE_ONE = re.compile(r",\s*+[}\]]")
_TEXT = re.compile(_UP_TO, re.VERBOSE | re.DOTALL)
_BYTES = re.compile(_UP_TO.encode(), re.VERBOSE | re.DOTALL)


def blanked(text: str) -> str:
    """``text`` without its trailing commas."""
    if not _LOOKS_LIKE_ONE.search(text):
        return text
    result, end = StringIO(), 0
    for position in _positions(_TEXT, text):
        result.write(text[end:position])
        result.write(" ")
        end = position + 1
    result.write(text[end:])
    return result.getvalue()


def blanked_bytes(data: bytes) -> bytearray:
    """``data``, UTF-8, without its trailing commas."""
    result = bytearray(data)
    for position in _positions(_BYTES, data):
        result[position] = ord(" ")
    return result


def _positions(pattern: re.Pattern[str] | re.Pattern[bytes], text: str | bytes) -> Iterator[int]:
    end = 0
    # match, not search: where no comma is left, nothing is tried again from each further place
    while found := pattern.match(text, end):  # type: ignore[arg-type]
        end = found.end()
        yield end - 1
