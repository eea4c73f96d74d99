"""Evaluations: one begun, watched, looked at, stopped, and taken away as a file."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.evaluations import answers, tasks
from dashboard.evaluations.comparing import others
from dashboard.evaluations.forms import StartForm
from dashboard.evaluations.models import Evaluation, State, tell_model
from dashboard.evaluations.starting import start
from dashboard.http import NoContent, Request
from dashboard.library.models import TunedModel
from dashboard.messages import explain
from tuning.errors import Exhausted


@require_http_methods(["GET", "POST"])
@login_required
def new(request: Request, model: int) -> HttpResponse:
    """Which examples a model is to be asked; then the evaluation's page."""
    near = ("connection", "dataset_version", "job__validation_version")
    asked = get_object_or_404(TunedModel.objects.visible_to(request.user).select_related(*near), pk=model)
    data = request.POST if request.method == "POST" else None
    form = StartForm(request.user, asked, data, wanted=request.GET.get("version", ""))
    if form.is_valid():
        try:
            begun = start(request.user, asked, form.plan())
        except Exhausted as error:
            message = explain(error)
            form.add_error(None, f"{message.title}. {message.advice}")
        else:
            tasks.ask.enqueue()
            return redirect(begun)
    may_ask = asked.connection.may_be_used_by(request.user)
    return TemplateResponse(request, "evaluations/new.html", {"model": asked, "form": form, "may_ask": may_ask})


@require_safe
@login_required
def detail(request: Request, pk: int) -> HttpResponse:
    """One evaluation: its scores, other models on the same examples, and answer for answer what was expected."""
    evaluation = _evaluation(request, pk)
    part = "#answers" if request.htmx.target == "answers" else ""
    return TemplateResponse(request, f"evaluations/detail.html{part}", _context(request, evaluation))


@require_safe
@login_required
def live(request: Request, pk: int) -> HttpResponse:
    """What changed on an evaluation's page since the browser last heard; 204 when nothing did."""
    evaluation = _evaluation(request, pk)
    if request.GET.get("seen") == evaluation.fingerprint:
        return NoContent()
    context = _context(request, evaluation) if evaluation.is_over else _facts(request, evaluation)
    return TemplateResponse(request, "evaluations/live.html", context | {"out_of_band": True})


@require_POST
@login_required
def stop(request: Request, pk: int) -> HttpResponse:
    """Asks no more. What was answered stays."""
    evaluation = _to_be_changed(request, pk)
    with transaction.atomic():
        if evaluation.end(State.STOPPED):
            audit.record(request, "evaluation.stopped", evaluation)
    return redirect(evaluation)


@require_POST
@login_required
def resume(request: Request, pk: int) -> HttpResponse:
    """Goes on with what was not answered."""
    evaluation = _to_be_changed(request, pk)
    with transaction.atomic():
        goes_on = evaluation.go_on()
        if goes_on:
            audit.record(request, "evaluation.resumed", evaluation)
    if goes_on:
        tasks.ask.enqueue()
    else:
        messages.error(request, _("It cannot go on: it is done, or another evaluation of the model is under way."))
    return redirect(evaluation)


@require_http_methods(["GET", "POST"])
@login_required
def delete(request: Request, pk: int) -> HttpResponse:
    """Asks whether the evaluation may go; then its model's page."""
    evaluation = _to_be_changed(request, pk)
    if request.method == "GET":
        return TemplateResponse(request, "evaluations/delete.html", {"evaluation": evaluation})
    with transaction.atomic():
        audit.record(request, "evaluation.deleted", evaluation)
        evaluation.delete()
        tell_model(evaluation.model_id)
    messages.success(request, _("The evaluation and its answers were deleted."))
    return redirect(evaluation.model)


@require_safe
@login_required
def as_csv(request: Request, pk: int) -> HttpResponseBase:
    """The answers beside what was expected, for a spreadsheet."""
    return answers.as_csv(_with_answers(request, pk, "CSV"))


@require_safe
@login_required
def as_jsonl(request: Request, pk: int) -> HttpResponseBase:
    """The answers beside what was expected, an object a line."""
    return answers.as_jsonl(_with_answers(request, pk, "JSONL"))


def _evaluation(request: Request, pk: int) -> Evaluation:
    near = ("model__connection", "model__owner", "dataset_version__dataset", "by")
    return get_object_or_404(Evaluation.objects.visible_to(request.user).select_related(*near), pk=pk)


def _to_be_changed(request: Request, pk: int) -> Evaluation:
    evaluation = _evaluation(request, pk)
    if not evaluation.may_be_changed_by(request.user):
        raise PermissionDenied(_("Only who began the evaluation, and the model’s owner, may do that."))
    return evaluation


def _with_answers(request: Request, pk: int, form: str) -> Evaluation:
    """One whose answers are the person's to see. Raises ``Http404`` for others."""
    evaluation = _evaluation(request, pk)
    if not answers.may_see(evaluation, request.user):
        raise Http404
    if request.method == "GET":
        audit.record(request, "evaluation.exported", evaluation, form=form)
    return evaluation


def _facts(request: Request, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "evaluation": evaluation,
        "trouble": evaluation.why(),
        "may_change": evaluation.may_be_changed_by(request.user),
        "may_see": answers.may_see(evaluation, request.user),
    }


def _context(request: Request, evaluation: Evaluation) -> dict[str, Any]:
    facts = _facts(request, evaluation)
    if facts["may_see"]:
        only = answers.chosen(request.GET.get("only", ""))
        page, lines = answers.page_of(evaluation, only, request.GET.get("page"))
        facts |= {"only": only, "choices": answers.Only, "page": page, "lines": lines}
    return facts | {"others": others(evaluation, request.user)}
