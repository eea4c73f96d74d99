"""google-generativeai over REST: the SDK of Gemini's tuning days."""

from uuid import uuid4

import google.generativeai as genai
from checks import (
    BUSY_KEY,
    BUSY_URL,
    EXAMPLES,
    KEY,
    LONG,
    OTHER,
    OTHER_KEY,
    STEPS,
    URL,
    check,
    made,
    refused,
    wait_until,
)
from google.api_core import exceptions
from google.generativeai.client import get_default_model_client
from google.oauth2.credentials import Credentials

BASE = "models/gemini-1.5-flash-001-tuning"
JOB = {"source_model": BASE, "training_data": EXAMPLES, "epoch_count": 2, "batch_size": 2, "learning_rate": 0.001}


class Bearer(Credentials):
    """A token that nobody can renew."""

    def refresh(self, request: object) -> None:
        pass


def sign_in(key: str = KEY, url: str = URL) -> None:
    genai.configure(api_key=key, transport="rest", client_options={"api_endpoint": url})


@check("models.list")
def list_models() -> None:
    sign_in()
    tunable = [model.name for model in genai.list_models() if "createTunedModel" in model.supported_generation_methods]
    assert BASE in tunable, tunable


@check("models.get")
def get_base_model() -> None:
    model = genai.get_base_model(BASE)
    assert (model.temperature, model.top_p, model.top_k) == (1, 0.95, 64)


@check("tunedModels.create")
def create() -> None:
    made.operation = genai.create_tuned_model(**JOB, display_name="What comes next", description="The seasons")
    assert made.operation.metadata.total_steps == STEPS
    made.name = made.operation.metadata.tuned_model
    assert made.name.startswith("tunedModels/what-comes-next-"), made.name


@check("operations.get: wait_bar()")
def wait_bar() -> None:
    seen = [status.completed_steps for status in made.operation.wait_bar(disable=True)]
    assert seen == sorted(seen)
    snapshots = made.operation.metadata.snapshots
    assert [snapshot.step for snapshot in snapshots] == list(range(1, STEPS + 1))
    assert [snapshot.epoch for snapshot in snapshots] == [0, 1, 1, 2]
    assert made.operation.metadata.completed_percent == 100
    assert made.operation.result().state.name == "ACTIVE"


@check("operations.get")
def get_operation() -> None:
    operation = genai.get_operation(made.operation.name)
    assert operation.done()
    assert operation.result().name == made.name


@check("tunedModels.get")
def get() -> None:
    model = genai.get_tuned_model(made.name)
    assert (model.display_name, model.description) == ("What comes next", "The seasons")
    assert (model.source_model, model.base_model) == (BASE, BASE)
    assert model.state.name == "ACTIVE"
    task = model.tuning_task
    assert (task.hyperparameters.epoch_count, task.hyperparameters.batch_size) == (2, 2)
    assert abs(task.hyperparameters.learning_rate - 0.001) < 1e-9
    assert [snapshot["step"] for snapshot in task.snapshots] == list(range(1, STEPS + 1))
    assert all(snapshot["mean_loss"] > 0 for snapshot in task.snapshots)
    assert model.create_time <= task.start_time <= task.complete_time == model.update_time


@check("tunedModels.generateContent")
def generate_content() -> None:
    answer = genai.GenerativeModel(made.name).generate_content("spring")
    assert answer.candidates[0].content.role == "model"
    assert answer.candidates[0].finish_reason.name in {"STOP", "MAX_TOKENS"}
    usage = answer.usage_metadata
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count > 0


@check("tunedModels.generateContent: generation_config")
def generate_with_configuration() -> None:
    config = genai.GenerationConfig(max_output_tokens=3, temperature=1.0, top_p=0.9, top_k=20, stop_sequences=["§"])
    answer = genai.GenerativeModel(made.name).generate_content("winter", generation_config=config)
    assert answer.usage_metadata.candidates_token_count <= 3


@check("tunedModels.generateContent: candidates")
def generate_candidates() -> None:
    config = genai.GenerationConfig(candidate_count=3, max_output_tokens=4, temperature=1.0)
    answer = genai.GenerativeModel(made.name).generate_content("winter", generation_config=config)
    assert [candidate.index for candidate in answer.candidates] == [0, 1, 2]


@check("tunedModels.streamGenerateContent")
def stream() -> None:
    config = genai.GenerationConfig(max_output_tokens=8, temperature=0.0)
    model = genai.GenerativeModel(made.name, generation_config=config)
    streamed = model.generate_content("spring", stream=True)
    pieces = [part.text for chunk in streamed for part in chunk.parts]
    whole = model.generate_content("spring")
    assert "".join(pieces) == "".join(part.text for part in whole.parts)
    assert streamed.usage_metadata.candidates_token_count == whole.usage_metadata.candidates_token_count


@check("models.countTokens")
def count_tokens() -> None:
    model = genai.GenerativeModel(BASE)  # this client refuses to count for tuned models
    short, long = (model.count_tokens(text).total_tokens for text in ("spring", "spring and summer"))
    assert 0 < short < long


@check("tunedModels.create: chosen id")
def create_with_id() -> None:
    made.chosen = f"seasons-{uuid4().hex[:8]}"
    made.long_job = genai.create_tuned_model(**JOB | {"epoch_count": LONG}, id=made.chosen)
    assert made.long_job.metadata.tuned_model == f"tunedModels/{made.chosen}"


@check("error 409")
def create_again() -> None:
    with refused(exceptions.Conflict, made.chosen):
        genai.create_tuned_model(**JOB, id=made.chosen)


@check("tunedModels.list")
def list_tuned_models() -> None:
    names = [model.name for model in genai.list_tuned_models(page_size=1)]
    assert len(names) == len(set(names))
    assert {made.name, f"tunedModels/{made.chosen}"} <= set(names), names


@check("operations.list")
def list_operations() -> None:
    operations = get_default_model_client().list_operations({"name": made.name}).operations
    assert [operation.name for operation in operations] == [made.operation.name]


@check("tunedModels.patch")
def update() -> None:
    model = genai.update_tuned_model(made.name, {"display_name": "Seasons", "description": "", "temperature": 0.5})
    assert (model.display_name, model.temperature) == ("Seasons", 0.5)
    again = genai.get_tuned_model(made.name)
    assert (again.display_name, again.description, again.temperature) == ("Seasons", "", 0.5)


@check("tunedModels.patch: whole model")
def update_whole() -> None:
    model = get_default_model_client().get_tuned_model(name=made.name)
    model.description = "One after another"
    assert genai.update_tuned_model(model).description == "One after another"
    assert genai.get_tuned_model(made.name).display_name == "Seasons"


@check("permissions.create")
def share() -> None:
    permission = permissions().create("READER", email_address=OTHER)
    assert (permission.email_address, permission.role.name) == (OTHER, "READER")
    made.permission = permission
    made.everyone = permissions().create("READER", "EVERYONE")
    assert made.everyone.name.endswith("/permissions/everyone")


@check("permissions.list")
def list_permissions() -> None:
    roles = {permission.email_address: permission.role.name for permission in permissions().list(page_size=1)}
    assert roles[OTHER] == "READER"
    assert "OWNER" in roles.values()


@check("permissions.get")
def get_permission() -> None:
    found = genai.types.Permission.get(made.permission.name)
    assert (found.role.name, found.grantee_type.name) == ("READER", "USER")


@check("permissions.patch")
def update_permission() -> None:
    made.permission.update({"role": "WRITER"})
    assert genai.types.Permission.get(made.permission.name).role.name == "WRITER"


@check("permissions.delete")
def unshare() -> None:
    made.everyone.delete()
    with refused(exceptions.NotFound):
        genai.types.Permission.get(made.everyone.name)


@check("error 403")
def somebody_elses() -> None:
    sign_in(OTHER_KEY)
    try:
        with refused(exceptions.Forbidden, "permission"):
            genai.delete_tuned_model(made.name)  # a writer's: only owners delete
        with refused(exceptions.Forbidden, made.chosen):
            genai.get_tuned_model(f"tunedModels/{made.chosen}")
    finally:
        sign_in()


@check("tunedModels.create: from a tuned model")
def create_from_tuned_model() -> None:
    made.further = genai.create_tuned_model(**JOB | {"source_model": made.name, "epoch_count": 1})


@check("operations.cancel")
def cancel() -> None:
    made.long_job.cancel()
    wait_until(made.long_job.cancelled)
    with refused(exceptions.Cancelled):
        made.long_job.result(timeout=60)
    assert genai.get_tuned_model(f"tunedModels/{made.chosen}").state.name == "FAILED"


@check("operations.get: result()")
def wait_for_result() -> None:
    made.further.result(timeout=90)
    model = genai.get_tuned_model(made.further.metadata.tuned_model)
    assert model.state.name == "ACTIVE"
    assert (model.source_model, model.base_model) == (made.name, BASE)


@check("permissions.transferOwnership")
def transfer() -> None:
    permissions().transfer_ownership(OTHER)
    roles = {permission.email_address: permission.role.name for permission in permissions().list()}
    assert roles[OTHER] == "OWNER"
    assert sorted(roles.values()) == ["OWNER", "WRITER"]
    with refused(exceptions.Forbidden, "owner"):
        permissions().transfer_ownership(OTHER)


@check("tunedModels.delete")
def delete() -> None:
    for name in (f"tunedModels/{made.chosen}", made.further.metadata.tuned_model):
        genai.delete_tuned_model(name)
    sign_in(OTHER_KEY)
    genai.delete_tuned_model(made.name)
    sign_in()


@check("error 404")
def gone() -> None:
    with refused(exceptions.NotFound, made.name):
        genai.get_tuned_model(made.name)
    with refused(exceptions.NotFound, "gemini-9"):
        genai.create_tuned_model(**JOB | {"source_model": "models/gemini-9"})


@check("error 400")
def invalid() -> None:
    with refused(exceptions.BadRequest, "epoch_count"):
        genai.create_tuned_model(**JOB | {"epoch_count": 100_000})
    sign_in("no-such-key")
    with refused(exceptions.BadRequest, "API key not valid"):
        list(genai.list_tuned_models())
    sign_in()


@check("error 503")
def not_ready() -> None:
    sign_in(BUSY_KEY, BUSY_URL)
    with refused(exceptions.ServiceUnavailable, "being loaded"):
        genai.GenerativeModel(BASE).generate_content("spring", request_options={"retry": None})


@check("error 429")
def too_often() -> None:
    with refused(exceptions.TooManyRequests, "exhausted"):
        for _ in range(9):  # twice as often as allowed, should a minute end meanwhile
            list(genai.list_tuned_models())
    sign_in()


@check("error 401")
def unauthenticated() -> None:
    genai.configure(credentials=Bearer(token="expired"), transport="rest", client_options={"api_endpoint": URL})
    with refused(exceptions.Unauthorized, "invalid authentication credentials"):
        list(genai.list_tuned_models())


@check("credentials: OAuth")
def oauth() -> None:
    options = {"api_endpoint": URL, "quota_project_id": "my-project"}
    genai.configure(credentials=Bearer(token=KEY), transport="rest", client_options=options)
    assert list(genai.list_tuned_models()) == []


def permissions() -> genai.types.Permissions:
    return genai.types.Permissions(made.name)
