"""The API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made of one table of methods and of the
resources themselves, so that it cannot say otherwise than they do.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from tuning.server.openapi.methods import METHODS, QUERY, Method
from tuning.server.openapi.schemas import Schema, message, reference, within

ABOUT = (
    "The tuned-models REST API, as of `google.ai.generativelanguage`, self-hosted; what is our own is under "
    "`/tuneboard/v1`. Bodies are also read in snake_case, with numbers as strings, enums by number and trailing "
    "commas."
)
SECURITY: dict[str, Schema] = {
    "header": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
}
PATH: dict[str, Schema] = {"version": {"type": "string", "enum": ["v1beta", "v1beta3", "v1"]}}
"""What a place in a path may hold, if not just any id."""
ANY_ID: Schema = {"type": "string", "pattern": "^[^/:]+$", "minLength": 1}
ERROR_INFO: Schema = {
    "type": "object",
    "properties": {
        "@type": {"const": "type.googleapis.com/google.rpc.ErrorInfo"},
        "reason": {"type": "string", "description": "The case, in capitals, to be read by programs."},
        "domain": {"type": "string"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["@type", "reason", "domain"],
}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "message": {"type": "string"},
                "status": {"type": "string", "description": "The canonical name, as INVALID_ARGUMENT."},
                "details": {"type": "array", "items": ERROR_INFO},
            },
            "required": ["code", "message", "status", "details"],
        }
    },
    "required": ["error"],
}


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tuneboard tuning server", "version": settings.VERSION, "description": ABOUT},
        "security": [{name: []} for name in SECURITY],
        "paths": {path: _path(path, methods) for path, methods in METHODS.items()},
        "components": {
            "securitySchemes": SECURITY,
            "schemas": {"Error": ERROR} | {kind.__name__: message(kind) for kind in _messages()},
            "responses": {
                "Error": {"description": "Refused.", "content": _json({"$ref": "#/components/schemas/Error"})}
            },
        },
    }


def _messages() -> Iterator[type]:
    for methods in METHODS.values():
        for method in methods.values():
            for kind in (method.body, method.answers):
                if isinstance(kind, type):
                    yield from within(kind)


def _path(path: str, methods: dict[str, Method]) -> Schema:
    places = re.findall(r"{(\w+)}", path)
    parameters = [
        {"name": place, "in": "path", "required": True, "schema": PATH.get(place, ANY_ID)} for place in places
    ]
    described = {verb.lower(): _operation(method) for verb, method in methods.items()}
    return {**({"parameters": parameters} if parameters else {}), **described}


def _operation(method: Method) -> Schema:
    schemas = {name: QUERY[name] for name in method.query}
    operation: Schema = {
        "operationId": method.name,
        "summary": method.about,
        "parameters": [
            {"name": name, "in": "query", "schema": schema, "description": about}
            for name, (schema, about) in schemas.items()
        ],
        "responses": {
            "200": {
                "description": "Done.",
                "content": _streamed(method) if method.streamed else _content(method.answers),
            },
            **({"202": {"description": "Not yet.", "content": _json(method.accepted)}} if method.accepted else {}),
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if method.body is not None:
        operation["requestBody"] = {"content": _content(method.body)}
    return operation | ({"security": []} if method.public else {})


def _content(kind: type | Schema | str) -> Schema:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string", "format": "binary"}}}
    return _json(reference(kind) if isinstance(kind, type) else kind)


def _streamed(method: Method) -> Schema:
    assert isinstance(method.answers, type)
    return _json({"type": "array", "items": reference(method.answers)}) | {
        "text/event-stream": {"schema": {"type": "string"}}
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
