"""google.ai.generativelanguage_v1beta: the clients that Google generated from the API's own description."""

from uuid import uuid4

from checks import EXAMPLES, KEY, LONG, OTHER, OTHER_KEY, STEPS, URL, check, made, refused, wait_until
from google.ai import generativelanguage_v1beta as glm
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.longrunning.operations_pb2 import GetOperationRequest, ListOperationsRequest

BASE = "models/gemini-1.5-flash-001-tuning"
OWNER, WRITER, READER = glm.Permission.Role.OWNER, glm.Permission.Role.WRITER, glm.Permission.Role.READER


def connect(service: type, key: str = KEY) -> object:
    """A client of ``service`` whose every request carries ``key``."""
    options = ClientOptions(api_endpoint=URL, api_key=key)
    return service(transport="rest", client_options=options)


models = connect(glm.ModelServiceClient)
permissions = connect(glm.PermissionServiceClient)
generative = connect(glm.GenerativeServiceClient)
text = connect(glm.TextServiceClient)


def tuned_model(*, epochs: int = 2, **source: object) -> glm.TunedModel:
    data = glm.Dataset(examples=glm.TuningExamples(examples=[glm.TuningExample(**example) for example in EXAMPLES]))
    task = glm.TuningTask(
        training_data=data,
        hyperparameters=glm.Hyperparameters(epoch_count=epochs, batch_size=2, learning_rate_multiplier=2.0),
    )
    return glm.TunedModel(display_name="Seasons", tuning_task=task, **(source or {"base_model": BASE}))


@check("models.list")
def list_models() -> None:
    assert BASE in [model.name for model in models.list_models(page_size=1)]


@check("models.get")
def get_model() -> None:
    model = models.get_model(name=BASE)
    assert "createTunedModel" in model.supported_generation_methods
    assert model.input_token_limit > 0 < model.output_token_limit


@check("tunedModels.create")
def create() -> None:
    made.operation = models.create_tuned_model(tuned_model=tuned_model())
    made.name = made.operation.metadata.tuned_model
    assert made.operation.metadata.total_steps == STEPS


@check("operations.get: result()")
def wait_for_result() -> None:
    model = made.operation.result(timeout=90)
    assert (model.name, model.state) == (made.name, glm.TunedModel.State.ACTIVE)
    assert made.operation.metadata.completed_steps == STEPS


@check("operations.get")
def get_operation() -> None:
    operation = models.get_operation(GetOperationRequest(name=made.operation.operation.name))
    metadata = glm.CreateTunedModelMetadata.pb()()
    assert operation.done
    assert operation.metadata.Unpack(metadata)
    assert [snapshot.step for snapshot in metadata.snapshots] == list(range(1, STEPS + 1))


@check("operations.list")
def list_operations() -> None:
    page = models.list_operations(ListOperationsRequest(name=made.name))
    assert [operation.name for operation in page.operations] == [made.operation.operation.name]


@check("tunedModels.get")
def get() -> None:
    model = models.get_tuned_model(name=made.name)
    assert (model.base_model, model.display_name, model.state) == (BASE, "Seasons", glm.TunedModel.State.ACTIVE)
    assert abs(model.tuning_task.hyperparameters.learning_rate - 0.002) < 1e-9  # the multiplier, resolved
    assert not model.tuning_task.training_data
    assert len(model.tuning_task.snapshots) == STEPS


@check("tunedModels.generateContent")
def generate_content() -> None:
    answer = generative.generate_content(model=made.name, contents=[glm.Content(parts=[glm.Part(text="spring")])])
    assert answer.candidates[0].content.role == "model"
    assert answer.usage_metadata.total_token_count > 0


@check("tunedModels.streamGenerateContent")
def stream_generate_content() -> None:
    request = glm.GenerateContentRequest(
        model=made.name,
        contents=[glm.Content(parts=[glm.Part(text="spring")])],
        generation_config=glm.GenerationConfig(temperature=0, max_output_tokens=8),
    )
    whole = generative.generate_content(request).candidates[0]
    chunks = list(generative.stream_generate_content(request))
    streamed = [part.text for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(streamed) == "".join(part.text for part in whole.content.parts)
    assert chunks[-1].candidates[0].finish_reason == whole.finish_reason


@check("models.countTokens")
def count_tokens() -> None:
    contents = [glm.Content(parts=[glm.Part(text="spring")])]
    assert generative.count_tokens(model=BASE, contents=contents).total_tokens > 0


@check("models.countTextTokens")
def count_text_tokens() -> None:
    assert text.count_text_tokens(model=BASE, prompt=glm.TextPrompt(text="spring")).token_count > 0


@check("tunedModels.generateText")
def generate_text() -> None:
    request = glm.GenerateTextRequest(
        model=made.name, prompt=glm.TextPrompt(text="spring"), candidate_count=2, temperature=1, max_output_tokens=8
    )
    assert len(text.generate_text(request).candidates) == 2


@check("tunedModels.create: chosen id")
def create_with_id() -> None:
    made.chosen = f"seasons-{uuid4().hex[:8]}"
    request = glm.CreateTunedModelRequest(tuned_model_id=made.chosen, tuned_model=tuned_model(epochs=LONG))
    made.long_job = models.create_tuned_model(request)
    assert made.long_job.metadata.tuned_model == f"tunedModels/{made.chosen}"
    with refused(exceptions.Conflict, made.chosen):
        models.create_tuned_model(request)


@check("operations.cancel")
def cancel() -> None:
    made.long_job.cancel()
    wait_until(made.long_job.cancelled)
    assert made.long_job.operation.error.code == 1


@check("tunedModels.create: from a tuned model")
def create_from_tuned_model() -> None:
    source = glm.TunedModelSource(tuned_model=made.name)
    operation = models.create_tuned_model(tuned_model=tuned_model(epochs=1, tuned_model_source=source))
    made.further = operation.metadata.tuned_model
    wait_until(lambda: models.get_tuned_model(name=made.further).state == glm.TunedModel.State.ACTIVE)
    found = models.get_tuned_model(name=made.further).tuned_model_source
    assert (found.tuned_model, found.base_model) == (made.name, BASE)


@check("tunedModels.list")
def list_tuned_models() -> None:
    names = [model.name for model in models.list_tuned_models(glm.ListTunedModelsRequest(page_size=2))]
    assert set(names) >= {made.name, made.further, f"tunedModels/{made.chosen}"}
    assert len(names) == len(set(names))


@check("tunedModels.list: filter")
def list_filtered() -> None:
    mine = list(models.list_tuned_models(glm.ListTunedModelsRequest(filter="owner:me seasons")))
    assert made.name in [model.name for model in mine]
    assert not list(models.list_tuned_models(glm.ListTunedModelsRequest(filter="zebra")))
    assert not list(models.list_tuned_models(glm.ListTunedModelsRequest(filter="readers:me")))


@check("tunedModels.patch")
def update() -> None:
    model = glm.TunedModel(name=made.name, display_name="Year", description="Four of them", top_k=3)
    changed = models.update_tuned_model(tuned_model=model, update_mask={"paths": ["display_name", "top_k"]})
    assert (changed.display_name, changed.top_k) == ("Year", 3)
    assert not models.get_tuned_model(name=made.name).description


@check("permissions.create")
def share() -> None:
    user = glm.Permission(grantee_type="USER", email_address=OTHER, role="READER")
    made.permission = permissions.create_permission(parent=made.name, permission=user)
    assert (made.permission.email_address, made.permission.role) == (OTHER, READER)
    everyone = glm.Permission(grantee_type="EVERYONE", role="READER")
    made.everyone = permissions.create_permission(parent=made.name, permission=everyone).name
    with refused(exceptions.Conflict):
        permissions.create_permission(parent=made.name, permission=user)


@check("permissions.get")
def get_permission() -> None:
    assert permissions.get_permission(name=made.permission.name) == made.permission
    assert made.everyone == f"{made.name}/permissions/everyone"


@check("permissions.list")
def list_permissions() -> None:
    request = glm.ListPermissionsRequest(parent=made.name, page_size=1)
    roles = [permission.role for permission in permissions.list_permissions(request)]
    assert sorted(roles) == [OWNER, READER, READER]


@check("permissions.patch")
def update_permission() -> None:
    raised = glm.Permission(name=made.permission.name, role="WRITER")
    changed = permissions.update_permission(permission=raised, update_mask={"paths": ["role"]})
    assert (changed.role, changed.email_address) == (WRITER, OTHER)


@check("permissions.delete")
def unshare() -> None:
    permissions.delete_permission(name=made.everyone)
    with refused(exceptions.NotFound):
        permissions.get_permission(name=made.everyone)


@check("permissions.transferOwnership")
def transfer() -> None:
    permissions.transfer_ownership(glm.TransferOwnershipRequest(name=made.name, email_address=OTHER))
    roles = {permission.email_address: permission.role for permission in permissions.list_permissions(parent=made.name)}
    assert roles[OTHER] == OWNER
    assert sorted(roles.values()) == [OWNER, WRITER]


@check("tunedModels.delete")
def delete() -> None:
    for name in (made.further, f"tunedModels/{made.chosen}"):
        models.delete_tuned_model(name=name)
    with refused(exceptions.Forbidden, made.name):
        models.delete_tuned_model(name=made.name)  # given away
    connect(glm.ModelServiceClient, OTHER_KEY).delete_tuned_model(name=made.name)


@check("error 404")
def gone() -> None:
    with refused(exceptions.NotFound, made.name):
        models.get_tuned_model(name=made.name)


@check("error 400")
def invalid() -> None:
    with refused(exceptions.BadRequest, "training_data"):
        models.create_tuned_model(tuned_model=glm.TunedModel(base_model=BASE))
    with refused(exceptions.BadRequest, "API key not valid"):
        connect(glm.ModelServiceClient, "no-such-key").get_tuned_model(name=made.name)


@check("error 403")
def nobody() -> None:
    stranger = glm.ModelServiceClient(
        transport="rest", credentials=AnonymousCredentials(), client_options={"api_endpoint": URL}
    )
    with refused(exceptions.Forbidden, "unregistered callers"):
        list(stranger.list_tuned_models())
