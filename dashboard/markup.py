"""Markup that functions write, where a page has hundreds of pieces and templates take too long."""

from collections.abc import Iterable
from html import escape

from django.utils.safestring import SafeString


def filled(markup: str, *pieces: str, **named: str) -> SafeString:
    """``format_html`` for texts alone, in a third of its time: what is not marked safe is escaped."""
    return SafeString(markup.format(*map(_safe, pieces), **{name: _safe(piece) for name, piece in named.items()}))


def joined(pieces: Iterable[str], between: str = "") -> SafeString:
    return SafeString(_safe(between).join(map(_safe, pieces)))


def _safe(piece: str) -> str:
    return piece if isinstance(piece, SafeString) else escape(piece)
