"""``/tuneboard/v1/base-models``: what can be tuned here, and would it fit. Administrators add and remove."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.engine.bases import catalogue, shape
from tuning.engine.bases.catalogue import BaseModelEntry, Folder, Hub, Wheel
from tuning.engine.bases.fit import Fit, Machine, fit, this_machine
from tuning.errors import EngineError
from tuning.resources import NewBaseModel
from tuning.server import access, base_models, installing
from tuning.server.answers import json_answer
from tuning.server.models import BasePreparation, TunerState
from tuning.server.routing import read
from tuning.server.views.tuneboard.fields import present

SOURCES = {Wheel: "wheel", Folder: "folder", Hub: "hub", type(None): "placed"}


def listing(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"baseModels": […]}``; for administrators also ``folders``, what lies in BASES_DIR and could be added."""
    described = [_described(entry) for entry in base_models.entries()]
    folders = {"folders": installing.folders()} if caller.administrator else {}
    return json_answer({"baseModels": described, **folders})


def get(request: HttpRequest, caller: Identity, name: str) -> HttpResponse:
    """``state`` is ``ready``, ``preparing``, ``failed`` or ``absent`` (made ready when a job wants it); ``fits`` is of
    :class:`tuning.engine.bases.fit.Verdict`, with the bytes that it was reached from.
    """
    return json_answer(_described(base_models.entry(name)))


def add(request: HttpRequest, caller: Identity) -> HttpResponse:
    """Have a base model made ready: a new one from ``folder``, or a known one by its ``name``, also after it failed."""
    access.require_administrator(caller)
    return json_answer(_described(installing.add(read(NewBaseModel, request))))


def remove(request: HttpRequest, caller: Identity, name: str) -> HttpResponse:
    """Remove what was made ready, and stop making it ready."""
    access.require_administrator(caller)
    installing.remove(name)
    return json_answer({})


def _described(entry: BaseModelEntry) -> dict[str, Any]:
    folder, asked = Path(settings.MODELS_DIR) / entry.name, BasePreparation.objects.filter(base=entry.name).first()
    at_it = TunerState.objects.alive().filter(preparing_base=entry.name).first()
    ready = catalogue.is_prepared(entry.name, settings.MODELS_DIR)
    failure = asked.failure_code if asked and not ready and not at_it else ""
    state = "ready" if ready else "failed" if failure else "preparing" if asked or at_it else "absent"
    return {
        "name": entry.name,
        "displayName": entry.display_name,
        "description": entry.description,
        "licence": entry.licence,
        "source": SOURCES[type(entry.weights)],
        "state": state,
        "inputTokenLimit": entry.input_token_limit,
        "outputTokenLimit": entry.output_token_limit,
        "removable": folder.exists() and not installing.is_kept(entry) and not installing.users(entry.name),
        **present(
            preparing=at_it.preparing if at_it and not ready else None,
            failure=failure,
            failureDetail=asked.failure_detail if asked and failure else None,
            sha256=entry.sha256 or None,
            bytes=sum(path.stat().st_size for path in folder.iterdir()) if ready else None,
        ),
        **_fitting(entry, ready),
    }


def _fitting(entry: BaseModelEntry, ready: bool) -> dict[str, Any]:
    """Whether it fits, where its config.json is at hand."""
    source = Path(entry.weights.folder) if isinstance(entry.weights, Folder) else None
    place = Path(settings.MODELS_DIR) / entry.name if ready else source
    try:
        found = shape.read(place) if place else None
    except (EngineError, OSError):
        return {}
    return _numbers(fit(found, _machine(), context=entry.context_tokens, prepared=ready)) if found else {}


def _numbers(judged: Fit) -> dict[str, Any]:
    return {
        "parameters": judged.parameters,
        "fits": judged.verdict.value,
        "fitsReasons": list(judged.short_of),
        "tuningBytes": judged.tuning,
        "answeringBytes": judged.answering,
        "diskBytes": judged.disk,
        "memoryBytes": judged.machine.memory,
        "freeDiskBytes": judged.machine.disk,
    }


def _machine() -> Machine:
    """The largest that tunes; this one, where none does."""
    tuner = TunerState.objects.alive().filter(memory__gt=0).order_by("-memory").first()
    return Machine(memory=tuner.memory, disk=tuner.disk_free) if tuner else this_machine(Path(settings.MODELS_DIR))
