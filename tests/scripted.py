"""A service that answers what it is told to: raw bytes on a real socket, and a note of what it was asked.

::

    with scripted(answer(503), answer(200, b"{}")) as service:
        client = TunedModels(service.url, ...)
        assert service.asked[0].path == "/v1beta/models?pageSize=100"
"""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import parse_headers
from typing import Any

import orjson


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Service:
    url: str
    asked: list[Asked] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    """Set at the end of the test: answers that dawdle stop."""


def answer(status: int = 200, body: bytes | dict[str, Any] = b"{}", **headers: str) -> bytes:
    """A whole HTTP answer. Header names are written with underscores: ``Retry_After="1"``."""
    if isinstance(body, dict):
        body = orjson.dumps(body)
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Word\r\n{head}Connection: close\r\n\r\n".encode() + body


class Drip(bytes):
    """An answer whose body comes a byte at a time, one every tenth of a second."""


class Silence(bytes):
    """No answer, on a connection that stays open."""


@contextmanager
def scripted(*answers: bytes) -> Iterator[Service]:
    """A service that gives ``answers`` one after the other, the last one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = Service(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(listener, service, answers), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            service.done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, service: Service, answers: Sequence[bytes]) -> None:
    while not service.done.is_set():
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                service.asked.append(_read(connection))
                _write(connection, answers[min(len(service.asked), len(answers)) - 1], service.done)


def _read(connection: socket.socket) -> Asked:
    with connection.makefile("rb") as stream:
        method, path, _ = stream.readline().decode().split(" ")
        headers = dict(parse_headers(stream).items())
        return Asked(method, path, headers, stream.read(int(headers.get("Content-Length", 0))))


def _write(connection: socket.socket, data: bytes, done: threading.Event) -> None:
    if isinstance(data, Silence):
        done.wait()
        return
    head, end, body = data.partition(b"\r\n\r\n")
    connection.sendall(data if not isinstance(data, Drip) else head + end)
    for byte in body if isinstance(data, Drip) else b"":
        connection.sendall(bytes([byte]))
        if done.wait(0.1):
            return
