"""``/v1beta/models``: the base models."""

from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.server import base_models, rendering
from tuning.server.answers import answer


def listing(request: HttpRequest, caller: Identity, version: str) -> HttpResponse:
    models = tuple(rendering.base_model(offer) for offer in base_models.offers())
    return answer(resources.ModelPage(models=models))


def get(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    return answer(rendering.base_model(base_models.find(model_id)))
