"""The inference child: ``python -m tuning.engine.inference``, a :class:`tuning.engine.InferenceSpec` on standard input.

It listens on this machine alone, at a port of chance, and answers nobody without its key. Beyond ``GET /health``
there are three requests. ``POST /generate``: an :class:`tuning.engine.AnswerSpec` in, :data:`tuning.engine.Said` out,
a JSON object a line, each as soon as it is made; who hangs up has the answer stopped. ``POST /count``: a
:class:`CountSpec` in, a :class:`TokenCount` out. ``POST /tally``: a :class:`TallySpec` in, a :class:`Tally` out.
What fails before the first piece is a status of :data:`tuning.engine.answering.answers.REFUSALS`, and the object a
:class:`Broken`. Prompts and answers reach no log.
"""

import hmac
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import CDLL
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from select import select
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

from tuning.engine import AnswerSpec, Broken, CountSpec, Event, InferenceSpec, Ready, Said, TallySpec, child
from tuning.engine.answering.answers import REFUSALS
from tuning.engine.lines import decode, encode, encode_said
from tuning.errors import Exhausted, InvalidRequest, NotFound, ServiceError, Unauthenticated

if TYPE_CHECKING:
    from tuning.engine.answering.generation import Generator

logger = logging.getLogger(__name__)

MAX_BODY = 4 << 20
"""Bytes of a request: more text than any model here can read."""

MAX_WAITING = 64
"""Questions under way or waiting."""

PATIENCE = 10.0
"""Seconds a caller may take to send its request, or to take a piece of its answer."""

WAITING = {"GOMP_SPINCOUNT": "200000", "OMP_WAIT_POLICY": "active"}
"""How often a thread of llama.cpp's looks for the others before it sleeps, a millisecond or two: they meet a thousand
times a token, and pause between two. Asleep at once they have half of the speed. ``active`` says: also where several
llama.cpp servers have more threads together than there are processors. Lanes see to it that these don't work at once.
"""

Task = TypeVar("Task")

STATUSES = {kind: status for status, kind in REFUSALS.items()}


class Desk(ThreadingHTTPServer):
    """Where questions come in."""

    daemon_threads = True

    def __init__(self, generator: "Generator") -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.generator = generator
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
    disable_nagle_algorithm = True  # a piece is small, and the next may take a while
    _answered = False

    def do_GET(self) -> None:
        self._attempt({"/health": self._health})

    def do_POST(self) -> None:
        self._attempt({"/generate": self._generate, "/count": self._count, "/tally": self._tally})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Nothing: the api process logs its requests."""

    def _health(self) -> None:
        self._say(b"{}")

    def _generate(self) -> None:
        question = self._task(AnswerSpec)
        if not self.server.seats.acquire(blocking=False):
            raise Exhausted("inference_busy")
        try:
            if ending := self.server.generator.answer(question, self):
                self.tell(ending)
        finally:
            self.server.seats.release()

    def _count(self) -> None:
        self._say(encode(self.server.generator.count(self._task(CountSpec))))

    def _tally(self) -> None:
        self._say(encode(self.server.generator.tally(self._task(TallySpec))))

    def tell(self, said: Said) -> bool:
        """Whether the caller still listens, and took it in time."""
        try:
            self._say(encode_said(said))
        except OSError:
            return False
        return self.listening()

    def listening(self) -> bool:
        """A caller says nothing after its question, so that whatever is heard is its leaving."""
        return not select([self.connection], [], [], 0)[0]

    def _attempt(self, routes: dict[str, Callable[[], None]]) -> None:
        """Do what the path names; what fails is told as far as that is still possible."""
        try:
            self._route(routes)()
        except ServiceError as exc:
            self._refuse(STATUSES.get(type(exc), 503), Broken(exc.code, exc.detail))
        except OSError:
            raise
        except Exception as exc:
            logger.error("an answer failed: %s", type(exc).__name__)  # its text may hold a prompt
            self._refuse(500, Broken("inference_failed", type(exc).__name__))

    def _route(self, routes: dict[str, Callable[[], None]]) -> Callable[[], None]:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.key}".encode()):
            raise Unauthenticated
        if self.path not in routes:
            raise NotFound
        return routes[self.path]

    def _task(self, kind: type[Task]) -> Task:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            raise InvalidRequest
        try:
            return decode(self.rfile.read(int(length)), kind)
        except ValueError as exc:
            raise InvalidRequest from exc

    def _refuse(self, status: int, broken: Broken) -> None:
        self._say(encode_said(broken), status)

    def _say(self, line: bytes, status: int = HTTPStatus.OK) -> None:
        """A line of the answer; the first is preceded by ``status``. The end of the connection ends the answer."""
        if not self._answered:
            self._answered = True
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
        self.wfile.write(line)


def serve(spec: InferenceSpec) -> Iterator[Event]:
    """Listen, say where, and answer until the process ends."""
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    _load_openmp()
    # llama.cpp takes a moment to load; the supervisor's closing pipe must be heard meanwhile.
    from tuning.engine.answering.generation import Generator  # noqa: PLC0415

    with Desk(Generator(spec)) as desk:
        yield Ready(desk.address, desk.key)
        desk.serve_forever()


def _load_openmp() -> None:
    """llama.cpp's wheel expects OpenMP on the system, where a small one has none. torch's wheel brings one."""
    torch = find_spec("torch")
    for folder in (torch and torch.submodule_search_locations) or ():
        with suppress(OSError):  # then it is the system's
            CDLL(str(Path(folder) / "lib" / "libgomp.so.1"))


if __name__ == "__main__":
    child.run(InferenceSpec, serve)
