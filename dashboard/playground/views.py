"""The playground: one model, one prompt, its answer."""

import time
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget

from dashboard.http import Request
from dashboard.jobs.models import Job
from dashboard.library import uses
from dashboard.messages import FINISH_REASONS, Message, explain
from dashboard.playground.forms import AskForm
from dashboard.playground.offers import Target, offer_to
from tuning.errors import ServiceError
from tuning.providers import Answer, Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A prompt and what came of it: an answer, or the reason why there is none."""

    target: Target
    prompt: Prompt
    seconds: float
    answer: Answer | None = None
    refusal: Message | None = None
    detail: str = ""

    @property
    def finish_reason(self) -> str:
        """In words, or the service's own where there are none for it."""
        return str(FINISH_REASONS.get(self.answer.finish_reason, self.answer.finish_reason)) if self.answer else ""


@require_http_methods(["GET", "POST"])
@login_required
def ask(request: Request) -> HttpResponse:
    """A model to choose and a prompt to write; then the answer, below those given before on this page."""
    model = request.GET.get("model", "")
    offer = offer_to(request.user, model)
    wanted = offer.find(model, request.GET.get("connection", ""))
    form = AskForm(offer, request.POST if request.method == "POST" else None, wanted=wanted)
    turn = _asked(request, form) if form.is_valid() else None
    if request.method == "POST" and request.htmx:
        return _partial(request, form, turn)
    context = {"form": form, "turn": turn, "offer": offer}
    if model and not wanted:
        job = Job.objects.visible_to(request.user).filter(model=model).first()
        return TemplateResponse(request, "playground/ask.html", context | {"asked_for": model, "job": job})
    return TemplateResponse(request, "playground/ask.html", context)


def _asked(request: Request, form: AskForm) -> Turn:
    target, prompt = form.chosen, form.to_prompt()
    begun = time.monotonic()
    try:
        answer = target.connection.open_for(request.user).generate(target.model, prompt)
    except ServiceError as error:
        seconds = time.monotonic() - begun
        return Turn(target=target, prompt=prompt, seconds=seconds, refusal=explain(error), detail=error.detail)
    if target.is_tuned:
        uses.note(target.connection, target.model)
    return Turn(target=target, prompt=prompt, seconds=time.monotonic() - begun, answer=answer)


def _partial(request: Request, form: AskForm, turn: Turn | None) -> HttpResponse:
    """The new turn alone; where nothing could be asked, the fields with what is wrong beside them."""
    if turn:
        return TemplateResponse(request, "playground/ask.html#turn", {"turn": turn})
    fields = TemplateResponse(request, "playground/ask.html#fields", {"form": form})
    return reswap(retarget(fields, "#fields"), "outerHTML")
