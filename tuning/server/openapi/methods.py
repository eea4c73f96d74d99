"""Every method of the API: what it takes and what it answers. A test holds this table against ``urls.py``."""

from dataclasses import dataclass
from typing import Any

from tuning import resources
from tuning.server.openapi.objects import (
    BASE_MODEL,
    COUNT,
    DATASET,
    EMPTY,
    ENGINE,
    JOB,
    LOG,
    POINTS,
    QUEUE,
    SAMPLES,
    STATUS,
    TALLY,
    TEXT,
    TOKENS,
    USES,
    an_object,
    maybe,
)
from tuning.server.openapi.schemas import Schema


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One HTTP method of one path. ``answers`` is a message, a schema of our own, or a media type."""

    name: str
    about: str
    answers: type | Schema | str
    body: type | Schema | str | None = None
    query: tuple[str, ...] = ()
    public: bool = False
    """Whether it may be called without credentials."""
    accepted: Schema | None = None
    """What is answered, with 202, while it is not done yet."""
    streamed: bool = False
    """Whether it answers message after message: an array, or server-sent events."""


QUERY: dict[str, tuple[Schema, str]] = {
    "tunedModelId": (
        {"type": "string", "pattern": "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"},
        "The new model's id; without it one is made of the display name.",
    ),
    "dataset": (
        {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "A dataset sent to `/tuneboard/v1/datasets` before, in place of training data in the body.",
    ),
    "pageSize": ({"type": "integer", "minimum": 0, "maximum": 999999999}, "10 if absent or 0; above 1000 means 1000."),
    "pageToken": (TEXT, "`nextPageToken` of the page before."),
    "filter": (TEXT, "Words to be found in name and description; `owner:me`, `writers:me`, `readers:everyone` …"),
    "updateMask": (TEXT, "What to change, separated by commas. Without it: the fields that the body has."),
    "after": ({"type": "integer", "minimum": 0, "maximum": 999999999}, "What comes after this is answered."),
    "within": ({"type": "integer", "minimum": 0, "maximum": 999999999}, "So many seconds ago, at most."),
    "attempt": ({"type": "integer", "minimum": 0, "maximum": 999999999}, "The attempt the caller knows."),
    "alt": ({"type": "string", "enum": ["json", "sse"]}, "`sse` streams server-sent events instead of a JSON array."),
}
PAGE = ("pageSize", "pageToken")

MODEL = "/{version}/tunedModels/{model_id}"
PERMISSION = f"{MODEL}/permissions/{{permission_id}}"
OPERATION = f"{MODEL}/operations/{{operation_id}}"
BASE = "/{version}/models/{model_id}"
JOBS = "/tuneboard/v1/jobs/{model_id}"

ASKING: dict[str, dict[str, Any]] = {
    "generateContent": {
        "about": "Ask a model.",
        "body": resources.GenerateContentRequest,
        "answers": resources.GenerateContentResponse,
    },
    "streamGenerateContent": {
        "about": "Ask a model and hear the answer as it is made.",
        "query": ("alt",),
        "body": resources.GenerateContentRequest,
        "answers": resources.GenerateContentResponse,
        "streamed": True,
    },
    "generateText": {
        "about": "Ask a model, in PaLM's words.",
        "body": resources.GenerateTextRequest,
        "answers": resources.GenerateTextResponse,
    },
    "countTokens": {
        "about": "How many tokens a question has.",
        "body": resources.CountTokensRequest,
        "answers": resources.CountTokensResponse,
    },
    "countTextTokens": {
        "about": "How many tokens a question has, in PaLM's words.",
        "body": resources.CountTextTokensRequest,
        "answers": resources.CountTextTokensResponse,
    },
}


def asking(path: str, kind: str) -> dict[str, dict[str, Method]]:
    """The methods that ask the models at ``path``."""
    return {f"{path}:{verb}": {"POST": Method(name=f"{kind}.{verb}", **what)} for verb, what in ASKING.items()}


METHODS: dict[str, dict[str, Method]] = {
    "/{version}/tunedModels": {
        "GET": Method(
            name="tunedModels.list",
            about="Tuned models the caller may see, newest first.",
            query=(*PAGE, "filter"),
            answers=resources.TunedModelPage,
        ),
        "POST": Method(
            name="tunedModels.create",
            about="Start tuning.",
            query=("tunedModelId", "dataset"),
            body=resources.TunedModel,
            answers=resources.Operation,
        ),
    },
    MODEL: {
        "GET": Method(name="tunedModels.get", about="A tuned model.", answers=resources.TunedModel),
        "PATCH": Method(
            name="tunedModels.patch",
            about="Change name, description or sampling.",
            query=("updateMask",),
            body=resources.TunedModel,
            answers=resources.TunedModel,
        ),
        "DELETE": Method(name="tunedModels.delete", about="Delete a model, or stop and forget its job.", answers=EMPTY),
    },
    f"{MODEL}:cancel": {"POST": Method(name="tunedModels.cancel", about="Stop tuning.", body=EMPTY, answers=EMPTY)},
    **asking(MODEL, "tunedModels"),
    f"{MODEL}:transferOwnership": {
        "POST": Method(
            name="tunedModels.transferOwnership",
            about="Give a model to somebody else; its owner stays a writer.",
            body=resources.TransferOwnershipRequest,
            answers=EMPTY,
        )
    },
    f"{MODEL}/permissions": {
        "GET": Method(
            name="permissions.list", about="Who may use a model.", query=PAGE, answers=resources.PermissionPage
        ),
        "POST": Method(
            name="permissions.create",
            about="Share a model.",
            body=resources.Permission,
            answers=resources.Permission,
        ),
    },
    PERMISSION: {
        "GET": Method(name="permissions.get", about="One permission.", answers=resources.Permission),
        "PATCH": Method(
            name="permissions.patch",
            about="Change a role.",
            query=("updateMask",),
            body=resources.Permission,
            answers=resources.Permission,
        ),
        "DELETE": Method(name="permissions.delete", about="Stop sharing.", answers=EMPTY),
    },
    f"{MODEL}/operations": {
        "GET": Method(
            name="operations.list", about="A model's operations.", query=PAGE, answers=resources.OperationPage
        )
    },
    OPERATION: {
        "GET": Method(name="operations.get", about="How far tuning is.", answers=resources.Operation),
        "DELETE": Method(
            name="operations.delete", about="Always 501: an operation goes with its model.", answers=EMPTY
        ),
    },
    f"{OPERATION}:cancel": {
        "POST": Method(name="operations.cancel", about="Stop tuning.", body=EMPTY, answers=EMPTY),
    },
    "/{version}/models": {
        "GET": Method(name="models.list", about="The base models.", query=PAGE, answers=resources.ModelPage)
    },
    BASE: {"GET": Method(name="models.get", about="A base model.", answers=resources.Model)},
    **asking(BASE, "models"),
    "/tuneboard/v1/jobs": {
        "POST": Method(
            name="job.create",
            about="Start tuning, with every hyperparameter, held-out examples and sample answers.",
            body=resources.NewJob,
            answers=resources.Operation,
        )
    },
    JOBS: {
        "GET": Method(
            name="job", about="A job's place, progress and points after a step.", query=("after",), answers=JOB
        ),
        "PATCH": Method(
            name="job.patch",
            about="Give a job that has not ended another priority; for administrators.",
            body=resources.JobChange,
            answers=an_object(priority={"type": "integer"}),
        ),
    },
    f"{JOBS}:retry": {
        "POST": Method(
            name="job.retry",
            about="Queue a job again that failed or was cancelled; where checkpoints were kept, it goes on.",
            body=EMPTY,
            answers=an_object(state=TEXT, resumes={"type": "boolean"}),
        )
    },
    f"{JOBS}/points": {
        "GET": Method(
            name="job.points",
            about="Points after a step, or all of them once the job has begun anew.",
            query=("after", "attempt"),
            answers=an_object(attempt=COUNT, points=POINTS),
        )
    },
    f"{JOBS}/log": {
        "GET": Method(
            name="job.log", about="Log lines after a cursor, a thousand at most.", query=("after",), answers=LOG
        )
    },
    f"{JOBS}/samples": {
        "GET": Method(
            name="job.samples",
            about="Held-out examples and what the model answers at its epochs' ends; for the owner and writers.",
            answers=SAMPLES,
        )
    },
    f"{JOBS}/adapter": {
        "GET": Method(
            name="job.adapter", about="The adapter: safetensors, GGUF and a model card.", answers="application/zip"
        ),
        "PUT": Method(
            name="job.take",
            about="Take in a tuned model that was made elsewhere, as a zip file; for administrators.",
            body="application/zip",
            answers=an_object(operation=TEXT),
        ),
    },
    f"{JOBS}/adapter.gguf": {
        "GET": Method(name="job.adapterGguf", about="The adapter for llama.cpp.", answers="application/octet-stream")
    },
    f"{JOBS}/merged.gguf": {
        "GET": Method(
            name="job.mergedGguf",
            about="Base and adapter as one GGUF file; 202 and Retry-After while it is put together.",
            answers="application/octet-stream",
            accepted=an_object(percent=COUNT),
        )
    },
    f"{JOBS}/card": {"GET": Method(name="job.card", about="The model card.", answers="text/markdown; charset=utf-8")},
    f"{JOBS}/modelfile": {
        "GET": Method(name="job.modelfile", about="Ollama's Modelfile.", answers="text/plain; charset=utf-8")
    },
    f"{JOBS}/training-data": {
        "GET": Method(
            name="job.trainingData",
            about="The examples as JSONL; for the owner who sent them alone.",
            answers="application/jsonl; charset=utf-8",
        )
    },
    "/tuneboard/v1/datasets/{sha256}": {
        "GET": Method(name="datasets.get", about="A dataset that the caller sent ahead.", answers=DATASET),
        "PUT": Method(
            name="datasets.put",
            about="Send a dataset ahead, as JSONL, under the SHA-256 of its bytes.",
            body="application/jsonl",
            answers=DATASET,
        ),
    },
    "/tuneboard/v1/keys": {
        "GET": Method(name="keys.list", about="The caller's API keys.", answers=resources.ApiKeyPage),
        "POST": Method(
            name="keys.create",
            about="Make a key; its text is in this answer only. Not for callers who come by key.",
            body=resources.NewApiKey,
            answers=resources.ApiKey,
        ),
    },
    "/tuneboard/v1/keys/{key_id}": {"DELETE": Method(name="keys.revoke", about="Make a key useless.", answers=EMPTY)},
    "/tuneboard/v1/base-models": {
        "GET": Method(
            name="baseModels.list",
            about="What can be tuned here, and would it fit.",
            answers=an_object(
                baseModels={"type": "array", "items": BASE_MODEL}, folders=maybe({"type": "array", "items": TEXT})
            ),
        ),
        "POST": Method(
            name="baseModels.add",
            about="Have a base model made ready; for administrators.",
            body=resources.NewBaseModel,
            answers=BASE_MODEL,
        ),
    },
    "/tuneboard/v1/base-models/{name}": {
        "GET": Method(name="baseModels.get", about="One base model.", answers=BASE_MODEL),
        "DELETE": Method(name="baseModels.remove", about="Remove its files; for administrators.", answers=EMPTY),
    },
    "/tuneboard/v1/tokens": {
        "POST": Method(
            name="tokens.count",
            about="Count the tokens of texts, or of a dataset sent ahead, for a base model.",
            body=resources.TokensRequest,
            answers={"oneOf": [TOKENS, TALLY]},
        )
    },
    "/tuneboard/v1/engine": {
        "GET": Method(
            name="engine",
            about="The tuners, their machines and children, and the queue; for administrators.",
            answers=ENGINE,
        )
    },
    "/tuneboard/v1/queue": {
        "GET": Method(
            name="queue",
            about="Who is tuned for and whose turn is next; of others' jobs nothing but their place.",
            answers=QUEUE,
        )
    },
    "/tuneboard/v1/uses": {
        "GET": Method(
            name="uses",
            about="When the caller's own models were last asked, by whomever.",
            query=("within",),
            answers=USES,
        )
    },
    "/tuneboard/v1/status": {
        "GET": Method(name="status", about="Whether jobs run and questions are answered.", answers=STATUS)
    },
    "/healthz": {"GET": Method(name="healthz", about="For supervisors.", answers=an_object(status=TEXT), public=True)},
    "/openapi.json": {"GET": Method(name="openapi", about="This document.", answers={"type": "object"}, public=True)},
}
