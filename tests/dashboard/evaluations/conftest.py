"""A service that counts: a small HTTP server that answers each prompt as a test says, on a real socket."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.library.models import TunedModel
from tests.factories import TunedModelFactory
from tuning.client import transport

Reply = tuple[int, dict[str, Any]]


def says(text: str, reason: str = "STOP") -> Reply:
    content = {"parts": [{"text": text}], "role": "model"}
    return 200, {"candidates": [{"content": content, "finishReason": reason}]}


def refuses(code: int, status: str) -> Reply:
    return code, {"error": {"code": code, "message": "said the service", "status": status}}


def count(prompt: str) -> Reply:
    """The next number."""
    return says(str(int(prompt) + 1))


@dataclass
class Counter:
    """``reply`` is what a prompt is answered; ``asked`` holds the bodies of all questions."""

    reply: Callable[[str], Reply] = count
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        return [body["contents"][0]["parts"][0]["text"] for body in self.asked]


@pytest.fixture
def counter(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """What the local connection leads to."""
    monkeypatch.setattr(transport, "BACKOFF", 0.0)
    service = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.asked.append(body)
            service.paths.append(self.path)
            status, said = service.reply(body["contents"][0]["parts"][0]["text"])
            told = orjson.dumps(said)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        settings.TUNING_SERVER_URL = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture
def model(alice: User) -> TunedModel:
    """Alice's, tuned on fifteen pairs: a number and the next."""
    made: TunedModel = TunedModelFactory(owner=alice, display_name="Counting")
    return made
