"""Google's Gemini API as it was recorded, and no path besides: models that were tuned there can be seen, asked, shared
and deleted; there is none to tune.

Bodies are those of the published tutorials; refusals have the words of docs/google.md.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.google.faults import Trouble
from tests.google.refusals import Refusal, info
from tests.google.serving import Answer, Asked, json, refused, served
from tests.tuning.server.recorded import RECORDED

TOKEN, KEY, PROJECT = "ya29.recorded", "AIza-recorded", "my-project-id"
NAME = RECORDED["name"]
OPERATION = f"{NAME}/operations/bvl8dymw0fhw"
DONE = {
    "name": OPERATION,
    "metadata": {"totalSteps": 12, "completedSteps": 12, "completedPercent": 100, "tunedModel": NAME},
    "done": True,
}
UNREGISTERED = "Method doesn't allow unregistered callers (callers without established identity)."
KEYS_REFUSED = "API keys are not supported by this API. Expected OAuth2 access token."
ANSWER = {
    "candidates": [
        {
            "content": {"parts": [{"text": "LXIV"}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
        }
    ],
    "promptFeedback": {"safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}]},
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
}
BASES = [
    {"name": "models/embedding-001", "supportedGenerationMethods": ["embedContent"]},
    {
        "name": "models/gemini-2.0-flash",
        "displayName": "Gemini 2.0 Flash",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 8192,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 40,
    },
]


@dataclass
class Gemini:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {NAME: dict(RECORDED)})
    operations: list[dict[str, Any]] | None = field(default_factory=lambda: [dict(DONE)])
    """``None`` where the service remembers none."""
    permissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=lambda: dict(ANSWER))
    fault: Refusal | Trouble | None = None
    undeletable: bool = False
    """Whoever asks may look at models and not delete them."""

    def respond(self, asked: Asked) -> Answer | Trouble:
        self.asked.append(asked)
        if isinstance(self.fault, Trouble):
            return self.fault
        try:
            if self.fault:
                raise self.fault
            self._admit(asked)
            return self._answer(asked)
        except Refusal as refusal:
            return refused(refusal)

    def _admit(self, asked: Asked) -> None:
        key = asked.headers.get("x-goog-api-key")
        if asked.headers.get("authorization") == f"Bearer {TOKEN}":
            return
        if key == KEY and "permissions" not in asked.path:
            return
        if key == KEY:
            raise Refusal(401, KEYS_REFUSED, info("CREDENTIALS_MISSING"))
        if key:
            raise Refusal(400, "API key not valid. Please pass a valid API key.", info("API_KEY_INVALID"))
        if "authorization" in asked.headers:
            raise Refusal(401, "Request had invalid authentication credentials.", info("ACCESS_TOKEN_EXPIRED"))
        raise Refusal(403, UNREGISTERED)

    def _answer(self, asked: Asked) -> Answer:
        for pattern, method in ROUTES:
            if match := re.fullmatch(pattern, f"{asked.verb} {asked.path}"):
                return method(self, asked, *match.groups())
        return Answer(b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", 404, {"Content-Type": "text/html"})

    def model(self, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise Refusal(403, f"You do not have permission to access tuned model {name} or it may not exist.")
        return self.models[name]


def _bases(gemini: Gemini, asked: Asked) -> Answer:
    return json({"models": BASES})


def _create(gemini: Gemini, asked: Asked) -> Answer:
    base = asked.json.get("baseModel", "models/?")
    raise Refusal(404, f"{base} is not found for API version v1beta, or is not supported for createTunedModel.")


def _list(gemini: Gemini, asked: Asked) -> Answer:
    return json({"tunedModels": list(gemini.models.values())} if gemini.models else {})


def _get(gemini: Gemini, asked: Asked, name: str) -> Answer:
    return json(gemini.model(name))


def _patch(gemini: Gemini, asked: Asked, name: str) -> Answer:
    fields = asked.one("updateMask").split(",")
    gemini.model(name).update({field: asked.json.get(field) for field in fields})
    return json({"name": name, **{field: asked.json.get(field) for field in fields}})


def _delete(gemini: Gemini, asked: Asked, name: str) -> Answer:
    gemini.model(name)
    if gemini.undeletable:
        raise Refusal(403, "The caller does not have permission")
    del gemini.models[name]
    return json({})


def _operations(gemini: Gemini, asked: Asked, name: str) -> Answer:
    gemini.model(name)
    if gemini.operations is None:
        raise Refusal(404, "Operation does not exist.")
    return json({"operations": gemini.operations})


def _generate(gemini: Gemini, asked: Asked, name: str) -> Answer:
    if name.startswith("tunedModels/"):
        gemini.model(name)
    return json(gemini.answer)


def _stream(gemini: Gemini, asked: Asked, name: str) -> Answer:
    first = {"candidates": [{"content": {"parts": [{"text": "LX"}], "role": "model"}, "index": 0}]}
    last = {**ANSWER, "candidates": [{**ANSWER["candidates"][0], "content": {"parts": [{"text": "IV"}]}}]}
    pieces = (b"data: " + orjson.dumps(piece) + b"\r\n\r\n" for piece in (first, last))
    return Answer(headers={"Content-Type": "text/event-stream"}, pieces=pieces)


def _permissions(gemini: Gemini, asked: Asked, name: str) -> Answer:
    gemini.model(name)
    if asked.verb == "GET":
        return json({"permissions": list(gemini.permissions.values())})
    ref = f"{name}/permissions/{len(gemini.permissions) + 104371}"
    gemini.permissions[ref] = {"name": ref, **asked.json}
    return json(gemini.permissions[ref])


def _permission(gemini: Gemini, asked: Asked, ref: str) -> Answer:
    if ref not in gemini.permissions:
        raise Refusal(404, f"Permission {ref} does not exist.")
    if asked.verb == "DELETE":
        del gemini.permissions[ref]
        return json({})
    gemini.permissions[ref]["role"] = asked.json["role"]
    return json(gemini.permissions[ref])


MODEL = r"(tunedModels/[\w-]+)"
ROUTES = [
    (r"GET /v1beta/models", _bases),
    (r"POST /v1beta/tunedModels", _create),
    (r"GET /v1beta/tunedModels", _list),
    (rf"GET /v1beta/{MODEL}", _get),
    (rf"PATCH /v1beta/{MODEL}", _patch),
    (rf"DELETE /v1beta/{MODEL}", _delete),
    (rf"GET /v1beta/{MODEL}/operations", _operations),
    (r"POST /v1beta/((?:tunedModels|models)/[\w.-]+):generateContent", _generate),
    (r"POST /v1beta/((?:tunedModels|models)/[\w.-]+):streamGenerateContent", _stream),
    (rf"(?:GET|POST) /v1beta/{MODEL}/permissions", _permissions),
    (rf"(?:PATCH|DELETE) /v1beta/({MODEL[1:-1]}/permissions/\d+)", _permission),
]


@contextmanager
def gemini_api() -> Iterator[Gemini]:
    gemini = Gemini()
    with served(gemini.respond) as (url, _over):
        gemini.url = url
        yield gemini
