"""The Gemini provider against what Google's own service was recorded to answer, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.google.faults import HTML, HTML_REFUSAL, WRONG_TYPES
from tests.google.gemini import KEY, NAME, OPERATION, PROJECT, TOKEN, Gemini, gemini_api
from tests.google.refusals import Refusal, info
from tuning import datasets
from tuning.client import transport
from tuning.errors import AlreadyExists, BadAnswer, InvalidRequest, NotFound, NotSetUp, Unauthenticated, Unavailable
from tuning.jobs import JobFailure, JobState
from tuning.providers import ConnectionSettings, Grantee, Identity, JobRef, JobSpec, Prompt, Role
from tuning.providers.gemini import SCOPES, GeminiProvider
from tuning.recipes import Recipe
from tuning.resources import Example

ADA = Identity(email="ada@example.com")
REF = JobRef(OPERATION)
BEGUN = {"startTime": "2024-03-14T15:00:00Z"}
SCOPE = "https://www.googleapis.com/auth/generative-language.tuning"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(transport, "BACKOFF", 0.01)


@pytest.fixture
def gemini() -> Iterator[Gemini]:
    with gemini_api() as running:
        yield running


def settings(gemini: Gemini) -> ConnectionSettings:
    return ConnectionSettings(base_url=gemini.url, token=lambda: TOKEN, project=PROJECT)


@pytest.fixture
def provider(gemini) -> GeminiProvider:
    return GeminiProvider(settings(gemini), ADA)


@pytest.fixture
def by_key(gemini) -> GeminiProvider:
    return GeminiProvider(ConnectionSettings(base_url=gemini.url, secret=KEY), ADA)


@pytest.fixture
def spec(tmp_path) -> JobSpec:
    path = tmp_path / "pairs.jsonl"
    datasets.from_examples([Example(text_input="-3", output="-2"), Example(text_input=" ü", output="y")]).write_jsonl(
        path
    )
    recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001)
    return JobSpec(key="k", display_name="Numbers", base_model="models/b", dataset=path, recipe=recipe)


def test_a_token_is_asked_for_anew_each_time_and_goes_with_the_project(gemini):
    tokens = iter([TOKEN, TOKEN])
    provider = GeminiProvider(replace(settings(gemini), token=lambda: next(tokens)), ADA)
    provider.status(REF)
    for asked in gemini.asked:
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert asked.headers["x-goog-user-project"] == PROJECT
    assert next(tokens, None) is None


def test_a_key_goes_alone_and_nothing_at_all_is_not_sent(gemini, by_key):
    by_key.base_models()
    assert "authorization" not in gemini.asked[0].headers
    assert gemini.asked[0].headers["x-goog-api-key"] == KEY
    with pytest.raises(Unauthenticated, match="reconnect"):
        GeminiProvider(ConnectionSettings(base_url=gemini.url), ADA).base_models()
    assert len(gemini.asked) == 1


def test_an_account_that_must_be_connected_anew_is_said_to_be(gemini):
    def lapsed() -> str:
        raise Unauthenticated("reconnect")

    with pytest.raises(Unauthenticated, match="reconnect"):
        GeminiProvider(replace(settings(gemini), token=lapsed), ADA).status(REF)
    assert gemini.asked == []


def test_create_sends_the_examples_within_and_google_has_nothing_to_tune(gemini, provider, spec):
    with pytest.raises(NotFound, match="not_tunable") as caught:
        provider.create(spec)
    assert "models/b is not found" in caught.value.detail
    (asked,) = gemini.asked
    assert asked.one("tunedModelId").startswith("numbers-")
    assert asked.json == {
        "baseModel": "models/b",
        "displayName": "Numbers",
        "tuningTask": {
            "trainingData": {
                "examples": {"examples": [{"textInput": "-3", "output": "-2"}, {"textInput": " ü", "output": "y"}]}
            },
            "hyperparameters": {"epochCount": 5, "batchSize": 4, "learningRate": 0.001},
        },
    }


def test_create_refuses_what_the_api_cannot_say(gemini, provider, spec):
    for more in (replace(spec, validation=spec.dataset), replace(spec, recipe=replace(spec.recipe, validation=0.2))):
        with pytest.raises(InvalidRequest, match="validation_unknown"):
            provider.create(more)
    assert gemini.asked == []


def test_an_id_that_is_taken_by_nobody_we_know_is_no_job_of_ours(gemini, provider, spec):
    gemini.fault = Refusal(409, "exists")
    with pytest.raises(AlreadyExists):
        provider.create(spec)


def test_base_models_are_those_that_can_be_asked(provider):
    (flash,) = provider.base_models()
    assert (flash.name, flash.display_name, flash.tunable) == ("models/gemini-2.0-flash", "Gemini 2.0 Flash", False)


def test_a_recorded_job_is_found_with_its_curve(provider):
    (listed,) = provider.existing()
    assert (listed.model, listed.state) == (NAME, JobState.SUCCEEDED)
    found = provider.found(NAME)
    assert found.ref == REF
    assert (found.recipe.epoch_count, found.recipe.batch_size, found.recipe.learning_rate) == (3, 4, 0.001)
    assert [point.step for point in found.points] == list(range(1, 13))
    assert found.points[-1].value == pytest.approx(7.073003)
    assert (found.status.total_steps, found.status.completed_steps) == (12, 12)
    assert [point.step for point in provider.points(REF, after=10)] == [11, 12]
    assert provider.training_data(REF) is None


@pytest.mark.parametrize(
    ("state", "task", "error", "expected"),
    [
        ("CREATING", {}, None, JobState.QUEUED),
        ("CREATING", BEGUN, None, JobState.RUNNING),
        ("STATE_UNSPECIFIED", BEGUN, None, JobState.RUNNING),
        ("ACTIVE", BEGUN, None, JobState.SUCCEEDED),
        ("FAILED", BEGUN, {"code": 13, "message": "It broke."}, JobState.FAILED),
        ("FAILED", BEGUN, {"code": 1, "message": "Cancelled."}, JobState.CANCELLED),
    ],
)
def test_states_are_mapped_without_loss(gemini, state, task, error, expected):
    gemini.models[NAME] = {"name": NAME, "state": state, "tuningTask": task}
    gemini.operations = [{"name": OPERATION, "error": error}]
    status = GeminiProvider(settings(gemini), ADA).status(REF)
    assert status.state is expected
    failed = JobFailure(code="failed", detail="It broke.")
    assert status.failure == (failed if expected is JobState.FAILED else None)


def test_a_job_that_begins_between_the_reading_of_model_and_operation_runs(gemini, provider):
    gemini.models[NAME] = {"name": NAME, "state": "CREATING", "tuningTask": {}}
    metadata = {"totalSteps": 12, "snapshots": [{"step": 1, "meanLoss": 3.5}]}
    gemini.operations = [{"name": OPERATION, "metadata": metadata}]
    status, (point,) = provider.refresh(REF)
    assert (status.state, status.completed_steps, point.step) == (JobState.RUNNING, 1, 1)


def test_a_job_whose_operation_nobody_remembers_is_told_by_its_model(gemini, provider):
    gemini.operations = None
    status = provider.status(REF)
    assert (status.state, status.total_steps) == (JobState.SUCCEEDED, 12)


def test_google_says_of_what_is_gone_that_it_is_not_ours(provider):
    nobody = JobRef("tunedModels/nobody/operations/x")
    with pytest.raises(NotFound):
        provider.status(nobody)


@pytest.mark.parametrize("reason", ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "SERVICE_DISABLED", "USER_PROJECT_DENIED"])
def test_a_job_is_never_gone_because_something_is_not_set_up(gemini, provider, reason):
    gemini.fault = Refusal(403, "No.", info(reason))
    with pytest.raises(NotSetUp):
        provider.refresh(REF)


@pytest.mark.parametrize(("fault", "asked"), [(HTML, 1), (WRONG_TYPES, 1), (HTML_REFUSAL, 3)])
def test_what_cannot_be_read_is_not_the_services_word(gemini, provider, fault, asked):
    gemini.fault = fault
    with pytest.raises(Unavailable):
        provider.refresh(REF)
    assert len(gemini.asked) == asked


def test_tuned_and_base_models_answer_whole_and_in_pieces(provider):
    for model in (NAME, "models/gemini-2.0-flash"):
        answer = provider.generate(model, Prompt(text="LXIII"))
        assert (answer.text, answer.finish_reason, answer.prompt_tokens, answer.answer_tokens) == ("LXIV", "STOP", 3, 2)
        pieces = list(provider.stream(model, Prompt(text="LXIII")))
        assert [piece.text for piece in pieces] == ["LX", "IV"]
        assert (pieces[0].finish_reason, pieces[-1].finish_reason, pieces[-1].answer_tokens) == ("", "STOP", 2)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "PROHIBITED_CONTENT"),
        ({"candidates": [{"finishReason": "SAFETY", "index": 0}]}, "SAFETY"),
    ],
)
def test_an_answer_that_is_held_back_says_why(gemini, provider, told, reason):
    gemini.answer = told
    answer = provider.generate(NAME, Prompt(text="1"))
    assert (answer.text, answer.finish_reason) == ("", reason)


def test_an_answer_that_holds_nothing_is_none(gemini, provider):
    gemini.answer = {}
    with pytest.raises(BadAnswer):
        provider.generate(NAME, Prompt(text="1"))


def test_a_model_is_shared_by_an_account_and_not_by_a_key(gemini, provider, by_key):
    given = provider.share(NAME, Grantee.PERSON, "bob@example.com", Role.READER)
    assert provider.change_role(given.ref, Role.WRITER).role is Role.WRITER
    assert [(one.address, one.role) for one in provider.permissions(NAME)] == [("bob@example.com", Role.WRITER)]
    provider.unshare(given.ref)
    provider.unshare(given.ref)
    with pytest.raises(Unauthenticated, match="account_needed"):
        by_key.permissions(NAME)


def test_a_model_is_renamed_by_googles_spelling_of_the_mask(gemini, provider):
    assert provider.present(NAME, {"display_name": "Anew"}).display_name == "Anew"
    assert gemini.asked[-1].one("updateMask") == "displayName"
    assert provider.presentation(NAME).display_name == "Anew"


def test_a_model_is_deleted_once(gemini, provider):
    provider.delete(REF)
    assert gemini.models == {}


def test_check_says_that_all_is_well_but_that_nothing_can_be_tuned(provider, by_key):
    assert [(check.code, check.ok) for check in provider.check()] == [
        ("reachable", True),
        ("signed_in", True),
        ("models", False),
    ]
    assert [check.code for check in by_key.check()][1] == "key"


@pytest.mark.parametrize(
    ("refusal", "code", "detail"),
    [
        (Refusal(403, "No.", info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), "scope", SCOPES[0]),
        (Refusal(403, "No.", info("SERVICE_DISABLED", service="x.googleapis.com")), "api", "x.googleapis.com"),
        (Refusal(403, "No.", info("USER_PROJECT_DENIED", consumer="projects/p-1")), "quota_project", "p-1"),
        (Refusal(403, "No.", info("BILLING_DISABLED")), "billing", "No."),
        (Refusal(401, "No.", info("ACCESS_TOKEN_EXPIRED")), "signed_in", ""),
        (Refusal(403, "No."), "permission", "No."),
        (HTML, "reachable", ""),
    ],
)
def test_check_says_what_is_missing(gemini, provider, refusal, code, detail):
    gemini.fault = refusal
    *_, last = provider.check()
    assert (last.code, last.ok, last.detail) == (code, False, detail)
    assert SCOPE in SCOPES
