"""The engine's values as JSON lines: what goes through a child's pipes, and the only place that knows the spelling.

An event is an object that names its class under ``event``, a line of an answer under ``said``; a spec or a count
is the plain object.
"""

from functools import cache
from typing import Any, TypeVar, cast

from cattrs import BaseValidationError
from cattrs.preconf.orjson import OrjsonConverter, make_converter
from cattrs.strategies import configure_tagged_union

from tuning.engine import Event, Said

Value = TypeVar("Value")


@cache
def _converter() -> OrjsonConverter:
    converter = make_converter(forbid_extra_keys=True)
    configure_tagged_union(Event, converter, tag_name="event")
    configure_tagged_union(Said, converter, tag_name="said")
    return converter


def encode(value: object) -> bytes:
    """``value``, a spec or a count, as one line."""
    return _converter().dumps(value) + b"\n"


def decode(line: bytes, kind: type[Value]) -> Value:
    """The ``kind`` written in ``line``. Raises ``ValueError`` when there is none."""
    try:
        return _converter().loads(line, kind)
    except (BaseValidationError, LookupError, TypeError, AttributeError) as exc:
        raise ValueError(f"no {kind} in this line") from exc


def encode_event(event: Event) -> bytes:
    return _converter().dumps(event, unstructure_as=Event) + b"\n"


def decode_event(line: bytes) -> Event:
    """The event written in ``line``. Raises ``ValueError`` when there is none."""
    return cast(Event, decode(line, cast(Any, Event)))


def encode_said(said: Said) -> bytes:
    return _converter().dumps(said, unstructure_as=Said) + b"\n"


def decode_said(line: bytes) -> Said:
    """The line of an answer written in ``line``. Raises ``ValueError`` when there is none."""
    return cast(Said, decode(line, cast(Any, Said)))
