"""An answer that is no success -> the error it stands for. The shape is https://google.aip.dev/193."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from tuning import errors
from tuning.client import reasons
from tuning.errors import BadAnswer, Internal, InvalidRequest, NotFound, ServiceError, Unavailable

KEPT_CHARACTERS = 16 * 1024
"""Of a raw answer that is kept with its error."""
OUR_DOMAIN = "tuneboard"
"""ErrorInfo domain under which a tuning server tells its own error codes."""

BY_STATUS: dict[str, type[ServiceError]] = {
    kind.status: kind
    for kind in (
        errors.InvalidRequest,
        errors.Unauthenticated,
        errors.PermissionDenied,
        errors.NotFound,
        errors.AlreadyExists,
        errors.FailedPrecondition,
        errors.Exhausted,
        errors.Unimplemented,
        errors.Internal,
        errors.Unavailable,
        errors.TimedOut,
    )
}
BY_HTTP = {kind.http: kind for kind in BY_STATUS.values() if kind is not errors.FailedPrecondition} | {502: Unavailable}

_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SECONDS = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,9})?)s", re.ASCII)


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ServiceError:
    """The error of an answer with HTTP ``status``: by Google's reason in its body, else by the canonical status there,
    else by HTTP's.

    ``detail`` is the service's message, ``body`` the raw answer. A tuning server of ours tells ``code`` and ``params``
    as well; Google's reasons have theirs in :mod:`tuning.client.reasons`.
    """
    if status < 400:
        return BadAnswer("redirected", detail=f"HTTP {status} to {headers.get('Location', '')[:200]}")
    said = _error_object(body)
    kind, code, params = _meaning(status, headers, body, said)
    detail = said.get("message")
    error = kind(
        code,
        detail=detail[:KEPT_CHARACTERS] if detail and isinstance(detail, str) else f"HTTP {status}",
        body=readable(body),
        retry_after=_retry_after(headers) or _retry_delay(said),
    )
    error.params |= params
    return error


def _meaning(
    status: int, headers: Mapping[str, str], body: bytes, said: dict[str, Any]
) -> tuple[type[ServiceError], str | None, dict[str, Any]]:
    """The class, the code where there is a closer one than the class's, and what fills its sentence."""
    kind = BY_STATUS.get(str(said.get("status"))) or _by_http(status, body)
    for info in _details(said, "reason"):
        reason = str(info["reason"])
        if info.get("domain") == OUR_DOMAIN and _REASON.fullmatch(reason):
            return kind, reason.lower(), _own_params(info.get("metadata"))
        if reasons.is_googles(info) and reason in reasons.REASONS:
            return *reasons.REASONS[reason], dict(reasons.params_of(info, headers))
    return kind, None, {}


def told(data: bytes) -> ServiceError | None:
    """The error that ``data``, a piece of a stream, tells instead of an answer."""
    said = _error_object(data)
    if not said:
        return None
    code = said.get("code")
    return error_of(code if isinstance(code, int) and 400 <= code <= 599 else 500, {}, data)


def readable(body: bytes) -> str:
    """A raw answer as text, no more of it than is kept."""
    return body[:KEPT_CHARACTERS].decode("utf-8", "replace")


def _own_params(metadata: object) -> dict[str, Any]:
    """What a tuning server says besides its code; where people are led is not for it to say."""
    told = metadata if isinstance(metadata, dict) else {}
    return {name: value for name, value in told.items() if name != "link" and isinstance(value, str | int | float)}


def _by_http(status: int, body: bytes) -> type[ServiceError]:
    """A page that is not found where an API should answer tells nothing about the thing that was asked for."""
    kind = BY_HTTP.get(status, InvalidRequest if status < 500 else Internal)
    return BadAnswer if kind is NotFound and not _is_json(body) else kind


def _error_object(body: bytes) -> dict[str, Any]:
    """``error`` of the body, or nothing where the answer is something else than an API's."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(answer, list) and answer:  # as some of Google's gateways wrap it
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _details(error: dict[str, Any], holding: str) -> list[dict[str, Any]]:
    """The error's details that have a field ``holding``."""
    details = error.get("details")
    return [one for one in details if isinstance(one, dict) and holding in one] if isinstance(details, list) else []


def _retry_delay(error: dict[str, Any]) -> float | None:
    """Seconds, of a ``google.rpc.RetryInfo``: where Google says it instead of in a header."""
    delays = (_SECONDS.fullmatch(str(one["retryDelay"])) for one in _details(error, "retryDelay"))
    return next((float(delay[1]) for delay in delays if delay), None)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the header has them as they are, or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
