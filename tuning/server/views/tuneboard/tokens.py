"""``/tuneboard/v1/tokens``: how many tokens a base model sees in texts or in a dataset, before anything is started."""

from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.errors import InvalidRequest
from tuning.resources import TokensRequest
from tuning.server import base_models, tokens, uploads
from tuning.server.answers import json_answer
from tuning.server.routing import read


def count(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"baseModel", "texts": […]}`` gives ``{"tokens": […], "totalTokens"}``, each text as if it were asked.

    ``{"baseModel", "dataset": "sha256:…"}`` gives ``{"examples", "inputTokens", "outputTokens", "longestInput",
    "longestOutput", "totalTokens"}`` of a dataset that the caller sent before. The prompt format's own tokens count.
    """
    asked = read(TokensRequest, request)
    if not asked.base_model:
        raise InvalidRequest("nothing_given", field="base_model")
    base = base_models.find(asked.base_model).entry.name
    if asked.dataset:
        return json_answer(tokens.of_dataset(base, uploads.named(caller, asked.dataset)))
    return json_answer(tokens.of_texts(base, asked.texts))
