"""Asking the inference child: the client's side of its private HTTP endpoint. Loads no torch."""

import requests

from tuning.engine import AnswerSpec, EngineAnswer
from tuning.engine.lines import decode, encode
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
    try:
        response = requests.post(
            f"{address}/generate",
            data=encode(spec),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=(CONNECT_TIMEOUT, timeout),
        )
    except requests.Timeout as exc:
        raise TimedOut from exc
    except requests.RequestException as exc:
        raise Unreachable("inference_unreachable") from exc
    return _answer(response)


def _answer(response: requests.Response) -> EngineAnswer:
    if response.status_code != requests.codes.ok:
        raise _refusal(response)
    try:
        return decode(response.content, EngineAnswer)
    except ValueError as exc:
        raise BadAnswer from exc


def _refusal(response: requests.Response) -> ServiceError:
    """The child says ``{"code": …, "detail": …}`` with a status of :data:`REFUSALS`, or 500."""
    kind = REFUSALS.get(response.status_code, Unavailable)
    try:
        said = response.json()
        return kind(str(said["code"]), detail=str(said.get("detail", "")))
    except (ValueError, LookupError, TypeError, AttributeError):
        return kind(detail=f"HTTP {response.status_code}")
