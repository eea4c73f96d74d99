"""Answers that come in pieces, as the service sends them: a JSON array, or server-sent events with ``alt=sse``.

What fails before the first piece is an ordinary error body. Once that piece is out the status is said, so what fails
later comes as the last element: ``{"error": …}``.
"""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse

from tuning import wire
from tuning.errors import Internal, ServiceError
from tuning.server.answers import CONTENT_TYPE, error_body

logger = logging.getLogger(__name__)

Chunks = Generator[object, None, None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Framing:
    """What stands around the pieces."""

    content_type: str
    before_first: bytes
    before: bytes
    after: bytes = b""
    at_end: bytes = b""
    layout: int = 0


ARRAY = Framing(content_type=CONTENT_TYPE, before_first=b"[", before=b",\r\n", at_end=b"]", layout=orjson.OPT_INDENT_2)
"""Google's clients want the bracket at the very end."""
EVENTS = Framing(content_type="text/event-stream", before_first=b"data: ", before=b"data: ", after=b"\r\n\r\n")


def is_sse(request: HttpRequest) -> bool:
    return "sse" in (request.GET.get("alt"), request.GET.get("$alt"))


def streamed(chunks: Chunks, *, sse: bool) -> StreamingHttpResponse:
    """``chunks``, resources, as they come. Raises what the first raises; the rest is closed when the caller leaves."""
    framing = EVENTS if sse else ARRAY
    response = StreamingHttpResponse(Begun(_framed(chunks, framing)), content_type=framing.content_type)
    response["X-Accel-Buffering"] = "no"  # proxies would collect the pieces
    return response


class Begun:
    """A stream whose first piece is there, so that its status is known."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._first = next(pieces)
        self._rest = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._rest

    def close(self) -> None:
        self._rest.close()


def _framed(chunks: Chunks, framing: Framing) -> Generator[bytes, None, None]:
    before = framing.before_first
    with closing(_objects(chunks)) as objects:
        for said in objects:
            yield before + orjson.dumps(said, option=framing.layout) + framing.after
            before = framing.before
    if framing.at_end:
        yield framing.at_end


def _objects(chunks: Chunks) -> Generator[dict[str, Any], None, None]:
    begun = False
    with closing(chunks):
        try:
            for chunk in chunks:
                yield wire.to_json(chunk)
                begun = True
        except Exception as exc:
            if not begun:
                raise
            yield _broken(exc)


def _broken(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, ServiceError):
        return error_body(exc)
    logger.error("a stream failed", exc_info=exc)
    return error_body(Internal())
