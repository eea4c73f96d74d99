"""The PaLM tutorial's curl: v1beta3 with a bearer token, operations on v1, generateText."""

from checks import STEPS, check, made, wait_until
from curl import BEARER, ask, job

BASE = "models/text-bison-001"


@check("tunedModels.create")
def create() -> None:
    made.operation = ask("POST", "/v1beta3/tunedModels", *BEARER, body=job(BASE))
    made.name = made.operation["metadata"]["tunedModel"]
    kind = "type.googleapis.com/google.ai.generativelanguage.v1beta3.CreateTunedModelMetadata"
    assert made.operation["metadata"] == {"@type": kind, "totalSteps": STEPS, "tunedModel": made.name}


@check("operations.get")
def wait() -> None:
    operation = wait_until(done)
    assert operation["metadata"]["@type"].endswith("v1beta3.CreateTunedModelMetadata")
    assert operation["response"]["@type"].endswith("v1beta3.TunedModel")


@check("tunedModels.get")
def get() -> None:
    model = ask("GET", f"/v1beta3/{made.name}", *BEARER)
    assert (model["state"], model["temperature"], model["topP"], model["topK"]) == ("ACTIVE", 0.7, 0.95, 40)


@check("tunedModels.list")
def list_tuned_models() -> None:
    assert made.name in [model["name"] for model in ask("GET", "/v1beta3/tunedModels", *BEARER)["tunedModels"]]


@check("tunedModels.generateText")
def generate_text() -> None:
    body = '{"prompt": {"text": "winter",}, "temperature": 1.0, "candidate_count": 2, "max_output_tokens": 8,}'
    answer = ask("POST", f"/v1beta3/{made.name}:generateText", *BEARER, body=body)
    assert len(answer["candidates"]) == 2


@check("tunedModels.delete")
def delete() -> None:
    assert ask("DELETE", f"/v1beta3/{made.name}", *BEARER) == {}


def done() -> dict | None:
    operation = ask("GET", f"/v1/{made.operation['name']}", *BEARER)
    return operation if operation.get("done") else None
