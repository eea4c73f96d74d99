"""Running a job exactly again: from its page, or elsewhere by a bundle."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.http import Request
from dashboard.jobs.models import Job
from dashboard.lineage import running
from dashboard.lineage.bundles import BundleRefused, run_of
from dashboard.lineage.forms import BundleForm
from dashboard.lineage.packing import pack
from dashboard.messages import explain
from dashboard.messages.lineage import explain_bundle
from tuning.errors import ServiceError
from tuning.providers import Reproducer


@require_safe
@login_required
def bundle(request: Request, pk: int) -> FileResponse:
    """Everything that decides a job's losses, as a zip; with its examples, where they are mine to see."""
    job, service = _reproducible(request, pk)
    file = pack(run_of(job, service), job, request.user)
    if request.method == "GET":
        audit.record(request, "job.bundled", job)
    name = f"{slugify(job.display_name) or f'job-{job.pk}'}-run.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@require_POST
@login_required
def again(request: Request, pk: int) -> HttpResponse:
    """Starts the job exactly as it was, and shows the new one's page."""
    job, service = _reproducible(request, pk)
    if not running.may_run(request.user, job):
        raise PermissionDenied(_("The examples of this job are not yours to see, so you cannot run it again."))
    try:
        return redirect(running.run_again(request.user, job, service))
    except ServiceError as error:
        messages.error(request, _refusal(error))
        return redirect(job)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bring(request: Request) -> HttpResponse:
    """A bundle to be uploaded; then the page of the job that it became."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = BundleForm(request.user, *sent)
    if form.is_valid():
        try:
            return redirect(running.run_bundle(request.user, form.cleaned_data["connection"], form.bundle))
        except BundleRefused as refusal:
            form.add_error("file", explain_bundle(refusal.code, refusal.params))
        except ServiceError as error:
            form.add_error(None, _refusal(error))
    return TemplateResponse(request, "lineage/import.html", {"form": form})


def _reproducible(request: Request, pk: int) -> tuple[Job, Reproducer]:
    """A job that can be run again, and its service. Raises ``Http404`` for others."""
    near = ("connection", "owner", "dataset_version__dataset", "validation_version__dataset")
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related(*near), pk=pk)
    service = running.service_of(request.user, job)
    if service is None:
        raise Http404
    return job, service


def _refusal(error: ServiceError) -> str:
    message = explain(error)
    return _("%(what)s. %(advice)s") % {"what": message.title, "advice": error.detail or message.advice}
