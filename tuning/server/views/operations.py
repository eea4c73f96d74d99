"""``…/operations/{id}``: the progress of a job, and the way to stop it."""

from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.errors import NotFound, Unimplemented
from tuning.server import files, paging, polls, queue, rendering
from tuning.server.access import Action
from tuning.server.answers import answer, json_answer
from tuning.server.models import Job
from tuning.server.views import tuned_models


def _find(caller: Identity, model_id: str, operation_id: str, action: Action) -> Job:
    job = tuned_models.find(caller, model_id, action)
    if job.operation_id != operation_id:
        raise NotFound("operation_missing", name=f"{job.name}/operations/{operation_id[:40]}")
    return job


def get(request: HttpRequest, caller: Identity, version: str, model_id: str, operation_id: str) -> HttpResponse:
    job = _find(caller, model_id, operation_id, Action.READ)
    if polls.hold(job, caller):
        job = _find(caller, model_id, operation_id, Action.READ)
    return answer(rendering.operation(job), version=job.api_version)


def listing(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    """A tuned model has one operation, so whatever ``filter`` says, there is nothing to choose."""
    job = tuned_models.find(caller, model_id, Action.READ)
    found, token = paging.page(Job.objects.filter(pk=job.pk), request)
    operations = tuple(rendering.operation(job) for job in found)
    return answer(resources.OperationPage(operations=operations, next_page_token=token), version=job.api_version)


def delete(request: HttpRequest, caller: Identity, version: str, model_id: str, operation_id: str) -> HttpResponse:
    _find(caller, model_id, operation_id, Action.DELETE)
    raise Unimplemented("operation_kept")


def cancel(request: HttpRequest, caller: Identity, version: str, model_id: str, operation_id: str) -> HttpResponse:
    return _cancel(_find(caller, model_id, operation_id, Action.CHANGE))


def cancel_model(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    """``POST …/tunedModels/{id}:cancel`` is no method of Google's, but google-genai calls it."""
    return _cancel(tuned_models.find(caller, model_id, Action.CHANGE))


def _cancel(job: Job) -> HttpResponse:
    """What a tuner works on it stops itself, and clears up."""
    queue.cancel(job)
    files.settle(job)
    return json_answer({})
