"""The API's URLs. Google's paths stay pure; everything of our own is under ``/tuneboard/v1``."""

from django.urls import path, re_path, register_converter

from tuning.server import answers
from tuning.server.routing import IdConverter, VersionConverter, methods
from tuning.server.views import base_models, generation, openapi, operations, permissions, tuned_models
from tuning.server.views.generation import of_base_model, of_tuned_model
from tuning.server.views.tuneboard import base_models as installed
from tuning.server.views.tuneboard import datasets, downloads, engine, jobs, keys, queue, status, tokens, uses

register_converter(VersionConverter, "version")
register_converter(IdConverter, "id")

MODEL = "<version:version>/tunedModels/<id:model_id>"
PERMISSION = f"{MODEL}/permissions/<id:permission_id>"
BASE_MODEL = "<version:version>/models/<id:model_id>"
OPERATION = f"{MODEL}/operations/<id:operation_id>"

urlpatterns = [
    path("<version:version>/tunedModels", methods(GET=tuned_models.listing, POST=tuned_models.create)),
    path(MODEL, methods(GET=tuned_models.get, PATCH=tuned_models.patch, DELETE=tuned_models.delete)),
    path(f"{MODEL}:cancel", methods(POST=operations.cancel_model)),
    path(f"{MODEL}:generateContent", methods(POST=of_tuned_model(generation.content))),
    path(f"{MODEL}:streamGenerateContent", methods(POST=of_tuned_model(generation.content_stream))),
    path(f"{MODEL}:generateText", methods(POST=of_tuned_model(generation.text))),
    path(f"{MODEL}:countTokens", methods(POST=of_tuned_model(generation.token_count))),
    path(f"{MODEL}:countTextTokens", methods(POST=of_tuned_model(generation.text_token_count))),
    path(f"{MODEL}:transferOwnership", methods(POST=permissions.transfer)),
    path(f"{MODEL}/permissions", methods(GET=permissions.listing, POST=permissions.create)),
    path(PERMISSION, methods(GET=permissions.get, PATCH=permissions.patch, DELETE=permissions.delete)),
    path(f"{MODEL}/operations", methods(GET=operations.listing)),
    path(OPERATION, methods(GET=operations.get, DELETE=operations.delete, limited=False)),
    path(f"{OPERATION}:cancel", methods(POST=operations.cancel)),
    path("<version:version>/models", methods(GET=base_models.listing)),
    path("<version:version>/models/<id:model_id>", methods(GET=base_models.get)),
    path(f"{BASE_MODEL}:generateContent", methods(POST=of_base_model(generation.content))),
    path(f"{BASE_MODEL}:streamGenerateContent", methods(POST=of_base_model(generation.content_stream))),
    path(f"{BASE_MODEL}:generateText", methods(POST=of_base_model(generation.text))),
    path(f"{BASE_MODEL}:countTokens", methods(POST=of_base_model(generation.token_count))),
    path(f"{BASE_MODEL}:countTextTokens", methods(POST=of_base_model(generation.text_token_count))),
    path("tuneboard/v1/jobs", methods(POST=jobs.create)),
    path("tuneboard/v1/jobs/<id:model_id>", methods(GET=jobs.job, PATCH=engine.change)),
    path("tuneboard/v1/jobs/<id:model_id>:retry", methods(POST=jobs.retry)),
    path("tuneboard/v1/jobs/<id:model_id>/points", methods(GET=jobs.points)),
    path("tuneboard/v1/jobs/<id:model_id>/log", methods(GET=jobs.log)),
    path("tuneboard/v1/jobs/<id:model_id>/samples", methods(GET=jobs.samples)),
    path("tuneboard/v1/jobs/<id:model_id>/adapter", methods(GET=downloads.adapter, PUT=jobs.take)),
    path("tuneboard/v1/jobs/<id:model_id>/adapter.gguf", methods(GET=downloads.adapter_gguf)),
    path("tuneboard/v1/jobs/<id:model_id>/merged.gguf", methods(GET=downloads.merged_gguf)),
    path("tuneboard/v1/jobs/<id:model_id>/modelfile", methods(GET=downloads.modelfile)),
    path("tuneboard/v1/jobs/<id:model_id>/card", methods(GET=downloads.card)),
    path("tuneboard/v1/jobs/<id:model_id>/training-data", methods(GET=jobs.training_data)),
    path("tuneboard/v1/datasets/<id:sha256>", methods(GET=datasets.get, PUT=datasets.put)),
    path("tuneboard/v1/keys", methods(GET=keys.listing, POST=keys.create)),
    path("tuneboard/v1/keys/<id:key_id>", methods(DELETE=keys.revoke)),
    path("tuneboard/v1/base-models", methods(GET=installed.listing, POST=installed.add)),
    path("tuneboard/v1/base-models/<id:name>", methods(GET=installed.get, DELETE=installed.remove)),
    path("tuneboard/v1/tokens", methods(POST=tokens.count)),
    path("tuneboard/v1/engine", methods(GET=engine.engine)),
    path("tuneboard/v1/queue", methods(GET=queue.queue)),
    path("tuneboard/v1/uses", methods(GET=uses.uses)),
    path("tuneboard/v1/status", methods(GET=status.status)),
    path("healthz", status.healthz),
    path("openapi.json", openapi.document),
    re_path("", answers.unknown_route),
]
