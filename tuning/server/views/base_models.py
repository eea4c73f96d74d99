"""``/v1beta/models``: the base models."""

from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.server import base_models, paging, rendering
from tuning.server.answers import answer


def listing(request: HttpRequest, caller: Identity, version: str) -> HttpResponse:
    offers, token = paging.page_of(base_models.offers(), request, name=lambda offer: offer.name)
    models = tuple(rendering.base_model(offer) for offer in offers)
    return answer(resources.ModelPage(models=models, next_page_token=token))


def get(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    return answer(rendering.base_model(base_models.find(model_id)))
