"""The local provider where its server cannot be trusted to behave: lost answers, and answers that make no sense."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import answer, scripted
from tuning import assertions, datasets
from tuning.errors import AlreadyExists, BadAnswer, NotFound
from tuning.jobs import JobFailure, JobState
from tuning.providers import ConnectionSettings, Identity, JobRef, JobSpec, Prompt
from tuning.providers.local import LocalProvider, tuned_model_id
from tuning.resources import Example

SECRET = "a secret of thirty-two characters"
ADA = Identity(email="ada@example.com", teams=("engines",), administrator=True)
REF = JobRef("tunedModels/x-1/operations/y")
JOB = {
    "state": "RUNNING",
    "model": "tunedModels/x-1",
    "operation": REF,
    "attempt": 2,
    "totalSteps": 19,
    "completedSteps": 2,
    "created": "2026-11-21T10:00:00Z",
    "points": [[1, 0, 3.5, 1763719200.25], [2, 0, None, 1763719201.0]],
}


def provider(service) -> LocalProvider:
    return LocalProvider(ConnectionSettings(base_url=service.url, secret=SECRET), ADA)


def spec(path, key: str = "key", display_name: str = "Numbers") -> JobSpec:
    return JobSpec(
        key=key,
        display_name=display_name,
        base_model="models/b",
        dataset=path,
        epoch_count=5,
        batch_size=4,
        learning_rate=0.001,
    )


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "pairs.jsonl"
    datasets.from_examples([Example(text_input="-3", output="-2"), Example(text_input=" x", output="y")]).write_jsonl(
        path
    )
    return path


@given(st.text(max_size=60), st.text(max_size=40))
def test_every_job_gets_an_id_the_api_allows(display_name, key):
    made = tuned_model_id(spec(None, key, display_name))
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", made)
    assert made == tuned_model_id(spec(None, key, display_name))


def test_jobs_of_one_name_get_ids_of_their_own():
    assert tuned_model_id(spec(None, "one")) != tuned_model_id(spec(None, "two"))
    assert tuned_model_id(spec(None, display_name="Zahlen über 3!")).startswith("zahlen-uber-3-")


def test_create_sends_examples_and_hyperparameters_signed_for_the_person(dataset):
    with scripted(answer(200, {"name": REF})) as service:
        assert provider(service).create(spec(dataset)) == REF
    (asked,) = service.asked
    assert asked.path == f"/v1beta/tunedModels?tunedModelId={tuned_model_id(spec(dataset))}"
    assert asked.json() == {
        "displayName": "Numbers",
        "baseModel": "models/b",
        "tuningTask": {
            "trainingData": {
                "examples": {"examples": [{"textInput": "-3", "output": "-2"}, {"textInput": " x", "output": "y"}]}
            },
            "hyperparameters": {"epochCount": 5, "batchSize": 4, "learningRate": 0.001},
        },
    }
    assert assertions.verify(asked.headers["Authorization"].removeprefix("Bearer "), SECRET) == ADA


def test_a_create_whose_answer_was_lost_finds_its_job(dataset):
    with scripted(answer(409), answer(200, JOB)) as service:
        assert provider(service).create(spec(dataset)) == REF


@pytest.mark.parametrize("status", [403, 404])
def test_an_id_that_somebody_else_took_is_no_job_of_ours(dataset, status):
    with scripted(answer(409), answer(status)) as service, pytest.raises(AlreadyExists):
        provider(service).create(spec(dataset))


@pytest.mark.parametrize("name", ["", "tunedModels/x", "../../x/operations/y", "https://host/operations/y"])
def test_an_operation_without_a_proper_name_is_no_answer(dataset, name):
    with scripted(answer(200, {"name": name})) as service, pytest.raises(BadAnswer):
        provider(service).create(spec(dataset))


def test_a_refresh_is_one_request():
    with scripted(answer(200, JOB)) as service:
        status, points = provider(service).refresh(REF, after=7)
    assert [asked.path for asked in service.asked] == ["/tuneboard/v1/jobs/x-1?after=7"]
    assert (status.state, status.attempt, status.completed_steps) == (JobState.RUNNING, 2, 2)
    assert status.created.isoformat() == "2026-11-21T10:00:00+00:00"
    assert (points[0].step, points[0].value, points[0].time) == (1, 3.5, 1763719200.25)
    assert math.isnan(points[1].value)


def test_a_failure_comes_with_its_code_and_detail():
    failed = {**JOB, "state": "FAILED", "failure": {"code": "diverged", "detail": "step 3"}}
    with scripted(answer(200, failed)) as service:
        assert provider(service).status(REF).failure == JobFailure(code="diverged", detail="step 3")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        *({**JOB, name: bad} for name, bad in [("state", "DREAMING"), ("created", "yesterday"), ("failure", 3)]),
        *({**JOB, "points": bad} for bad in (3, [3], [[1, 2]], [[1, 0, "x", 0]], [[1, 0, 1, None]])),
        *({**JOB, name: None} for name in ("state", "totalSteps", "points", "attempt")),
    ],
)
def test_a_job_that_makes_no_sense_is_no_answer(body):
    with scripted(answer(200, body)) as service, pytest.raises(BadAnswer):
        provider(service).refresh(REF)


def test_a_job_that_is_not_ours_is_not_there():
    with scripted(answer(403)) as service, pytest.raises(NotFound):
        provider(service).status(REF)


def test_deleting_what_is_gone_is_no_error():
    with scripted(answer(404)) as service:
        provider(service).delete(REF)


def test_an_answer_without_candidates_is_no_answer():
    with scripted(answer(200, {})) as service, pytest.raises(BadAnswer):
        provider(service).generate("tunedModels/x", Prompt(text="1"))


def test_what_the_person_left_open_is_left_to_the_model():
    candidate = {"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "finishReason": "STOP"}
    with scripted(answer(200, {"candidates": [candidate]})) as service:
        said = provider(service).generate("tunedModels/x", Prompt(text="1", temperature=0.0, max_output_tokens=8))
    assert service.asked[0].json()["generationConfig"] == {"maxOutputTokens": 8, "temperature": 0}
    assert (said.text, said.finish_reason, said.prompt_tokens) == ("ab", "STOP", 0)


def test_the_secret_is_not_shown():
    assert SECRET not in repr(ConnectionSettings(base_url="http://127.0.0.1", secret=SECRET))


@pytest.mark.parametrize("key_id", ["", "../jobs/x", "1/2", "1?x", "१", "1\n"])
def test_id_that_is_no_keys_never_gets_into_an_address(key_id):
    with scripted(answer(200)) as service:
        with pytest.raises(NotFound):
            provider(service).revoke_api_key(key_id)
        assert service.asked == []


def test_new_key_is_in_no_log():
    made = {"id": "7", "name": "notebook", "key": "tb-secret", "ending": "cret"}
    with scripted(answer(200, made)) as service:
        key = provider(service).create_api_key("notebook")
    assert (key.id, key.text, key.ending) == ("7", "tb-secret", "cret")
    assert "secret" not in repr(key)
