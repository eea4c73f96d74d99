"""``/tuneboard/v1/jobs/{id}/…``: a tuned model to be taken elsewhere. For whoever may ask it.

Each answers 400 until tuning has succeeded.
"""

from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from tuning.assertions import Identity
from tuning.engine.bases.catalogue import ADAPTER_GGUF
from tuning.errors import FailedPrecondition, NotFound
from tuning.jobs import JobState
from tuning.server import archives, cards, files, merged
from tuning.server.access import Action
from tuning.server.answers import json_answer
from tuning.server.models import Job
from tuning.server.views import tuned_models

AGAIN_SECONDS = 2
"""After so long, a caller may ask again for a model that is being put together."""


def adapter(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """The adapter's folder as a zip file: safetensors and configuration as PEFT writes them, GGUF, the model card, and
    Ollama's Modelfile.
    """
    found = _tuned(caller, model_id)
    added = {"README.md": cards.card(found).encode(), "Modelfile": cards.modelfile(found).encode()}
    content = archives.zipped(files.adapter(found), found.model_id, added)
    return StreamingHttpResponse(
        content,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{found.model_id}.zip"'},
    )


def adapter_gguf(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """The adapter for llama.cpp, which wants the base model beside it."""
    found = _tuned(caller, model_id)
    return _file(files.adapter(found) / ADAPTER_GGUF, f"{found.model_id}-adapter.gguf")


def merged_gguf(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """Base and adapter as one file of F16. While it is put together: 202, ``{"percent"}``, and ``Retry-After``."""
    found = _tuned(caller, model_id)
    made = merged.file(found)
    if isinstance(made, int):
        response = json_answer({"percent": made}, status=202)
        response["Retry-After"] = str(AGAIN_SECONDS)
        return response
    return _file(made, f"{found.model_id}.gguf")


def card(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """The model card: base, licence, data, hyperparameters, curve, and how to use it."""
    text = cards.card(_tuned(caller, model_id))
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def modelfile(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """For ``ollama create``, beside the merged file."""
    return HttpResponse(cards.modelfile(_tuned(caller, model_id)), content_type="text/plain; charset=utf-8")


def _tuned(caller: Identity, model_id: str) -> Job:
    found = tuned_models.find(caller, model_id, Action.READ)
    if not found.is_final:
        raise FailedPrecondition("still_creating", name=found.name)
    if found.state != JobState.SUCCEEDED:
        raise FailedPrecondition("not_active", name=found.name)
    return found


def _file(path: Path, name: str) -> FileResponse:
    try:
        content = path.open("rb")
    except FileNotFoundError as exc:
        raise NotFound("adapter_missing") from exc
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
