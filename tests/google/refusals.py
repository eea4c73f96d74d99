"""How Google says no: the shape is https://google.aip.dev/193, the words are its own where they were recorded."""

from collections.abc import Mapping
from typing import Any

import orjson

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
PREFIX = "type.googleapis.com/google.rpc."


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        code: int,
        message: str,
        *details: dict[str, Any],
        status: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details
        self.status = status or STATUSES.get(code, "UNKNOWN")
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return orjson.dumps({"error": error})


class StorageRefusal(Refusal):
    """Cloud Storage says it in an older shape, without a canonical status."""

    def __init__(self, code: int, message: str, reason: str) -> None:
        super().__init__(code, message)
        self.reason = reason

    def body(self) -> bytes:
        one = {"message": self.message, "domain": "global", "reason": self.reason}
        return orjson.dumps({"error": {"code": self.code, "message": self.message, "errors": [one]}})


def info(reason: str, **metadata: str) -> dict[str, Any]:
    return {"@type": f"{PREFIX}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def invalid(message: str, field: str) -> Refusal:
    violation = {"field": field, "description": message}
    return Refusal(400, message, {"@type": f"{PREFIX}BadRequest", "fieldViolations": [violation]})


def precondition(message: str) -> Refusal:
    return Refusal(400, message, status="FAILED_PRECONDITION")


def not_found(message: str = "Requested entity was not found.") -> Refusal:
    return Refusal(404, message)


def unauthenticated() -> Refusal:
    said = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    header = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
    detail = info("ACCESS_TOKEN_TYPE_UNSUPPORTED", service="aiplatform.googleapis.com")
    return Refusal(401, said, detail, headers=header)


def scope_missing(method: str = "google.cloud.aiplatform.v1", *scopes: str) -> Refusal:
    wanted = " ".join(scopes) or "https://www.googleapis.com/auth/cloud-platform"
    header = {
        "WWW-Authenticate": f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{wanted}"'
    }
    detail = info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", service="aiplatform.googleapis.com", method=method)
    return Refusal(403, "Request had insufficient authentication scopes.", detail, headers=header)


def service_disabled(project: str = "tuneboard-tests", service: str = "aiplatform.googleapis.com") -> Refusal:
    link = f"https://console.developers.google.com/apis/api/{service}/overview?project={project}"
    said = (
        f"Agent Platform API has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"{link} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    help_ = {
        "@type": f"{PREFIX}Help",
        "links": [{"description": "Google developers console API activation", "url": link}],
    }
    return Refusal(403, said, help_, info("SERVICE_DISABLED", service=service, consumer=f"projects/{project}"))


def permission_denied(permission: str = "aiplatform.tuningJobs.create") -> Refusal:
    said = f"Permission '{permission}' denied on resource (or it may not exist)."
    return Refusal(403, said, info("IAM_PERMISSION_DENIED", permission=permission))


def exhausted(seconds: int | None = None) -> Refusal:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    said = "Quota exceeded for aiplatform.googleapis.com/global_concurrent_tuning_jobs. Please submit a quota increase."
    return Refusal(429, said, headers=headers)


def conflict() -> Refusal:
    return Refusal(409, "The requested entity already exists.")


def internal() -> Refusal:
    return Refusal(500, "Internal error encountered.")


def unavailable() -> Refusal:
    return Refusal(503, "The service is currently unavailable.")
