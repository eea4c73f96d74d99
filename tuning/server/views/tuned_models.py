"""``/v1beta/tunedModels``: create, get, list, patch, delete."""

from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.errors import InvalidRequest, NotFound
from tuning.server import changes, creation, files, filters, paging, rendering, uploads
from tuning.server.access import Action, permit
from tuning.server.answers import answer, json_answer
from tuning.server.models import Job
from tuning.server.names import TUNED_MODEL_ID
from tuning.server.routing import query, read, read_masked


def find(caller: Identity, model_id: str, action: Action, *, hold: bool = False) -> Job:
    """The tuned model, if ``caller`` may do ``action`` to it. Raises ``NotFound`` or ``PermissionDenied``.

    With ``hold`` others who do so wait until the caller's transaction ends, and are asked then whether they may.
    """
    rows = Job.objects.select_for_update() if hold else Job.objects.all()
    job = rows.filter(model_id=model_id).first() if TUNED_MODEL_ID.fullmatch(model_id) else None
    if job is None:
        raise NotFound("tuned_model_missing", name=f"tunedModels/{model_id[:80]}")
    permit(caller, job, action)
    return job


def source(caller: Identity, model: resources.TunedModel) -> Job | None:
    """The tuned model that ``model`` is to be tuned from; whoever may read it may do so."""
    if model.tuned_model_source is None:
        return None
    if not (name := model.tuned_model_source.tuned_model):
        raise InvalidRequest("nothing_given", field="tuned_model.tuned_model_source.tuned_model")
    return find(caller, name.removeprefix("tunedModels/"), Action.READ)


def create(request: HttpRequest, caller: Identity, version: str) -> HttpResponse:
    model = read(resources.TunedModel, request, at="tuned_model")
    chosen_id = query(request, "tunedModelId", "tuned_model_id")
    dataset = query(request, "dataset")
    upload = uploads.named(caller, dataset) if dataset else None
    # Jobs made under v1 carry v1beta's types: v1 has none of its own.
    made_under = "v1beta3" if version == "v1beta3" else "v1beta"
    more = creation.More(upload=upload)
    job = creation.create(caller, model, chosen_id, made_under, source=source(caller, model), more=more)
    return answer(rendering.operation(job), version=job.api_version)


def get(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    return answer(rendering.tuned_model(find(caller, model_id, Action.READ)))


def listing(request: HttpRequest, caller: Identity, version: str) -> HttpResponse:
    chosen = filters.listed(caller, query(request, "filter"))
    jobs, token = paging.page(Job.objects.filter(chosen).with_curves(), request)
    models = tuple(rendering.tuned_model(job) for job in jobs)
    return answer(resources.TunedModelPage(tuned_models=models, next_page_token=token))


def patch(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    job = find(caller, model_id, Action.CHANGE)
    changes.change(job, *read_masked(resources.TunedModel, request, changes.CHANGEABLE, at="tuned_model"))
    job.refresh_from_db()
    return answer(rendering.tuned_model(job))


def delete(request: HttpRequest, caller: Identity, version: str, model_id: str) -> HttpResponse:
    """The tuner stops a job whose row is gone, and clears up what its child still wrote."""
    job = find(caller, model_id, Action.DELETE)
    with files.locked():
        Job.objects.filter(pk=job.pk).delete()
        files.free(job)
    return json_answer({})
