"""The HTTP of the stand-in: a real socket, a thread a connection, and a note of all that was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.google import faults
from tests.google.faults import BODIES, Trouble
from tests.google.refusals import Refusal


@dataclass
class Asked:
    """One request; ``method`` is the document's name for it, such as ``tuningJobs.create``."""

    verb: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    method: str = ""
    names: dict[str, str] = field(default_factory=dict)
    """The parameters of the path."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body) if self.body else None

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass
class Answer:
    """``pieces`` are sent one after the other, where the answer is a stream."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterator[bytes] | None = None


def json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(orjson.dumps(value), status, {"Content-Type": "application/json; charset=UTF-8", **headers})


Respond = Callable[[Asked], Answer | Trouble]


@contextmanager
def served(respond: Respond) -> Iterator[tuple[str, threading.Event]]:
    """The address at which ``respond`` is asked, and what ends the silences when the test does."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            with suppress(BrokenPipeError, ConnectionResetError):
                _send(self, respond(asked), over)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", over
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _send(handler: BaseHTTPRequestHandler, answer: Answer | Trouble, over: threading.Event) -> None:
    if isinstance(answer, Trouble):
        _misbehave(handler, answer, over)
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.pieces is None:
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)
        return
    handler.send_header("Connection", "close")
    handler.close_connection = True
    handler.end_headers()
    for piece in answer.pieces:
        handler.wfile.write(piece)
        handler.wfile.flush()


def _misbehave(handler: BaseHTTPRequestHandler, trouble: Trouble, over: threading.Event) -> None:
    handler.close_connection = True
    if trouble is faults.SILENCE:
        over.wait()
    if trouble in (faults.SILENCE, faults.LOST):
        return
    body = BODIES[trouble]
    html = trouble in (faults.HTML, faults.HTML_REFUSAL)
    handler.send_response(502 if trouble is faults.HTML_REFUSAL else 200)
    handler.send_header("Content-Type", "text/html" if html else "application/json; charset=UTF-8")
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def refused(refusal: Refusal) -> Answer:
    return Answer(refusal.body(), refusal.code, {"Content-Type": "application/json; charset=UTF-8", **refusal.headers})
