"""The audit log, for administrators: searched, read, and taken away as a file."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from dashboard import audit
from dashboard.audit import files
from dashboard.audit.asking import Wanted, WantedForm, page_before
from dashboard.audit.rows import rows
from dashboard.http import Request


@require_safe
@login_required
def index(request: Request) -> HttpResponse:
    """Who did what to which object, when and from where; the last first."""
    form, wanted = _asked(request)
    entries, more = page_before(wanted.entries(), request.GET.get("before", ""))
    query = urlencode(wanted.pairs())
    context = {"form": form, "rows": rows(entries), "query": query, "deep": "before" in request.GET}
    if more:
        context["older"] = urlencode([*wanted.pairs(), ("before", entries[-1].pk)])
    partial = "#found" if request.htmx.target == "found" else ""
    return TemplateResponse(request, f"audit/list.html{partial}", context)


@require_safe
@login_required
def export(request: Request, form: str) -> HttpResponseBase:
    """All entries that the page would show, as a file."""
    _form, wanted = _asked(request)
    if request.method == "GET":
        audit.record(request, "audit.exported", form=form.upper(), filters=urlencode(wanted.pairs()))
    return files.as_csv(wanted.entries()) if form == "csv" else files.as_json(wanted.entries())


def _asked(request: Request) -> tuple[WantedForm, Wanted]:
    """What the address asks for. Raises ``Http404`` for people who are no administrators."""
    if not request.user.is_administrator:
        raise Http404
    form = WantedForm(request.GET)
    return form, form.wanted()
