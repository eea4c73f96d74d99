"""An answer that is no success -> the error it stands for. The shape is https://google.aip.dev/193."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from tuning import errors
from tuning.errors import BadAnswer, Internal, InvalidRequest, ServiceError, Unavailable

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
BY_REASON = {"API_KEY_INVALID": errors.Unauthenticated}
"""Google answers 400 INVALID_ARGUMENT for these."""

_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ServiceError:
    """The error of an answer with HTTP ``status``: by the canonical status in its body, else by HTTP's.

    ``detail`` is the service's message, ``body`` the raw answer; a tuning server of ours tells ``code`` and
    ``params`` as well.
    """
    if status < 400:
        return BadAnswer("redirected", detail=f"HTTP {status} to {headers.get('Location', '')[:200]}")
    said = _error_object(body)
    info = _error_info(said)
    reason = str(info.get("reason", ""))
    kind = BY_REASON.get(reason) or BY_STATUS.get(str(said.get("status"))) or _by_http(status)
    code = reason.lower() if info.get("domain") == OUR_DOMAIN and _REASON.fullmatch(reason) else None
    detail = str(said.get("message", "")) or f"HTTP {status}"
    error = kind(code, detail=detail[:KEPT_CHARACTERS], body=readable(body), retry_after=_retry_after(headers))
    error.params |= info["metadata"] if code and isinstance(info.get("metadata"), dict) else {}
    return error


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


def _by_http(status: int) -> type[ServiceError]:
    return BY_HTTP.get(status, InvalidRequest if status < 500 else Internal)


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


def _error_info(error: dict[str, Any]) -> dict[str, Any]:
    details = error.get("details")
    infos = (detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else ()
    return next((info for info in infos if "reason" in info), {})


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the header has them as they are, or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
