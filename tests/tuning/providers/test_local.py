"""The local provider where its server cannot be trusted to behave: lost answers, and answers that make no sense."""

import math
import re
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import answer, scripted
from tuning import assertions, datasets
from tuning.errors import AlreadyExists, BadAnswer, NotFound, Unavailable
from tuning.jobs import Best, JobFailure, JobState, Point
from tuning.providers import ConnectionSettings, Export, Identity, JobRef, JobSpec, Prompt
from tuning.providers.local import LocalProvider, tuned_model_id
from tuning.recipes import Recipe
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
        recipe=Recipe(epoch_count=5, batch_size=4, learning_rate=0.001),
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


def test_create_sends_the_dataset_ahead_and_then_the_whole_recipe_signed_for_the_person(dataset):
    digest = sha256(dataset.read_bytes()).hexdigest()
    with scripted(answer(200), answer(200, {"name": REF})) as service:
        assert provider(service).create(spec(dataset)) == REF
    sent, asked = service.asked
    assert (sent.method, sent.path) == ("PUT", f"/tuneboard/v1/datasets/{digest}")
    assert sent.body == dataset.read_bytes()
    assert asked.path == "/tuneboard/v1/jobs"
    body = asked.json()
    assert body["tunedModelId"] == tuned_model_id(spec(dataset))
    assert body["tunedModel"] == {"displayName": "Numbers", "baseModel": "models/b"}
    assert body["dataset"] == f"sha256:{digest}"
    assert body["recipe"]["epochCount"] == 5
    assert (body["recipe"]["rank"], body["recipe"]["schedule"], body["recipe"]["validation"]) == (8, "constant", 0)
    for request in service.asked:
        assert assertions.verify(request.headers["Authorization"].removeprefix("Bearer "), SECRET) == ADA


def test_validation_data_is_sent_ahead_too(dataset, tmp_path):
    held = tmp_path / "held.jsonl"
    held.write_text('{"text_input":"1","output":"2"}\n')
    with scripted(answer(200), answer(200), answer(200, {"name": REF})) as service:
        provider(service).create(replace(spec(dataset), validation=held))
    assert service.asked[1].body == held.read_bytes()
    named = sha256(held.read_bytes()).hexdigest()
    assert service.asked[2].json()["validation"] == {"dataset": f"sha256:{named}"}


def test_dataset_that_could_not_be_taken_at_once_is_sent_again_from_its_start(dataset):
    busy = answer(503, Retry_After="0")
    with scripted(busy, answer(200), answer(200, {"name": REF})) as service:
        provider(service).create(spec(dataset))
    assert service.asked[0].body == service.asked[1].body == dataset.read_bytes()


def test_a_create_whose_answer_was_lost_finds_its_job(dataset):
    there = answer(200, {"name": "tunedModels/x-1"}), answer(200, {"operations": [{"name": REF}]})
    with scripted(answer(200), answer(409), *there) as service:
        assert provider(service).create(spec(dataset)) == REF


@pytest.mark.parametrize("status", [403, 404])
def test_an_id_that_somebody_else_took_is_no_job_of_ours(dataset, status):
    with scripted(answer(200), answer(409), answer(status)) as service, pytest.raises(AlreadyExists):
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


def test_what_was_found_out_on_held_out_examples_comes_with_the_status():
    found = {"validation": [[3, 1, 0.5, 7.0], [6, 2, None, 8.0]], "best": {"step": 3, "epoch": 1, "loss": 0.5}}
    found |= {"stopped": 6, "trainingData": {"keptSince": "2026-11-21T10:00:00Z", "keptUntil": "2026-12-21T10:00:00Z"}}
    with scripted(answer(200, JOB | found)) as service:
        status = provider(service).status(REF)
    assert status.validation[0] == Point(3, 1, 0.5, 7.0)
    assert math.isnan(status.validation[1].value)
    assert (status.best, status.stopped) == (Best(step=3, epoch=1, loss=0.5), 6)
    assert (status.kept.since.month, status.kept.until.month) == (11, 12)


def test_log_is_told_page_by_page():
    line = {"time": "2026-11-21T10:00:00Z", "attempt": 1, "level": "warning", "text": "row 3 is too long"}
    with scripted(answer(200, {"lines": [line], "cursor": 9})) as service:
        page = provider(service).log(REF, after=5)
    assert service.asked[0].path == "/tuneboard/v1/jobs/x-1/log?after=5"
    assert (page.cursor, page.lines[0].level, page.lines[0].text) == (9, "warning", "row 3 is too long")


def test_samples_come_with_their_answers():
    told = {"row": 1, "prompt": "7", "expected": "8", "answers": [{"step": 3, "epoch": 1, "answer": "9"}]}
    with scripted(answer(200, {"samples": [told]})) as service:
        (sample,) = provider(service).samples(REF)
    assert (sample.prompt, sample.expected, sample.answers[0].answer) == ("7", "8", "9")


@pytest.mark.parametrize("body", [{}, {"samples": [3]}, {"samples": [{"row": 1}]}, {"samples": 3}])
def test_samples_that_make_no_sense_are_no_answer(body):
    with scripted(answer(200, body)) as service, pytest.raises(BadAnswer):
        provider(service).samples(REF)


def test_export_is_read_piece_by_piece():
    content = b"GGUF" + bytes(1_000_000)
    with scripted(answer(200, content, Content_Type="application/octet-stream")) as service:
        file = provider(service).export(REF, Export.MERGED_GGUF)
        assert file.size == len(content)
        pieces = list(file.chunks)
    assert service.asked[0].path == "/tuneboard/v1/jobs/x-1/merged.gguf"
    assert b"".join(pieces) == content
    assert len(pieces) > 1


def test_export_that_is_still_being_made_says_how_far_it_is():
    with scripted(answer(202, {"percent": 40}, Retry_After="2")) as service, pytest.raises(Unavailable) as raised:
        provider(service).export(REF, Export.MERGED_GGUF)
    assert (raised.value.code, raised.value.params, raised.value.retry_after) == ("being_made", {"percent": 40}, 2.0)


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


def test_job_that_is_gone_by_every_path_is_not_there():
    with scripted(answer(404)) as service, pytest.raises(NotFound):
        provider(service).refresh(REF)
    assert service.asked[-1].path == "/v1beta/tunedModels/x-1"


def test_export_that_was_cut_off_is_no_whole_one():
    whole = answer(200, b"GGUF and more")
    with scripted(whole.removesuffix(b" and more")) as service:
        file = provider(service).export(REF, Export.MERGED_GGUF)
        with pytest.raises(BadAnswer):
            list(file.chunks)
