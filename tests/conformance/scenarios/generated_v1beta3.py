"""google.ai.generativelanguage_v1beta3: the generated clients of the PaLM days."""

from checks import EXAMPLES, KEY, LONG, OTHER, OTHER_KEY, STEPS, URL, check, made, refused, wait_until
from google.ai import generativelanguage_v1beta3 as glm
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions

BASE = "models/text-bison-001"
OWNER, WRITER, READER = glm.Permission.Role.OWNER, glm.Permission.Role.WRITER, glm.Permission.Role.READER


def connect(service: type, key: str = KEY) -> object:
    """A client of ``service`` whose every request carries ``key``."""
    options = ClientOptions(api_endpoint=URL, api_key=key)
    return service(transport="rest", client_options=options)


models = connect(glm.ModelServiceClient)
permissions = connect(glm.PermissionServiceClient)
text = connect(glm.TextServiceClient)


def tuned_model(epochs: int = 2, **source: object) -> glm.TunedModel:
    data = glm.Dataset(examples=glm.TuningExamples(examples=[glm.TuningExample(**example) for example in EXAMPLES]))
    parameters = glm.Hyperparameters(epoch_count=epochs, batch_size=2, learning_rate=0.001)
    task = glm.TuningTask(training_data=data, hyperparameters=parameters)
    return glm.TunedModel(display_name="Seasons", tuning_task=task, **(source or {"base_model": BASE}))


@check("models.list")
def list_models() -> None:
    assert BASE in [model.name for model in models.list_models(page_size=1)]


@check("models.get")
def get_model() -> None:
    model = models.get_model(name=BASE)
    assert "createTunedTextModel" in model.supported_generation_methods
    assert abs(model.temperature - 0.7) < 1e-6


@check("tunedModels.create")
def create() -> None:
    made.operation = models.create_tuned_model(tuned_model=tuned_model())
    made.name = made.operation.metadata.tuned_model
    assert isinstance(made.operation.metadata, glm.CreateTunedModelMetadata)
    assert made.operation.metadata.total_steps == STEPS


@check("operations.get: result()")
def wait_for_result() -> None:
    model = made.operation.result(timeout=90)
    assert isinstance(model, glm.TunedModel)
    assert (model.name, model.state) == (made.name, glm.TunedModel.State.ACTIVE)
    assert [snapshot.step for snapshot in made.operation.metadata.snapshots] == list(range(1, STEPS + 1))


@check("tunedModels.get")
def get() -> None:
    model = models.get_tuned_model(name=made.name)
    assert (model.base_model, model.display_name, model.top_k) == (BASE, "Seasons", 40)
    assert not model.tuning_task.training_data


@check("models.countTextTokens")
def count_text_tokens() -> None:
    assert text.count_text_tokens(model=BASE, prompt=glm.TextPrompt(text="spring")).token_count > 0


@check("tunedModels.generateText")
def generate_text() -> None:
    answer = text.generate_text(model=made.name, prompt=glm.TextPrompt(text="spring"))
    assert len(answer.candidates) == 1
    request = glm.GenerateTextRequest(
        model=made.name,
        prompt=glm.TextPrompt(text="spring"),
        candidate_count=3,
        temperature=1.0,
        max_output_tokens=8,
        top_p=0.9,
        top_k=10,
        stop_sequences=["§"],
    )
    assert len(text.generate_text(request).candidates) == 3


@check("tunedModels.create: from a tuned model")
def create_from_tuned_model() -> None:
    source = glm.TunedModelSource(tuned_model=made.name)
    made.long_job = models.create_tuned_model(tuned_model=tuned_model(LONG, tuned_model_source=source))
    made.further = made.long_job.metadata.tuned_model
    found = models.get_tuned_model(name=made.further).tuned_model_source
    assert (found.tuned_model, found.base_model) == (made.name, BASE)


@check("operations.cancel")
def cancel() -> None:
    made.long_job.cancel()
    wait_until(made.long_job.cancelled)
    with refused(exceptions.Cancelled):
        made.long_job.result(timeout=60)


@check("tunedModels.list")
def list_tuned_models() -> None:
    names = [model.name for model in models.list_tuned_models(page_size=1)]
    assert set(names) >= {made.name, made.further}
    assert len(names) == len(set(names))


@check("tunedModels.patch")
def update() -> None:
    model = glm.TunedModel(name=made.name, display_name="Year", description="Four of them")
    changed = models.update_tuned_model(tuned_model=model, update_mask={"paths": ["description"]})
    assert changed.description == "Four of them"
    assert models.get_tuned_model(name=made.name).display_name == "Seasons"


@check("permissions.create")
def share() -> None:
    user = glm.Permission(grantee_type="USER", email_address=OTHER, role="READER")
    made.permission = permissions.create_permission(parent=made.name, permission=user)
    assert (made.permission.email_address, made.permission.role) == (OTHER, READER)


@check("permissions.get")
def get_permission() -> None:
    assert permissions.get_permission(name=made.permission.name) == made.permission


@check("permissions.list")
def list_permissions() -> None:
    roles = [permission.role for permission in permissions.list_permissions(parent=made.name)]
    assert sorted(roles) == [OWNER, READER]


@check("permissions.patch")
def update_permission() -> None:
    raised = glm.Permission(name=made.permission.name, role="WRITER")
    changed = permissions.update_permission(permission=raised, update_mask={"paths": ["role"]})
    assert changed.role == WRITER


@check("permissions.delete")
def unshare() -> None:
    permissions.delete_permission(name=made.permission.name)
    with refused(exceptions.Forbidden, made.name):
        connect(glm.ModelServiceClient, OTHER_KEY).get_tuned_model(name=made.name)


@check("permissions.transferOwnership")
def transfer() -> None:
    permissions.transfer_ownership(glm.TransferOwnershipRequest(name=made.name, email_address=OTHER))
    roles = {permission.email_address: permission.role for permission in permissions.list_permissions(parent=made.name)}
    assert roles[OTHER] == OWNER


@check("tunedModels.delete")
def delete() -> None:
    models.delete_tuned_model(name=made.further)
    connect(glm.ModelServiceClient, OTHER_KEY).delete_tuned_model(name=made.name)


@check("error 404")
def gone() -> None:
    with refused(exceptions.NotFound, made.name):
        models.get_tuned_model(name=made.name)


@check("error 400")
def invalid() -> None:
    with refused(exceptions.BadRequest, "training_data"):
        models.create_tuned_model(tuned_model=glm.TunedModel(base_model=BASE))
