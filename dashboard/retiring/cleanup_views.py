"""Clean-ups: a rule, what it would do, and how far it is done."""

import secrets
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dashboard.fingerprints import fingerprint
from dashboard.http import NoContent, Request
from dashboard.retiring import cleaning as work
from dashboard.retiring.forms import CleanupForm, SureForm
from dashboard.retiring.models import Cleanup

MOST = 10_000
"""Models of one clean-up."""
SHOWN = 500
"""Models of a preview that are listed; of the rest the number is told."""
CLEANUPS_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cleanup(request: Request) -> HttpResponse:
    """The rule, and exactly what it would do; then the page on which one sees it done."""
    asked = request.POST if request.method == "POST" else request.GET
    form = CleanupForm(request.user, asked if "fate" in asked else None)
    if not form.is_valid():
        earlier = Cleanup.objects.visible_to(request.user).select_related("by")[:CLEANUPS_SHOWN]
        return TemplateResponse(request, "retiring/cleanup.html", {"form": form, "earlier": earlier})
    found = list(form.rule().found(request.user, form.wanted).select_related("owner").order_by("created", "pk")[:MOST])
    seen = work.seen_as([model.pk for model in found])
    if request.method == "POST":
        sure = SureForm(request.POST)
        if sure.is_valid() and sure.cleaned_data["seen"] == seen and found:
            begun = Cleanup(by=request.user, fate=form.wanted, rule=form.said(), key=sure.cleaned_data["key"])
            return redirect(work.begin(request, begun, found))
        messages.warning(request, _("Meanwhile the rule finds other models. Look at them before you go on."))
    context = {
        "form": form,
        "found": found[:SHOWN],
        "count": len(found),
        "unseen": max(len(found) - SHOWN, 0),
        "seen": seen,
        "key": secrets.token_urlsafe(24),
        "previewed": True,
    }
    return TemplateResponse(request, "retiring/cleanup.html", context)


@require_safe
@login_required
def cleaning(request: Request, pk: int) -> HttpResponse:
    """How far a clean-up is; to a poll, 204 where nothing changed."""
    found = get_object_or_404(Cleanup.objects.visible_to(request.user).select_related("by"), pk=pk)
    context = _progress(found)
    if request.htmx and request.GET.get("seen") == context["seen"]:
        return NoContent()
    template = "retiring/cleaning.html#progress" if request.htmx else "retiring/cleaning.html"
    return TemplateResponse(request, template, context)


def _progress(found: Cleanup) -> dict[str, Any]:
    counts = found.items.aggregate(
        total=Count("pk"), done=Count("pk", filter=Q(done__isnull=False)), skipped=Count("pk", filter=Q(skipped=True))
    )
    left_alone = found.items.filter(skipped=True)[:SHOWN]
    percent = 100 * counts["done"] // counts["total"] if counts["total"] else 100
    seen = fingerprint((counts, found.finished))
    return {"cleanup": found, "percent": percent, "left_alone": left_alone, "seen": seen, **counts}
