"""The queue room: who is tuned for and who waits; people stop their jobs here, and administrators move them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dashboard import audit
from dashboard.connections.models import Connection
from dashboard.fingerprints import fingerprint
from dashboard.http import NoContent, Request
from dashboard.jobs.models import Job
from dashboard.messages import explain
from dashboard.queue.asking import forget
from dashboard.queue.places import Way, facts, known, lines, rearranged
from tuning.errors import FailedPrecondition, InvalidRequest, NotFound, PermissionDenied
from tuning.providers import EngineRoom, Queue


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Everybody's jobs under way and waiting, mine by their names; renews itself while somebody looks."""
    found = lines(request.user)
    seen = fingerprint(facts(found))
    if request.htmx and request.GET.get("seen") == seen:
        return NoContent()
    template = "queue/index.html#lines" if request.htmx else "queue/index.html"
    return TemplateResponse(request, template, {"lines": found, "seen": seen})


@require_POST
@login_required
def cancel(request: Request, connection: int, model_id: str) -> HttpResponse:
    """Stops a job of mine; for administrators anybody's."""
    chosen, queue = _queue(request, connection)
    model = f"tunedModels/{model_id}"
    try:
        withdrawn = queue.withdraw(model)
    except (NotFound, PermissionDenied, InvalidRequest):
        raise Http404 from None
    if withdrawn:
        audit.record(request, "job.cancelled", known(chosen, model))
        messages.success(request, _("The job was cancelled."))
    else:
        messages.info(request, _("The job had ended already."))
    forget(request.user, chosen)
    Job.objects.unfinished().filter(connection=connection, ref__startswith=f"{model}/").update(synced_at=None)
    return redirect("queue:index")


@require_POST
@login_required
def move(request: Request, connection: int, model_id: str) -> HttpResponse:
    """Lets a waiting job change places with its neighbour, go to the front, or back to where its turn is."""
    chosen, queue = _queue(request, connection)
    way = request.POST.get("way", "")
    if not (request.user.is_administrator and isinstance(queue, EngineRoom) and way in list(Way)):
        raise Http404
    try:
        for model, priority in rearranged(queue.queue().next, f"tunedModels/{model_id}", Way(way)).items():
            queue.prioritise(model, priority)
    except (ValueError, NotFound, InvalidRequest):
        messages.error(request, _("It does not wait any more, or the queue is too long to be rearranged there."))
    except FailedPrecondition as error:
        messages.error(request, explain(error).title)
    else:
        audit.record(request, "job.moved", known(chosen, f"tunedModels/{model_id}"), to=way)
    forget(request.user, chosen)
    return redirect("queue:index")


def _queue(request: Request, connection: int) -> tuple[Connection, Queue]:
    """A connection, and the service behind it. Raises ``Http404`` where it has no queue."""
    chosen = get_object_or_404(Connection.objects.usable_by(request.user), pk=connection)
    provider = chosen.open_for(request.user)
    if not isinstance(provider, Queue):
        raise Http404
    return chosen, provider
