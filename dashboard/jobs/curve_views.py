"""A job's curve: its points for the chart, for a table, and for other programs."""

from typing import Any

import numpy as np
import orjson
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from dashboard import audit
from dashboard.charts import curve as chart
from dashboard.http import Request
from dashboard.jobs import series_files
from dashboard.jobs.curve import ViewForm, length
from dashboard.jobs.models import Job
from tuning import curves

ROWS_A_PAGE = 50


@require_safe
@login_required
def curve(request: Request, pk: int) -> HttpResponse:
    """The part of the curve that is looked at, in columns, with every extreme."""
    job = _job(request, pk)
    drawn = chart.curve(job.series(), job.validation, length(job), ViewForm(request.GET).view(job))
    answer = orjson.dumps({"attempt": job.attempt, **drawn}, option=orjson.OPT_SERIALIZE_NUMPY)
    return HttpResponse(answer, content_type="application/json", headers={"Cache-Control": "no-store"})


@require_safe
@login_required
def points(request: Request, pk: int) -> HttpResponse:
    """Every point as a row of a table, the newest first."""
    job = _job(request, pk)
    kept = curves.arrays(job.series())
    page = Paginator(range(len(kept.steps)), ROWS_A_PAGE).get_page(request.GET.get("page"))
    newest_first = len(kept.steps) - 1 - np.array(page.object_list, dtype=np.intp)
    context = {"job": job, "page": page, "rows": _rows(job, kept, newest_first)}
    return TemplateResponse(request, "jobs/points.html#table" if request.htmx else "jobs/points.html", context)


@require_safe
@login_required
def series(request: Request, pk: int, form: str) -> HttpResponseBase:
    """The whole series as a file."""
    job = _job(request, pk)
    if request.method == "GET":
        audit.record(request, "job.series_exported", job, form=form.upper())
    return series_files.as_csv(job) if form == "csv" else series_files.as_json(job)


def _job(request: Request, pk: int) -> Job:
    jobs = Job.objects.visible_to(request.user).defer("samples", "small_curve")
    return get_object_or_404(jobs.select_related("dataset_version", "validation_version"), pk=pk)


def _rows(job: Job, kept: curves.Arrays, at: curves.Indices) -> list[dict[str, Any]]:
    """The points at ``at``, and beside them the held-out losses of their steps."""
    held_out = {row[0]: row[2] for row in job.validation}
    columns = (column[at].tolist() for column in (kept.steps, kept.epochs, kept.values, chart.elapsed(kept)))
    return [
        {"step": step, "epoch": epoch, "loss": loss, "time": time, "held_out": held_out.get(step)}
        for step, epoch, loss, time in zip(*columns, strict=True)
    ]
