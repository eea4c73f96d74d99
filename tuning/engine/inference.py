"""The inference child: ``python -m tuning.engine.inference``, a :class:`tuning.engine.InferenceSpec` on standard input.

It listens on this machine alone, at a port of chance, and answers nobody without its key. Beyond ``GET /health``
there is one request: ``POST /generate``, an :class:`tuning.engine.AnswerSpec` in, an :class:`EngineAnswer` out.
Prompts and answers reach no log.
"""

import hmac
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import Any

import orjson

from tuning.engine import AnswerSpec, EngineAnswer, Event, InferenceSpec, Ready, child
from tuning.engine.answers import REFUSALS
from tuning.engine.lines import decode
from tuning.errors import Exhausted, InvalidRequest, NotFound, ServiceError, Unauthenticated

logger = logging.getLogger(__name__)

MAX_BODY = 4 << 20
"""Bytes of a request: more text than any model here can read."""

MAX_WAITING = 64
"""Questions under way or waiting; llama.cpp takes them one after the other."""

PATIENCE = 10.0
"""Seconds a caller may take to send its request."""

STATUSES = {kind: status for status, kind in REFUSALS.items()}


class Desk(ThreadingHTTPServer):
    """Where questions come in."""

    daemon_threads = True

    def __init__(self, answer: Callable[[AnswerSpec], EngineAnswer]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answer = answer
        self.key = token_urlsafe(32)
        self.seats = BoundedSemaphore(MAX_WAITING)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no news; the rest was answered before it got here."""


class Conversation(BaseHTTPRequestHandler):
    """One request and its answer."""

    server: Desk
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._reply(self._health)

    def do_POST(self) -> None:
        self._reply(self._generate)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Nothing: the api process logs its requests."""

    def _health(self) -> dict[str, Any]:
        self._expect("/health")
        return {}

    def _generate(self) -> dict[str, Any]:
        self._expect("/generate")
        question = self._question()
        if not self.server.seats.acquire(blocking=False):
            raise Exhausted("inference_busy")
        try:
            return asdict(self.server.answer(question))
        finally:
            self.server.seats.release()

    def _expect(self, path: str) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.key}".encode()):
            raise Unauthenticated
        if self.path != path:
            raise NotFound

    def _question(self) -> AnswerSpec:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            raise InvalidRequest
        try:
            return decode(self.rfile.read(int(length)), AnswerSpec)
        except ValueError as exc:
            raise InvalidRequest from exc

    def _reply(self, work: Callable[[], dict[str, Any]]) -> None:
        try:
            status, values = HTTPStatus.OK.value, work()
        except ServiceError as exc:
            status, values = STATUSES.get(type(exc), 503), {"code": exc.code, "detail": exc.detail}
        except OSError:
            raise
        except Exception as exc:
            logger.error("an answer failed: %s", type(exc).__name__)  # its text may hold a prompt
            status, values = 500, {"code": "inference_failed", "detail": type(exc).__name__}
        self._send(status, orjson.dumps(values))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(spec: InferenceSpec) -> Iterator[Event]:
    """Listen, say where, and answer until the process ends."""
    # llama.cpp takes a moment to load; the supervisor's closing pipe must be heard meanwhile.
    from tuning.engine.generation import Generator  # noqa: PLC0415

    with Desk(Generator(spec).answer) as desk:
        yield Ready(desk.address, desk.key)
        desk.serve_forever()


if __name__ == "__main__":
    child.run(InferenceSpec, serve)
