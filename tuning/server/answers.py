"""What callers read: resources as JSON, and every failure as Google's error body. Nothing else leaves the server.

The shape is https://google.aip.dev/193; the sentences are the recorded service's where it has one. Errors come as
codes and parameters (:mod:`tuning.errors`) and get their sentence here, in English, as the API's always were.
"""

import logging
import math
from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from tuning import wire
from tuning.errors import EngineError, Internal, InvalidRequest, NotFound, ServiceError, TuningError, Unimplemented
from tuning.server.messages import sentence

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/json; charset=UTF-8"

Answerer = Callable[[HttpRequest], HttpResponse]


def answer(resource: object, *, version: str = "v1beta") -> HttpResponse:
    return HttpResponse(wire.dumps(resource, version=version), content_type=CONTENT_TYPE)


def json_answer(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    body = orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n"
    return HttpResponse(body, content_type=CONTENT_TYPE, status=status)


HTTP_STATUS = {"method_not_allowed": 405, "length_required": 411, "body_too_large": 413}
"""Refusals of HTTP itself, which has numbers of its own for them."""


def refusal(error: ServiceError) -> HttpResponse:
    """``error`` as the service says it."""
    body = error_body(error)
    response = json_answer(body, status=body["error"]["code"])
    if error.retry_after is not None:
        response["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def error_body(error: ServiceError) -> dict[str, Any]:
    http = HTTP_STATUS.get(error.code, error.http)
    said = {"code": http, "message": sentence(error), "status": error.status, "details": [_error_info(error)]}
    return {"error": said}


def unknown_route(request: HttpRequest) -> HttpResponse:
    return refusal(NotFound("route_unknown", path=request.path[:200]))


def wrong_method(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    response = refusal(Unimplemented("method_not_allowed", method=request.method, allowed=", ".join(allowed)))
    response["Allow"] = ", ".join(allowed)
    return response


class ErrorsAsJson:
    """Middleware: whatever a view raises becomes an error body; a traceback goes to the log and no further."""

    def __init__(self, get_response: Answerer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return refusal(InvalidRequest("host_not_allowed"))
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        match exception:
            case ServiceError():
                return refusal(exception)
            case RequestDataTooBig():
                return refusal(InvalidRequest("body_too_large"))
            case UnreadablePostError():  # the caller went away while sending
                return refusal(InvalidRequest("body_unreadable"))
            case EngineError(code="base_model_missing"):
                return refusal(NotFound("base_model_unknown", name=exception.params.get("name", "")))
        logger.error("%s %s failed", request.method, request.path, exc_info=exception)
        return refusal(Internal())


def _error_info(error: TuningError) -> dict[str, Any]:
    """``reason`` is our code: a client reads it instead of the sentence."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.code.upper(),
        "domain": "googleapis.com" if error.code == "api_key_invalid" else "tuneboard",
    }
    metadata = {name: str(value)[:200] for name, value in error.params.items()}
    return info | ({"metadata": metadata} if metadata else {})
