"""What the service of a job tells of it besides its states and its losses. It is asked whenever somebody looks."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from dashboard.http import Request
from dashboard.jobs import prices
from dashboard.jobs.access import require
from dashboard.jobs.models import Job
from dashboard.library.models import Role
from dashboard.messages import explain
from tuning.errors import ServiceError
from tuning.jobs import Point
from tuning.providers import Console, JobRef, Particulars, Teller


@require_safe
@login_required
def service(request: Request, pk: int) -> HttpResponse:
    """A part of a job's page, which comes after the rest of it: nobody waits for a service to see a job."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("connection", "owner"), pk=pk)
    require(job, request.user, Role.READER)
    provider = job.connection.open_for(request.user)
    context: dict[str, Any] = {"job": job}
    if job.ref and isinstance(provider, Teller):
        try:
            context |= _told(job, provider.particulars(JobRef(job.ref)))
        except ServiceError as error:
            context["message"] = explain(error)
    return TemplateResponse(request, "jobs/service.html", context)


def offers(job: Job) -> dict[str, Any]:
    """Whether there is more to be told of ``job``, and where its page at the service is."""
    provider = job.connection.service_for(job.owner)
    told = job.ref and isinstance(provider, Teller)
    return {"tells": told, "console": provider.link(JobRef(job.ref)) if told and isinstance(provider, Console) else ""}


def _told(job: Job, told: Particulars) -> dict[str, Any]:
    from dashboard.charts.accuracy import accuracy  # noqa: PLC0415 - plotly is slow to load: not before it is needed

    figure = accuracy(told.accuracy, told.held_out_accuracy) if told.accuracy else None
    rows = [(told.data.inputs, "inputs"), (told.data.outputs, "outputs")] if told.data else []
    return {
        "told": told,
        "cost": _cost(job, told),
        "foretold": job.estimate.get("cost"),
        "currency": prices.currency(),
        "spreads": [(name, spread) for spread, name in rows if spread],
        "accuracy": figure,
        "last": _last(told.accuracy),
        "last_held_out": _last(told.held_out_accuracy),
    }


def _last(points: Sequence[Point]) -> dict[str, Any] | None:
    return {"step": points[-1].step, "share": f"{100 * points[-1].value:.1f} %"} if points else None


def _cost(job: Job, told: Particulars) -> float | None:
    """Of the billable tokens in all epochs, at the price that the settings have."""
    million = prices.price(job.connection, job.base_model)
    if million is None or not told.data or not told.data.billable_tokens:
        return None
    return million * told.data.billable_tokens * job.epoch_count / prices.MILLION
