"""The Gemini tutorials' curl: everything on v1beta, operations on v1, a key in the query."""

import json

from checks import KEY, LONG, OTHER, OTHER_KEY, STEPS, URL, check, made, wait_until
from curl import BEARER, JSON, ask, job, status, text

BASE = "models/gemini-1.5-flash-001-tuning"
PROMPT = '{"contents": [{"parts": [{"text": "spring",}],}],}'
HERS = ["-H", f"x-goog-api-key: {KEY}"]
OTHERS = ["-H", f"x-goog-api-key: {OTHER_KEY}"]


@check("models.list")
def list_models() -> None:
    assert BASE in [model["name"] for model in ask("GET", f"/v1beta/models?key={KEY}")["models"]]


@check("tunedModels.create")
def create() -> None:
    made.operation = ask("POST", f"/v1beta/tunedModels?key={KEY}", body=job(BASE))
    made.name = made.operation["metadata"]["tunedModel"]
    assert made.operation == {
        "name": f"{made.name}/operations/{made.operation['name'].rpartition('/')[2]}",
        "metadata": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta.CreateTunedModelMetadata",
            "totalSteps": STEPS,
            "tunedModel": made.name,
        },
    }


@check("operations.get")
def wait() -> None:
    operation = wait_until(lambda: done(made.operation["name"]))
    assert list(operation) == ["name", "metadata", "done", "response"]
    assert operation["metadata"]["completedPercent"] == 100
    assert [snapshot["step"] for snapshot in operation["metadata"]["snapshots"]] == list(range(1, STEPS + 1))
    assert operation["response"]["state"] == "ACTIVE"


@check("operations.list")
def list_operations() -> None:
    found = ask("GET", f"/v1/{made.name}/operations", *BEARER)["operations"]
    assert [operation["name"] for operation in found] == [made.operation["name"]]


@check("tunedModels.get")
def get() -> None:
    model = ask("GET", f"/v1beta/{made.name}", *BEARER)
    assert (model["state"], model["baseModel"], model["displayName"]) == ("ACTIVE", BASE, "next season")
    assert (model["temperature"], model["topP"], model["topK"]) == (1, 0.95, 64)
    assert model["tuningTask"]["hyperparameters"] == {"epochCount": 2, "batchSize": 2, "learningRate": 0.001}


@check("tunedModels.list")
def list_tuned_models() -> None:
    names, token = [], ""
    while token is not None:
        page = ask("GET", f"/v1beta/tunedModels?page_size=1&page_token={token}", *BEARER)
        names += [model["name"] for model in page["tunedModels"]]
        token = page.get("nextPageToken")
    assert made.name in names


@check("tunedModels.generateContent")
def generate_content() -> None:
    answer = ask("POST", f"/v1beta/{made.name}:generateContent?key={KEY}", body=PROMPT)
    assert answer["candidates"][0]["content"]["role"] == "model"
    assert answer["candidates"][0]["finishReason"] in {"STOP", "MAX_TOKENS"}


@check("tunedModels.streamGenerateContent")
def stream() -> None:
    said = text("--request", "POST", f"{URL}/v1beta/{made.name}:streamGenerateContent", *JSON, *HERS, "--data", PROMPT)
    assert said.startswith("[")
    assert said.endswith("]")
    assert json.loads(said)[-1]["candidates"][0]["finishReason"]


@check("tunedModels.streamGenerateContent: alt=sse")
def stream_events() -> None:
    url = f"{URL}/v1beta/{made.name}:streamGenerateContent?alt=sse"
    events = text("--no-buffer", "--request", "POST", url, *JSON, *HERS, "--data", PROMPT).split("\r\n\r\n")
    assert events.pop() == ""
    assert all(event.startswith("data: {") for event in events)
    assert json.loads(events[-1].removeprefix("data: "))["candidates"][0]["finishReason"]


@check("tunedModels.countTokens")
def count_tokens() -> None:
    assert ask("POST", f"/v1beta/{made.name}:countTokens", *HERS, body=PROMPT)["totalTokens"] > 0


@check("tunedModels.patch")
def patch() -> None:
    path = f"/v1beta/{made.name}?update_mask=display_name"
    assert ask("PATCH", path, *HERS, body='{"display_name": "Year",}')["displayName"] == "Year"
    assert ask("PATCH", f"/v1beta/{made.name}", *HERS, body='{"description": "Of four"}')["description"] == "Of four"
    assert ask("GET", f"/v1beta/{made.name}", *HERS)["displayName"] == "Year"


@check("permissions.create")
def share() -> None:
    grant = f'{{"grantee_type": "USER", "email_address": "{OTHER}", "role": "READER",}}'
    made.permission = ask("POST", f"/v1beta/{made.name}/permissions", *HERS, body=grant)
    assert made.permission["role"] == "READER"
    assert ask("GET", f"/v1beta/{made.name}", *OTHERS)["name"] == made.name


@check("permissions.get")
def get_permission() -> None:
    assert ask("GET", f"/v1beta/{made.permission['name']}", *HERS) == made.permission


@check("permissions.list")
def list_permissions() -> None:
    found = ask("GET", f"/v1beta/{made.name}/permissions", *HERS)["permissions"]
    assert sorted(permission["role"] for permission in found) == ["OWNER", "READER"]


@check("permissions.patch")
def raise_role() -> None:
    path = f"/v1beta/{made.permission['name']}?update_mask=role"
    assert ask("PATCH", path, *HERS, body='{"role": "WRITER"}')["role"] == "WRITER"


@check("permissions.delete")
def unshare() -> None:
    assert ask("DELETE", f"/v1beta/{made.permission['name']}", *HERS) == {}
    assert status("GET", f"/v1beta/{made.name}", *OTHERS)[0] == 403


@check("operations.cancel")
def cancel() -> None:
    name = ask("POST", "/v1beta/tunedModels?tuned_model_id=", *HERS, body=job(BASE, LONG))["name"]
    assert ask("POST", f"/v1/{name}:cancel", *HERS, "--data", "") == {}
    assert wait_until(lambda: done(name))["error"]["code"] == 1
    assert ask("DELETE", f"/v1beta/{name.partition('/operations')[0]}", *HERS) == {}


@check("permissions.transferOwnership")
def transfer() -> None:
    path = f"/v1beta/{made.name}:transferOwnership"
    assert ask("POST", path, *HERS, body=f'{{"email_address": "{OTHER}"}}') == {}
    assert status("DELETE", f"/v1beta/{made.name}", *HERS)[0] == 403


@check("tunedModels.delete")
def delete() -> None:
    assert ask("DELETE", f"/v1beta/{made.name}", *OTHERS) == {}


@check("error 400")
def invalid() -> None:
    code, error = status("GET", "/v1beta/tunedModels?key=no-such-key")
    assert (code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["message"] == "API key not valid. Please pass a valid API key."
    assert error["details"][0]["reason"] == "API_KEY_INVALID"
    code, error = status("POST", "/v1beta/tunedModels", *HERS, *JSON, "--data", '{"base_modl": "x"}')
    assert "Unknown name \"base_modl\" at 'tuned_model': Cannot find field." in error["message"]


@check("error 401")
def unauthenticated() -> None:
    code, error = status("GET", "/v1beta/tunedModels", "-H", "Authorization: Bearer expired")
    assert (code, error["status"]) == (401, "UNAUTHENTICATED")


@check("error 403")
def nobody() -> None:
    code, error = status("GET", "/v1beta/tunedModels")
    assert (code, error["status"]) == (403, "PERMISSION_DENIED")


@check("error 404")
def gone() -> None:
    code, error = status("GET", f"/v1beta/{made.name}", *HERS)
    assert (code, error["status"]) == (404, "NOT_FOUND")
    assert error["message"] == f"Tuned model {made.name} does not exist."


def done(name: str) -> dict | None:
    """The operation once it is over, asked for on v1 as the tutorials do."""
    operation = ask("GET", f"/v1/{name}?key={KEY}")
    return operation if operation.get("done") else None
