"""``:generateContent``, of tuned and of base models."""

from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.resources import GenerateContentRequest
from tuning.server import base_models, generation
from tuning.server.access import Action
from tuning.server.answers import answer
from tuning.server.routing import read
from tuning.server.views import tuned_models


def by_tuned_model(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    job = tuned_models.find(caller, model_id, Action.ASK)
    return answer(generation.of_tuned_model(job, read(GenerateContentRequest, request)))


def by_base_model(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    offer = base_models.find(model_id)
    return answer(generation.of_base_model(offer, read(GenerateContentRequest, request)))
