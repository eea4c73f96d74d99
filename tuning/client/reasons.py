"""Google's reasons for a refusal: what each means, and what its answer says besides.

Reasons: https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto, in the ``ErrorInfo`` of an
error (https://google.aip.dev/193). Services answer the same reason with different statuses: the reason decides.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tuning.errors import Exhausted, NotSetUp, ServiceError, Unauthenticated

DOMAIN = "googleapis.com"
CONSOLES = frozenset({"console.cloud.google.com", "console.developers.google.com"})
LONGEST = 300
"""Characters of a parameter that are kept."""

REASONS: dict[str, tuple[type[ServiceError], str]] = {
    "ACCESS_TOKEN_EXPIRED": (Unauthenticated, "token_refused"),
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": (Unauthenticated, "token_refused"),
    "ACCOUNT_STATE_INVALID": (Unauthenticated, "token_refused"),
    "SESSION_COOKIE_INVALID": (Unauthenticated, "token_refused"),
    "CREDENTIALS_MISSING": (Unauthenticated, "account_needed"),
    "API_KEY_INVALID": (Unauthenticated, "api_key_invalid"),
    "API_KEY_SERVICE_BLOCKED": (NotSetUp, "api_key_restricted"),
    "API_KEY_HTTP_REFERRER_BLOCKED": (NotSetUp, "api_key_restricted"),
    "API_KEY_IP_ADDRESS_BLOCKED": (NotSetUp, "api_key_restricted"),
    "API_KEY_ANDROID_APP_BLOCKED": (NotSetUp, "api_key_restricted"),
    "API_KEY_IOS_APP_BLOCKED": (NotSetUp, "api_key_restricted"),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (NotSetUp, "scope_missing"),
    "SERVICE_DISABLED": (NotSetUp, "api_disabled"),
    "CONSUMER_INVALID": (NotSetUp, "project_unknown"),
    "CONSUMER_SUSPENDED": (NotSetUp, "project_suspended"),
    "USER_PROJECT_DENIED": (NotSetUp, "project_denied"),
    "USER_BLOCKED_BY_ADMIN": (NotSetUp, "account_blocked"),
    "BILLING_DISABLED": (NotSetUp, "billing_disabled"),
    "IAM_PERMISSION_DENIED": (NotSetUp, "iam_denied"),
    "LOCATION_TAX_POLICY_VIOLATED": (NotSetUp, "location_refused"),
    "RATE_LIMIT_EXCEEDED": (Exhausted, "rate_limited"),
    "RESOURCE_QUOTA_EXCEEDED": (Exhausted, "quota_reached"),
}

_PROJECT = re.compile(r"projects/([\w.:-]{1,100})", re.ASCII)
_ADDRESS = re.compile(r"https://[\w./?&=%:+,;@~#-]{1,2000}", re.ASCII)
_SCOPES = re.compile(r'\bscope="([^"]{1,2000})"')


def is_googles(info: Mapping[str, Any]) -> bool:
    """Whether an ``ErrorInfo`` speaks for Google, or for a server that answers in its words."""
    domain = info.get("domain")
    return isinstance(domain, str) and (domain == DOMAIN or domain.endswith(f".{DOMAIN}"))


def params_of(info: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, str]:
    """What fills the sentence: ``service``, ``project``, ``scopes``, ``permission``, and ``link`` to Google's console;
    each empty where it is not told.
    """
    told = info.get("metadata")
    metadata = told if isinstance(told, dict) else {}
    named = _PROJECT.search(_text(metadata.get("consumer")))
    asked_for = _SCOPES.search(headers.get("WWW-Authenticate", ""))
    return {
        "service": _text(metadata.get("serviceTitle")) or _text(metadata.get("service")),
        "project": named[1] if named else "",
        "scopes": ", ".join(asked_for[1].split())[:LONGEST] if asked_for else "",
        "permission": _text(metadata.get("permission")),
        "link": console(metadata.get("activationUrl")),
    }


def console(address: object) -> str:
    """``address`` if it is a page of Google's console, which is all that is ever linked to; else nothing."""
    if (
        not isinstance(address, str)
        or len(address) > 2000
        or not address.isascii()
        or set(address) & set(' \t\r\n\\"<>')
    ):
        return ""
    try:
        parts = urlsplit(address)
        return address if parts.scheme == "https" and parts.netloc in CONSOLES else ""
    except ValueError:
        return ""


def _text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
