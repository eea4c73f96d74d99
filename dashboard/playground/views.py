"""The playground: one model, one prompt, its answer."""

from collections.abc import Iterator
from contextlib import closing

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.html import escape
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget

from dashboard.http import Request
from dashboard.jobs.models import Job
from dashboard.playground.asking import Turn
from dashboard.playground.forms import AskForm
from dashboard.playground.offers import offer_to


@require_http_methods(["GET", "POST"])
@login_required
def ask(request: Request) -> HttpResponseBase:
    """A model to choose and a prompt to write; then the answer, below those given before on this page."""
    model = request.GET.get("model", "")
    offer = offer_to(request.user, model)
    wanted = offer.find(model, request.GET.get("connection", ""))
    form = AskForm(offer, request.POST if request.method == "POST" else None, wanted=wanted)
    if request.method == "POST" and request.htmx:
        return _streamed(request, form) if form.is_valid() else _refused(request, form)
    context = {"form": form, "turn": _asked(request, form) if form.is_valid() else None, "offer": offer}
    if model and not wanted:
        job = Job.objects.visible_to(request.user).filter(model=model).first()
        return TemplateResponse(request, "playground/ask.html", context | {"asked_for": model, "job": job})
    return TemplateResponse(request, "playground/ask.html", context)


def _asked(request: Request, form: AskForm) -> Turn:
    turn = Turn(target=form.chosen, prompt=form.to_prompt())
    for _piece in turn.told_to(request.user):
        pass
    return turn


def _refused(request: Request, form: AskForm) -> HttpResponse:
    """The fields with what is wrong beside them."""
    fields = TemplateResponse(request, "playground/ask.html#fields", {"form": form})
    return reswap(retarget(fields, "#fields"), "outerHTML")


def _streamed(request: Request, form: AskForm) -> StreamingHttpResponse:
    """The answer as it is made, in a draft that is shown meanwhile (static/playground.js), then the new turn."""
    turn = Turn(target=form.chosen, prompt=form.to_prompt())

    def written() -> Iterator[str]:
        yield "<template data-draft>"
        with closing(turn.told_to(request.user)) as pieces:
            yield from map(escape, pieces)
        yield "</template>"
        yield render_to_string("playground/_turn.html", {"turn": turn})

    return StreamingHttpResponse(written())
