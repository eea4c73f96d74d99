"""The API's URLs. Google's paths stay pure; everything of our own is under ``/tuneboard/v1``."""

from django.urls import path, re_path, register_converter

from tuning.server import answers
from tuning.server.routing import IdConverter, VersionConverter, methods
from tuning.server.views import base_models, generation, operations, tuneboard, tuned_models

register_converter(VersionConverter, "version")
register_converter(IdConverter, "id")

OPERATION = "<version:version>/tunedModels/<id:model_id>/operations/<id:operation_id>"

urlpatterns = [
    path("<version:version>/tunedModels", methods(GET=tuned_models.listing, POST=tuned_models.create)),
    path("<version:version>/tunedModels/<id:model_id>", methods(GET=tuned_models.get, DELETE=tuned_models.delete)),
    path("<version:version>/tunedModels/<id:model_id>:cancel", methods(POST=operations.cancel_model)),
    path("<version:version>/tunedModels/<id:model_id>:generateContent", methods(POST=generation.by_tuned_model)),
    path(OPERATION, methods(GET=operations.get)),
    path(f"{OPERATION}:cancel", methods(POST=operations.cancel)),
    path("<version:version>/models", methods(GET=base_models.listing)),
    path("<version:version>/models/<id:model_id>", methods(GET=base_models.get)),
    path("<version:version>/models/<id:model_id>:generateContent", methods(POST=generation.by_base_model)),
    path("tuneboard/v1/jobs/<id:model_id>", methods(GET=tuneboard.job)),
    path("tuneboard/v1/status", methods(GET=tuneboard.status)),
    path("healthz", tuneboard.healthz),
    re_path("", answers.unknown_route),
]
