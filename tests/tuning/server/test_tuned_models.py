"""Creating, reading, listing and deleting tuned models."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.processes import TuningServer
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import LONG, TUTORIAL, body


def create(server: TuningServer, key: str, sent: object = None, query: str = "") -> requests.Response:
    return server.post(f"/v1beta/tunedModels{query}", key, json=TUTORIAL if sent is None else sent)


def refused(answer: requests.Response, status: int = 400) -> str:
    """The sentence by which ``answer`` refuses."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == status
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    return str(error["message"])


def with_hyperparameters(**chosen: object) -> dict[str, object]:
    return TUTORIAL | {"tuning_task": TUTORIAL["tuning_task"] | {"hyperparameters": chosen}}


def with_examples(*examples: object) -> dict[str, object]:
    return TUTORIAL | {"tuning_task": {"training_data": {"examples": {"examples": list(examples)}}}}


def test_created_operation_is_shaped_as_recorded(idle_server: TuningServer, idle_key: str) -> None:
    answer = create(idle_server, idle_key)
    operation = google.operation(answer.text)
    metadata = google.unpack(operation.metadata, google.Metadata)
    assert (metadata.total_steps, metadata.completed_steps) == (19, 0)
    assert re.fullmatch(r"tunedModels/number-generator-[a-z0-9]{12}", metadata.tuned_model)
    assert re.fullmatch(rf"{metadata.tuned_model}/operations/[a-z0-9]{{12}}", operation.name)
    assert list(answer.json()) == ["name", "metadata"]
    assert list(answer.json()["metadata"]) == ["@type", "totalSteps", "tunedModel"]


def test_new_model_is_creating_without_a_start_time(idle_server: TuningServer, idle_key: str) -> None:
    name = create(idle_server, idle_key).json()["metadata"]["tunedModel"]
    answer = idle_server.get(f"/v1beta/{name}", idle_key)
    google.read(google.TunedModel, answer.text)
    assert answer.json()["state"] == "CREATING"
    assert "startTime" not in answer.json()["tuningTask"]


def test_tutorial_body_with_trailing_commas_is_accepted(idle_server: TuningServer, idle_key: str) -> None:
    sent = '{"display_name": "commas", "base_model": "models/text-bison-001", "tuning_task": {"hyperparameters": '
    sent += (
        '{"epoch_count":5,}, "training_data": {"examples": {"examples": [{"text_input": "1", "output": "2,}",},]}}}}'
    )
    answer = idle_server.post("/v1beta/tunedModels", idle_key, data=sent)
    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata"]["totalSteps"] == 2


def test_camel_case_body_and_defaults(idle_server: TuningServer, idle_key: str) -> None:
    examples = [{"textInput": str(number), "output": "x"} for number in range(8)]
    sent = {"baseModel": "models/tiny-llama", "tuningTask": {"trainingData": {"examples": {"examples": examples}}}}
    name = create(idle_server, idle_key, sent).json()["metadata"]["tunedModel"]
    model = idle_server.get(f"/v1beta/{name}", idle_key).json()
    assert model["tuningTask"]["hyperparameters"] == {"epochCount": 5, "batchSize": 4, "learningRate": 0.001}
    assert (model["temperature"], model["topP"], model["topK"]) == (0.7, 0.95, 40)
    assert name.startswith("tunedModels/tuned-model-")


def test_learning_rate_multiplier_is_answered_as_the_rate(idle_server: TuningServer, idle_key: str) -> None:
    name = create(idle_server, idle_key, with_hyperparameters(learning_rate_multiplier=0.5)).json()["metadata"][
        "tunedModel"
    ]
    chosen = idle_server.get(f"/v1beta/{name}", idle_key).json()["tuningTask"]["hyperparameters"]
    assert chosen == {"epochCount": 5, "batchSize": 4, "learningRate": 0.0005}


@pytest.mark.parametrize(
    ("alias", "defaults"),
    [
        ("models/gemini-1.5-flash-001-tuning", (1, 0.95, 64)),
        ("models/gemini-1.0-pro-001", (0.9, 1, 0)),
        ("models/text-bison-001", (0.7, 0.95, 40)),
    ],
)
def test_service_names_of_base_models_are_echoed(
    idle_server: TuningServer, idle_key: str, alias: str, defaults: tuple[float, float, int]
) -> None:
    name = create(idle_server, idle_key, TUTORIAL | {"base_model": alias}).json()["metadata"]["tunedModel"]
    model = idle_server.get(f"/v1beta/{name}", idle_key).json()
    assert model["baseModel"] == alias
    assert (model["temperature"], model["topP"], model["topK"]) == defaults


def test_chosen_id_names_the_model(idle_server: TuningServer, idle_key: str) -> None:
    answer = create(idle_server, idle_key, query="?tunedModelId=chosen-1")
    assert answer.json()["metadata"]["tunedModel"] == "tunedModels/chosen-1"
    answer = create(idle_server, idle_key, query="?tuned_model_id=chosen-2")
    assert answer.json()["metadata"]["tunedModel"] == "tunedModels/chosen-2"


def test_second_model_of_a_name_is_refused_and_spoils_nothing(idle_server: TuningServer, idle_key: str) -> None:
    create(idle_server, idle_key, query="?tunedModelId=taken")
    before = idle_server.get("/v1beta/tunedModels/taken", idle_key).json()
    answer = create(idle_server, idle_key, TUTORIAL | {"display_name": "other"}, query="?tunedModelId=taken")
    assert refused(answer, 409) == "Tuned model tunedModels/taken already exists."
    assert answer.json()["error"]["status"] == "ALREADY_EXISTS"
    assert idle_server.get("/v1beta/tunedModels/taken", idle_key).json() == before


def test_two_creates_of_one_id_at_once_make_one_model(idle_server: TuningServer, idle_key: str) -> None:
    def attempt(model_id: str) -> int:
        url = f"{idle_server.url}/v1beta/tunedModels?tunedModelId={model_id}"
        return requests.post(url, headers={"x-goog-api-key": idle_key}, json=TUTORIAL, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:
        for number in range(5):
            assert sorted(pool.map(attempt, [f"race-{number}"] * 4)) == [200, 409, 409, 409]


@pytest.mark.parametrize("chosen", ["Upper", "1st", "a" * 41, "ends-", "-begins", "dot.ted", "ümlaut", "a%00b"])
def test_ill_formed_id_is_refused(idle_server: TuningServer, idle_key: str, chosen: str) -> None:
    assert "tuned_model_id" in refused(create(idle_server, idle_key, query=f"?tunedModelId={chosen}"))


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (TUTORIAL | {"display_name": "x" * 41}, "tuned_model.display_name"),
        (TUTORIAL | {"temperature": 1.5}, "tuned_model.temperature"),
        (TUTORIAL | {"top_p": -0.1}, "tuned_model.top_p"),
        (TUTORIAL | {"top_k": -1}, "tuned_model.top_k"),
        (TUTORIAL | {"base_model": None}, "tuned_model.base_model"),
        (TUTORIAL | {"colour": "red"}, "Unknown name \"colour\" at 'tuned_model': Cannot find field."),
        (TUTORIAL | {"base_model": 3}, "tuned_model.base_model"),
        (with_hyperparameters(epoch_count=0), "hyperparameters.epoch_count"),
        (with_hyperparameters(epoch_count=4.5), "hyperparameters.epoch_count"),
        (with_hyperparameters(epoch_count=10**12), "hyperparameters.epoch_count"),
        (with_hyperparameters(batch_size=-4), "hyperparameters.batch_size"),
        (with_hyperparameters(learning_rate="NaN"), "hyperparameters.learning_rate"),
        (with_hyperparameters(learning_rate="Infinity"), "hyperparameters.learning_rate"),
        (with_hyperparameters(learning_rate=0), "hyperparameters.learning_rate"),
        (with_hyperparameters(learning_rate=1, learning_rate_multiplier=1), "oneof"),
        (with_examples({"text_input": "x" * 40_001, "output": "y"}), "examples[0].text_input"),
        (with_examples({"text_input": "x", "output": "y" * 5_001}), "examples[0].output"),
        (
            with_examples({"text_input": "x", "output": "y"}, {"text_input": "", "output": "y"}),
            "examples[1].text_input",
        ),
        (with_examples({"text_input": "x"}), "examples[0].output"),
        (with_examples("not an object"), "examples[0]"),
        (with_examples(), "google-genai"),
        ({"base_model": "models/tiny-llama"}, "google-genai"),
        (TUTORIAL | {"tuned_model_source": {"tuned_model": "tunedModels/x"}}, "oneof"),
        ({"tuned_model_source": {"base_model": "models/tiny-llama"}}, "tuned_model_source.tuned_model"),
        ([1], "tuned_model"),
    ],
)
def test_wrong_request_is_refused_naming_the_field(
    idle_server: TuningServer, idle_key: str, sent: object, named: str
) -> None:
    answer = create(idle_server, idle_key, sent)
    assert named in refused(answer)
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_longest_allowed_texts_are_accepted(idle_server: TuningServer, idle_key: str) -> None:
    sent = with_examples({"text_input": "ü" * 40_000, "output": "ü" * 5_000}) | {"display_name": "ü" * 40}
    assert create(idle_server, idle_key, sent).status_code == 200


def test_unknown_base_model_is_not_found(idle_server: TuningServer, idle_key: str) -> None:
    assert "models/nothing" in refused(create(idle_server, idle_key, TUTORIAL | {"base_model": "models/nothing"}), 404)


def test_training_data_is_kept_exactly_and_once(idle_server: TuningServer, idle_key: str) -> None:
    folder = idle_server.var_dir / "training"
    before = set(folder.glob("*.jsonl"))
    sent = with_examples({"text_input": " x\n", "output": "-3 "})
    create(idle_server, idle_key, sent, query="?tunedModelId=twin-1")
    create(idle_server, idle_key, sent, query="?tunedModelId=twin-2")
    (kept,) = set(folder.glob("*.jsonl")) - before
    assert kept.read_text() == '{"text_input":" x\\n","output":"-3 "}\n'
    idle_server.delete("/v1beta/tunedModels/twin-1", idle_key)
    assert kept.exists()
    idle_server.delete("/v1beta/tunedModels/twin-2", idle_key)
    assert not kept.exists()


def test_list_pages_stay_stable_while_models_come_and_go(idle_server: TuningServer) -> None:
    key = idle_server.api_key("pages@example.com")
    for number in range(12):
        assert create(idle_server, key, query=f"?tunedModelId=page-{number}").status_code == 200
    first = idle_server.get("/v1beta/tunedModels", key)
    google.read(google.TunedModelPage, first.text)
    assert [model["name"][-2:].strip("-") for model in first.json()["tunedModels"]] == [
        str(n) for n in range(11, 1, -1)
    ]
    create(idle_server, key, query="?tunedModelId=page-new")
    idle_server.delete("/v1beta/tunedModels/page-5", key)
    second = idle_server.get(f"/v1beta/tunedModels?pageToken={first.json()['nextPageToken']}", key).json()
    assert [model["name"] for model in second["tunedModels"]] == ["tunedModels/page-1", "tunedModels/page-0"]
    assert "nextPageToken" not in second


def test_list_is_empty_for_somebody_new(idle_server: TuningServer) -> None:
    assert idle_server.get("/v1beta/tunedModels", idle_server.api_key("new@example.com")).json() == {}


def test_page_size_is_capped_and_checked(idle_server: TuningServer, idle_key: str) -> None:
    assert idle_server.get("/v1beta/tunedModels?pageSize=5000", idle_key).status_code == 200
    assert len(idle_server.get("/v1beta/tunedModels?page_size=1", idle_key).json()["tunedModels"]) == 1
    assert "pageSize" in refused(idle_server.get("/v1beta/tunedModels?pageSize=-1", idle_key))
    assert "page_token" in refused(idle_server.get("/v1beta/tunedModels?pageToken=bogus", idle_key))


def test_deleted_model_is_gone(idle_server: TuningServer, idle_key: str) -> None:
    create(idle_server, idle_key, query="?tunedModelId=goner")
    answer = idle_server.delete("/v1beta/tunedModels/goner", idle_key, json={})
    assert (answer.status_code, answer.json()) == (200, {})
    assert refused(idle_server.get("/v1beta/tunedModels/goner", idle_key), 404) == (
        "Tuned model tunedModels/goner does not exist."
    )
    assert refused(idle_server.delete("/v1beta/tunedModels/goner", idle_key), 404)


def test_deleting_while_tuning_stops_the_job_and_frees_its_files(server: TuningServer, key: str) -> None:
    examples = {"training_data": {"examples": {"examples": [{"text_input": "only here", "output": "yes"}] * 4}}}
    sent = body() | {"tuning_task": examples | {"hyperparameters": {"epoch_count": LONG, "batch_size": 1}}}
    create(server, key, sent, query="?tunedModelId=stopped-short")
    server.wait_for_state("stopped-short", key, "RUNNING")
    assert server.delete("/v1beta/tunedModels/stopped-short", key).status_code == 200
    create(server, key, body(), query="?tunedModelId=the-next-one")
    assert server.wait_for_state("the-next-one", key)["state"] == "SUCCEEDED"
    assert not Path(server.var_dir / "adapters" / "stopped-short").exists()
    assert "only here" not in "".join(file.read_text() for file in (server.var_dir / "training").glob("*.jsonl"))
