"""Asking the inference child: the client's side of its private HTTP endpoint. Loads no torch."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tuning.engine import AnswerSpec, Broken, CountSpec, Ending, EngineAnswer, Piece, Tally, TallySpec, TokenCount
from tuning.engine.lines import decode, decode_said, encode
from tuning.errors import (
    BadAnswer,
    Exhausted,
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    ServiceError,
    TimedOut,
    Unauthenticated,
    Unavailable,
    Unreachable,
)

CONNECT_TIMEOUT = 2.0
"""Seconds: the child is on this machine, so it answers at once or is not there."""

REFUSALS: dict[int, type[ServiceError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    404: NotFound,
    409: FailedPrecondition,
    429: Exhausted,
}


def ask(address: str, key: str, spec: AnswerSpec, timeout: float = 300.0) -> EngineAnswer:
    """The answer of the inference child at ``address``, which knows us by ``key``; ``timeout`` in seconds.

    Raises ``InvalidRequest`` (``prompt_too_long``), ``NotFound`` (``base_model_missing``, ``adapter_missing``),
    ``FailedPrecondition`` (``adapter_unusable``), ``Exhausted`` (``inference_busy``), ``TimedOut``, ``Unreachable``
    (no child there: the tuner is starting it), ``BadAnswer``, and ``Unavailable`` for any other trouble.
    """
    *pieces, ending = stream(address, key, spec, timeout)
    assert isinstance(ending, Ending)  # stream's promise
    return EngineAnswer(
        text="".join(piece.text for piece in pieces if isinstance(piece, Piece)),
        finish_reason=ending.finish_reason,
        prompt_tokens=ending.prompt_tokens,
        answer_tokens=ending.answer_tokens,
    )


def stream(address: str, key: str, spec: AnswerSpec, timeout: float = 300.0) -> Generator[Piece | Ending, None, None]:
    """The same answer as it is made: pieces, then one ``Ending``. Closing the generator stops the answer.

    Raises what :func:`ask` raises, at the first piece or later; ``timeout`` is for all of it.
    """
    with _asking(f"{address}/generate", key, spec, timeout) as response:
        for line in _lines(response, time.monotonic() + timeout):
            said = _read(line)
            yield said
            if isinstance(said, Ending):
                return
    raise BadAnswer(detail="an answer without an end")


def count(address: str, key: str, spec: CountSpec, timeout: float = 30.0) -> int:
    """How many tokens a prompt has. Raises what :func:`ask` raises."""
    with _asking(f"{address}/count", key, spec, timeout) as response:
        try:
            return decode(response.content, TokenCount).tokens
        except ValueError as exc:
            raise BadAnswer from exc


def tally(address: str, key: str, spec: TallySpec, timeout: float = 60.0) -> Tally:
    """The tokens of a file of examples. Raises what :func:`ask` raises, and ``NotFound`` (``examples_missing``)."""
    with _asking(f"{address}/tally", key, spec, timeout) as response:
        try:
            return decode(response.content, Tally)
        except ValueError as exc:
            raise BadAnswer from exc


@contextmanager
def _asking(url: str, key: str, spec: object, timeout: float) -> Iterator[requests.Response]:
    """A successful answer, its body still to be read."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        with requests.post(
            url, data=encode(spec), headers=headers, timeout=(CONNECT_TIMEOUT, timeout), stream=True
        ) as response:
            if response.status_code != requests.codes.ok:
                raise _refusal(response)
            yield response
    except (requests.Timeout, ReadTimeoutError) as exc:
        raise TimedOut from exc
    except (requests.RequestException, HTTPError) as exc:
        raise Unreachable("inference_unreachable") from exc


def _lines(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """The lines of the body as they come. What is left without an end of line was cut off, and is none."""
    held = b""
    while chunk := response.raw.read1(64 * 1024):
        *lines, held = (held + chunk).split(b"\n")
        yield from lines
        if time.monotonic() > deadline:
            raise TimedOut


def _read(line: bytes) -> Piece | Ending:
    try:
        said = decode_said(line)
    except ValueError as exc:
        raise BadAnswer from exc
    if isinstance(said, Broken):
        raise Unavailable(said.code, detail=said.detail)
    return said


def _refusal(response: requests.Response) -> ServiceError:
    """The child says ``Broken`` with a status of :data:`REFUSALS`, or 500."""
    kind = REFUSALS.get(response.status_code, Unavailable)
    try:
        said = decode_said(response.content)
    except ValueError:
        said = None
    return (
        kind(said.code, detail=said.detail) if isinstance(said, Broken) else kind(detail=f"HTTP {response.status_code}")
    )
