"""Answers that come in pieces, as the service sends them: a JSON array, or server-sent events with ``alt=sse``.

What fails before the first piece is an ordinary error body. Once that piece is out the status is said, so what fails
later comes as the last element: ``{"error": …}``.
"""

import logging
import struct
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from socket import SO_SNDBUF, SO_SNDTIMEO, SOL_SOCKET
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse

from tuning import wire
from tuning.errors import Internal, ServiceError
from tuning.server.answers import CONTENT_TYPE, error_body

logger = logging.getLogger(__name__)

Chunks = Generator[object, None, None]

STALLED_SECONDS = 10
"""What a reader may take to make room for more."""
SENT_AHEAD = 64 * 1024
"""Bytes on their way to a reader: left alone, the system would take megabytes before it says that nobody reads."""


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


def streamed(request: HttpRequest, chunks: Chunks) -> StreamingHttpResponse:
    """``chunks``, resources, as they come. Raises what the first raises; the rest is closed when the caller leaves,
    or reads nothing for :data:`STALLED_SECONDS`.
    """
    framing = EVENTS if is_sse(request) else ARRAY
    _let_go_of_who_stalls(request)
    response = StreamingHttpResponse(Begun(_framed(chunks, framing)), content_type=framing.content_type)
    response["X-Accel-Buffering"] = "no"  # proxies would collect the pieces
    return response


def _let_go_of_who_stalls(request: HttpRequest) -> None:
    """gunicorn itself would wait for ever, and the answer keep its place."""
    if connection := request.META.get("gunicorn.socket"):
        connection.setsockopt(SOL_SOCKET, SO_SNDBUF, SENT_AHEAD)
        connection.setsockopt(SOL_SOCKET, SO_SNDTIMEO, struct.pack("ll", STALLED_SECONDS, 0))


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
