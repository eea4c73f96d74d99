"""Requests and their answers: time-outs, what is repeated, how much is read, and which error it all ends in."""

import logging
import random
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from math import inf
from typing import BinaryIO, Literal
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tuning.client.failures import error_of
from tuning.client.timely import Timely
from tuning.errors import BadAnswer, Exhausted, InvalidRequest, ServiceError, TimedOut, Unavailable, Unreachable

logger = logging.getLogger(__name__)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Credentials = Callable[[], Mapping[str, str]]
"""Headers that say who asks; called anew for every request, so that they may be short-lived."""

Body = bytes | BinaryIO

CONNECT_TIMEOUT = 5.0
"""A service that does not even take the connection within these seconds is not there."""
ANSWER_BYTES = 64 * 2**20
"""An operation of 100,000 snapshots has some 15 MB."""
ATTEMPTS = 3
DOWNLOAD_BYTES = 256 * 1024
"""Of a download that are in memory at once."""
BACKOFF = 0.5
"""Longest first pause, in seconds; each later one may be twice as long."""


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is read piece by piece."""

    status: int
    headers: Mapping[str, str]
    chunks: Generator[bytes, None, None]


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """A service at ``base_url``, asked with ``credentials``.

    What is safe to repeat (GET, PUT, DELETE) is tried up to three times where no connection came about or the service
    answered 429, 502, 503 or 504: after as many seconds as its ``Retry-After`` says, else after a random part of
    half a second, doubled each time. Where that would outlast the time-out, the error is raised at once. POST is
    sent once: whether a lost one was heard is for the caller to find out.

    Redirects are not followed, since credentials would go with them.
    """

    def __init__(self, base_url: str, credentials: Credentials, *, timeout: float) -> None:
        host = _host(base_url)
        self._base_url = base_url.rstrip("/")
        self._auth = _Auth(credentials)
        self._timeout = timeout
        self._until = inf
        self._session = requests.Session()
        self._session.trust_env = not _is_loopback(host)  # no proxy stands between us and ourselves
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})

    @property
    def base_url(self) -> str:
        return self._base_url

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """All that is asked meanwhile is answered, or given up, in so many ``seconds`` together; ``None``: each request
        has its own time.
        """
        before = self._until
        self._until = min(before, time.monotonic() + seconds) if seconds is not None else before
        try:
            yield
        finally:
            self._until = before

    def ask(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        media: str = "application/jsonl",
        timeout: float | None = None,
    ) -> bytes:
        """The body of a successful answer, within ``timeout`` seconds (the service's, where none is given).

        A file as ``body`` is of the type ``media``, and sent from its start without being held in memory.
        """
        headers = {"Content-Type": media} if body is not None and not isinstance(body, bytes) else {}
        return self.exchange(method, path, query=query, body=body, headers=headers, timeout=timeout).body

    def exchange(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: Collection[int] = (),
        repeated: bool = True,
        timeout: float | None = None,
    ) -> Answered:
        """As :meth:`ask`, with ``headers`` of its own and those of the answer, which may also have one of the
        ``accepted`` statuses. What is not to be ``repeated`` is sent once.
        """
        deadline = min(time.monotonic() + (timeout or self._timeout), self._until)
        sent = body if body is None or isinstance(body, bytes) else Timely(body, deadline)
        request = self._request(method, path, query, sent)
        request.headers.update(headers or {})
        once = method == "POST" or not repeated
        attempt = 1
        while True:
            try:
                return self._once(request, deadline, accepted)
            except ServiceError as exc:
                pause = _pause(exc, attempt)
                if once or pause is None or time.monotonic() + pause >= deadline:
                    raise
                logger.info("%s %s: %s; again in %.1f s", method, path, exc.code, pause)
            time.sleep(pause)
            attempt += 1

    def events(
        self, path: str, *, query: Mapping[str, str], body: bytes, timeout: float
    ) -> Generator[bytes, None, None]:
        """The data of the server-sent events that a POST is answered with, as they come, all within ``timeout``.

        Closing the generator hangs up.
        """
        deadline = time.monotonic() + timeout
        with _named(), self._send(self._request("POST", path, query, body), deadline) as response:
            if not _is_success(response):
                raise error_of(response.status_code, response.headers, b"".join(_chunks(response, deadline)))
            yield from _event_data(_chunks(response, deadline))

    def download(self, path: str, *, timeout: float) -> Download:
        """A large answer, piece by piece; it may pause for ``timeout`` seconds. Closing its chunks hangs up."""
        request = self._request("GET", path, None, None)
        with _named():
            response = self._send(request, time.monotonic() + timeout)
            if _is_success(response):
                return Download(response.status_code, response.headers, _pieces(response))
            with response:
                body = b"".join(_chunks(response, time.monotonic() + timeout))
        raise error_of(response.status_code, response.headers, body)

    def _request(
        self, method: Method, path: str, query: Mapping[str, str] | None, body: bytes | Timely | None
    ) -> requests.Request:
        request = requests.Request(method, f"{self._base_url}/{path}", params=query, data=body, auth=self._auth)
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        return request

    def _once(self, request: requests.Request, deadline: float, accepted: Collection[int]) -> Answered:
        with _named(), self._send(request, deadline) as response:
            body = b"".join(_chunks(response, deadline))
        if _is_success(response) or response.status_code in accepted:
            return Answered(response.status_code, response.headers, body)
        raise error_of(response.status_code, response.headers, body)

    def _send(self, request: requests.Request, deadline: float) -> requests.Response:
        """By the adapter itself: a session would follow redirects, or at least read them, and keep cookies."""
        if (left := deadline - time.monotonic()) <= 0:
            raise TimedOut(detail="no time is left")
        if request.data and not isinstance(request.data, bytes):
            request.data.seek(0)
        prepared = self._session.prepare_request(request)
        settings = self._session.merge_environment_settings(prepared.url, {}, True, True, None)
        adapter = self._session.get_adapter(self._base_url)
        return adapter.send(
            prepared,
            stream=True,
            timeout=(min(CONNECT_TIMEOUT, left), left),
            verify=settings["verify"] or True,
            proxies=settings["proxies"],
        )


@dataclass(frozen=True, slots=True)
class _Auth(requests.auth.AuthBase):
    """As ``auth``, so that requests does not look for other credentials in a ``.netrc``."""

    credentials: Credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.credentials())
        return request


@contextmanager
def _named() -> Iterator[None]:
    """What goes wrong on the way, by our names."""
    try:
        yield
    except (requests.ReadTimeout, ReadTimeoutError) as exc:
        raise TimedOut(detail=type(exc).__name__) from exc
    except requests.ConnectionError as exc:
        raise Unreachable(detail=_cause(exc)) from exc
    except (requests.RequestException, HTTPError) as exc:
        raise BadAnswer(detail=_cause(exc)) from exc


def _is_success(response: requests.Response) -> bool:
    return 200 <= response.status_code < 300


def _chunks(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """The answer as it comes, as long as it is neither too long nor too slow."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise BadAnswer(detail="compressed, though that was not asked for")
    length = 0
    while chunk := response.raw.read1(64 * 1024):
        length += len(chunk)
        if length > ANSWER_BYTES:
            raise BadAnswer(detail=f"longer than {ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TimedOut(detail="the answer came too slowly")
        yield chunk


def _pieces(response: requests.Response) -> Generator[bytes, None, None]:
    with _named(), response:
        while piece := response.raw.read1(DOWNLOAD_BYTES):  # as it comes, so that who waits may lose patience
            yield piece


def _event_data(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event (https://html.spec.whatwg.org/multipage/server-sent-events.html), one line or several.

    An event that no empty line ends was cut off, and is none.
    """
    data: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without their ends."""
    held = b""
    for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)


def _pause(error: ServiceError, attempt: int) -> float | None:
    """Seconds after which another attempt is worth it, or ``None`` when none is."""
    if attempt >= ATTEMPTS or isinstance(error, BadAnswer) or not isinstance(error, Unavailable | Exhausted):
        return None
    if error.retry_after is not None:
        return error.retry_after
    return random.uniform(0, BACKOFF * float(2 ** (attempt - 1)))  # noqa: S311  not a secret


def _cause(exc: Exception) -> str:
    """The innermost reason, e.g. "Connection refused", without the addresses of objects around it."""
    inner: BaseException = exc
    while isinstance(following := inner.__cause__ or inner.__context__, Exception):
        inner = following
    return getattr(inner, "strerror", None) or type(inner).__name__


def _host(base_url: str) -> str:
    """Raises ``InvalidRequest`` where there is none."""
    try:
        parts = urlsplit(base_url)
        host = parts.hostname if parts.scheme in {"http", "https"} else None
    except ValueError:
        host = None
    if not host:
        raise InvalidRequest("bad_base_url", url=base_url[:200])
    return host


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
