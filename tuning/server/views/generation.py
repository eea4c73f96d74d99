"""Asking tuned and base models: ``:generateContent``, ``:streamGenerateContent`` and ``:countTokens``, and in PaLM's
words ``:generateText`` and ``:countTextTokens``.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tuning.assertions import Identity
from tuning.resources import CountTextTokensRequest, CountTokensRequest, GenerateContentRequest, GenerateTextRequest
from tuning.server import base_models, generation, uses
from tuning.server.access import Action
from tuning.server.answers import answer
from tuning.server.generation import Asked
from tuning.server.routing import View, read
from tuning.server.streams import streamed
from tuning.server.views import tuned_models

Ask = Callable[[HttpRequest, Asked], HttpResponseBase]


def of_tuned_model(ask: Ask) -> View:
    def view(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponseBase:
        found = tuned_models.find(caller, model_id, Action.ASK)
        asked = generation.tuned_model(found, caller)
        uses.note(found)
        return ask(request, asked)

    return view


def of_base_model(ask: Ask) -> View:
    def view(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponseBase:
        return ask(request, generation.base_model(base_models.find(model_id), caller))

    return view


def content(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    return answer(generation.content(asked, read(GenerateContentRequest, request)))


def content_stream(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    chunks = generation.content_stream(asked, read(GenerateContentRequest, request))
    return streamed(request, chunks)


def text(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    return answer(generation.text(asked, read(GenerateTextRequest, request)))


def token_count(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    return answer(generation.token_count(asked, read(CountTokensRequest, request)))


def text_token_count(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    return answer(generation.text_token_count(asked, read(CountTextTokensRequest, request)))
