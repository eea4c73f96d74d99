"""Bringing in jobs that a service has already."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dashboard.connections.models import Connection
from dashboard.http import Request
from dashboard.jobs.bringing import AT_ONCE, bring, shelves
from dashboard.jobs.models import Job
from dashboard.messages import explain
from tuning.errors import ServiceError


@require_safe
@login_required
def offer(request: Request) -> HttpResponse:
    """What the services have and the dashboard has not, to be searched and chosen from."""
    q = request.GET.get("q", "")[:100]
    return TemplateResponse(request, "jobs/import.html", {"shelves": shelves(request.user, q), "q": q})


@require_POST
@login_required
def take(request: Request, connection: int) -> HttpResponse:
    """Brings in what was ticked, or all that the search found; then the list, or the one job's page."""
    chosen = get_object_or_404(Connection.objects.usable_by(request.user), pk=connection)
    models = request.POST.getlist("model")
    if "all" in request.POST:
        shelf = next(
            (one for one in shelves(request.user, request.POST.get("q", "")) if one.connection == chosen), None
        )
        models = [job.model for job in shelf.jobs] if shelf else []
    brought: list[Job] = []
    for model in models[:AT_ONCE]:
        try:
            brought.append(bring(request.user, chosen, model))
        except ServiceError as error:
            messages.error(request, f"{model[:80]}: {explain(error).title}.")
    _tell(request, len(brought), len(models))
    return redirect(brought[0]) if len(brought) == 1 else redirect("jobs:list" if brought else "jobs:import")


def _tell(request: Request, brought: int, wanted: int) -> None:
    if not wanted:
        messages.info(request, _("Nothing was chosen. Tick the jobs that are to be brought in."))
    if brought:
        said = ngettext("%(count)s job was brought in.", "%(count)s jobs were brought in.", brought)
        messages.success(request, said % {"count": brought})
    if wanted > AT_ONCE:
        messages.info(request, _("%(count)s at once: press again for the others.") % {"count": AT_ONCE})
