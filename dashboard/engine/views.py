"""The engine room, for administrators: the machines that tune, who waits, and the base models that are there."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.connections.models import Connection
from dashboard.engine.forms import HIGHEST, NewBaseForm, PriorityForm
from dashboard.fingerprints import fingerprint
from dashboard.http import NoContent, Request
from dashboard.jobs.models import Job
from dashboard.messages import FAILURES, explain, explain_failure
from dashboard.queue import places
from tuning.errors import AlreadyExists, FailedPrecondition, InvalidRequest, NotFound
from tuning.providers import EngineRoom, EngineState, InstalledBase, NewBase

REFUSALS = (AlreadyExists, FailedPrecondition, InvalidRequest, NotFound)
MEGABYTES = 1 << 24
"""Memory is shown, and found to have changed, in steps of so many bytes."""


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Tuners and their processes, the queue, the base models; renews itself while somebody looks."""
    room = _room(request)
    state = room.engine()
    bases, _folders = room.installed_bases()
    seen = fingerprint(_facts(state, bases))
    if request.htmx and request.GET.get("seen") == seen:
        return NoContent()
    template = "engine/_live.html" if request.htmx else "engine/index.html"
    return TemplateResponse(request, template, _context(state) | {"bases": bases, "seen": seen})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_base(request: Request) -> HttpResponse:
    """The form of a base model from a folder; after it, the engine."""
    room = _room(request)
    _bases, folders = room.installed_bases()
    form = NewBaseForm(folders, request.POST if request.method == "POST" else None)
    if form.is_valid() and _added(room, form):
        audit.record(request, "base.added", audit.Thing("base", form.base().name, form.base().name))
        messages.success(request, _("“%(name)s” is being made ready.") % {"name": form.base().name})
        return redirect("engine:index")
    return TemplateResponse(request, "engine/add_base.html", {"form": form, "folders": folders})


@require_POST
@login_required
def prepare_base(request: Request, name: str) -> HttpResponse:
    """Has a base model that is known made ready, also after that failed."""
    room = _room(request)
    try:
        room.add_base(NewBase(name=name))
    except REFUSALS as error:
        messages.error(request, _told(error))
    else:
        audit.record(request, "base.added", audit.Thing("base", name, name))
        messages.success(request, _("“%(name)s” is being made ready.") % {"name": name})
    return redirect("engine:index")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove_base(request: Request, name: str) -> HttpResponse:
    """Asks whether the base model may go; then removes it and shows the engine."""
    room = _room(request)
    base = next((base for base in room.installed_bases()[0] if base.name == name and base.removable), None)
    if base is None:
        raise Http404
    if request.method != "POST":
        return TemplateResponse(request, "engine/remove_base.html", {"base": base})
    try:
        room.remove_base(name)
    except REFUSALS as error:
        messages.error(request, _told(error))
    else:
        audit.record(request, "base.removed", audit.Thing("base", name, base.display_name))
        messages.success(request, _("“%(name)s” was removed.") % {"name": base.display_name})
    return redirect("engine:index")


@require_POST
@login_required
def prioritise(request: Request, model_id: str) -> HttpResponse:
    """Puts a waiting job before others, or back where its turn is."""
    room = _room(request)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        room.prioritise(f"tunedModels/{model_id}", form.cleaned_data["priority"])
    except REFUSALS as error:
        messages.error(request, _told(error))
    else:
        about = places.known(Connection.objects.local(), f"tunedModels/{model_id}")
        audit.record(request, "job.moved", about, to=form.cleaned_data["priority"])
    return redirect("engine:index")


def _room(request: Request) -> EngineRoom:
    """This machine's own service. Raises ``Http404`` for people who are no administrators, and where it has none."""
    provider = Connection.objects.local().open_for(request.user)
    if not (request.user.is_administrator and isinstance(provider, EngineRoom)):
        raise Http404
    return provider


def _added(room: EngineRoom, form: NewBaseForm) -> bool:
    """Whether the service took the base model; the form says why not."""
    try:
        room.add_base(form.base())
    except REFUSALS as error:
        form.add_error(None, _told(error))
        return False
    return True


def _told(error: AlreadyExists | FailedPrecondition | InvalidRequest | NotFound) -> str:
    message = explain_failure(error.code) if error.code in FAILURES else explain(error)
    return f"{message.title}. {message.advice}"


def _context(state: EngineState) -> dict[str, Any]:
    """The machines and the queue, with the dashboard's own jobs beside what the service tells of them."""
    alive = [tuner for tuner in state.tuners if tuner.alive]
    models = {process.model for tuner in state.tuners for process in tuner.processes}
    models |= {turn.model for turn in state.next}
    jobs = {job.model: job for job in Job.objects.filter(model__in=models - {""}).select_related("owner")}
    tuners = [(tuner, [(process, jobs.get(process.model)) for process in tuner.processes]) for tuner in state.tuners]
    return {
        "engine": state,
        "alive": alive,
        "slots": sum(tuner.slots for tuner in alive),
        "tuners": tuners,
        "turns": [(turn, jobs.get(turn.model)) for turn in state.next],
        "front": min(max((turn.priority for turn in state.next), default=0) + 1, HIGHEST),
    }


def _facts(state: EngineState, bases: Sequence[InstalledBase]) -> tuple[object, ...]:
    """What the page shows, memory by whole steps of :data:`MEGABYTES`."""
    tuners = [
        (
            tuner.name,
            tuner.alive,
            tuner.free_memory // MEGABYTES,
            tuner.free_disk // MEGABYTES,
            [(process.kind, process.model, process.base, process.memory // MEGABYTES) for process in tuner.processes],
        )
        for tuner in state.tuners
    ]
    turns = [(turn.model, turn.priority, turn.expected_start and turn.expected_start.minute) for turn in state.next]
    return tuners, turns, state.waiting, state.running, bases
