"""The playground against a scripted service on a real socket, and once against the real tuning server."""

from html import unescape
from typing import Any

import orjson
import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from tests.factories import JobFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tests.scripted import Service, answer, scripted
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "turns"}
BASE = "models/tiny-llama"
MODELS = answer(
    200,
    {
        "models": [
            {
                "name": BASE,
                "displayName": "Tiny Llama",
                "supportedGenerationMethods": ["generateContent", "createTunedModel"],
                "outputTokenLimit": 64,
                "temperature": 0.7,
                "topP": 0.95,
                "topK": 40,
            }
        ]
    },
)


def says(*pieces: str, reason: str = "STOP") -> bytes:
    """An answer that is told piece by piece; without a ``reason`` it breaks off."""
    chunks = [{"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}]} for text in pieces]
    if reason:
        usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
        chunks.append({"candidates": [{"finishReason": reason}], "usageMetadata": usage})
    events = b"".join(b"data: " + orjson.dumps(chunk) + b"\r\n\r\n" for chunk in chunks)
    return answer(200, events, Content_Type="text/event-stream")


def refuses(code: int, status: str, reason: str = "") -> bytes:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "tuneboard"}
    details = [info] if reason else []
    error = {"code": code, "message": "said the service", "status": status, "details": details}
    return answer(code, {"error": error})


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def local(alice: User) -> Connection:
    return Connection.objects.local()


def point_at(service: Service, settings: Settings) -> None:
    settings.TUNING_SERVER_URL = service.url


def ask(browser: Client, connection: Connection, model: str = BASE, **fields: Any) -> str:
    """The turn that comes of a question."""
    return unescape("".join(told(browser, connection, model, **fields)))


def told(browser: Client, connection: Connection, model: str = BASE, **fields: Any) -> list[str]:
    """What comes of a question, in the pieces that it comes in."""
    data = {"target": f"{connection.pk}:{model}", "prompt": "Hello", **fields}
    response = browser.post("/playground/", data, headers=HTMX)
    assert response.status_code == 200
    return [piece.decode() for piece in response]


def page(browser: Client, query: str = "") -> str:
    response = browser.get(f"/playground/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_signed_out_person_is_asked_to_sign_in(client: Client) -> None:
    assert "/sign-in/" in client.get("/playground/")["Location"]
    assert "/sign-in/" in client.post("/playground/", {"prompt": "x"})["Location"]


def test_form_offers_my_tuned_models_and_base_models_with_their_defaults(
    browser: Client, alice: User, settings: Settings
) -> None:
    JobFactory(owner=alice, model="tunedModels/mine", display_name="Mine", state=JobState.SUCCEEDED)
    JobFactory(owner=alice, model="tunedModels/half", display_name="Half done", state=JobState.RUNNING)
    JobFactory(owner=UserFactory(), model="tunedModels/bobs", display_name="Bob’s", state=JobState.SUCCEEDED)
    with scripted(MODELS) as service:
        point_at(service, settings)
        shown = page(browser)
    assert "Mine" in shown
    assert "Tiny Llama" in shown
    assert "Half done" not in shown
    assert "Bob’s" not in shown
    assert 'name="temperature" value="0.7"' in shown
    assert 'name="top_k" value="40"' in shown
    assert 'name="max_output_tokens" value="64"' in shown


def test_base_models_are_asked_for_once_a_minute(browser: Client, settings: Settings) -> None:
    with scripted(MODELS) as service:
        point_at(service, settings)
        page(browser)
        page(browser)
        assert len(service.asked) == 1


def test_prompt_and_sampling_reach_the_model_exactly(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("Hi")) as service:
        point_at(service, settings)
        ask(browser, local, prompt=" one\r\ntwo ", temperature="0", top_p="0.5", top_k="7", max_output_tokens="9")
        asked = service.asked[-1]
    assert asked.path.startswith(f"/v1beta/{BASE}:streamGenerateContent")
    assert asked.json()["contents"][0]["parts"] == [{"text": " one\ntwo "}]
    assert asked.json()["generationConfig"] == {"temperature": 0, "topP": 0.5, "topK": 7, "maxOutputTokens": 9}


def test_empty_numbers_leave_the_choice_to_the_model(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("Hi")) as service:
        point_at(service, settings)
        ask(browser, local)
        assert not service.asked[-1].json().get("generationConfig")


def test_turn_shows_prompt_answer_reason_tokens_and_seconds(
    browser: Client, local: Connection, settings: Settings
) -> None:
    with scripted(MODELS, says("XL", "II", reason="MAX_TOKENS")) as service:
        point_at(service, settings)
        turn = ask(browser, local, prompt="What follows XLI?")
    assert "<html" not in turn
    for part in (
        "What follows XLI?",
        "XLII",
        "Tiny Llama",
        "cut off at the most tokens",
        "2 tokens",
        "after 3",
        " s</",
    ):
        assert part in turn


def test_hostile_answer_is_shown_as_text(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("<script>alert(1)</script>", "</template><b>", reason="<b>")) as service:
        point_at(service, settings)
        turn = "".join(told(browser, local, prompt="<i>x"))
    assert "<script>" not in turn
    assert "<b>" not in turn
    assert "<i>" not in turn
    assert turn.count("</template>") == 1
    assert "&lt;script&gt;" in turn


def test_answer_is_told_piece_by_piece_and_then_whole(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("one ", "two\n")) as service:
        point_at(service, settings)
        opening, *pieces, turn = told(browser, local)
    assert opening == "<template data-draft>"
    assert "".join(pieces) == "one two\n</template>"
    assert "two" in turn
    assert 'data-sign="↵"' in turn


def test_answer_that_breaks_off_stays_with_the_reason(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("As far as", reason="")) as service:
        point_at(service, settings)
        turn = ask(browser, local).partition("</template>")[2]
    assert "As far as" in turn
    assert "could not be read" in turn
    assert "The answer is empty" not in turn


def test_empty_answer_is_called_so(browser: Client, local: Connection, settings: Settings) -> None:
    with scripted(MODELS, says("")) as service:
        point_at(service, settings)
        assert "The answer is empty." in ask(browser, local)


def test_page_without_htmx_shows_the_turn_and_keeps_the_prompt(
    browser: Client, local: Connection, settings: Settings
) -> None:
    with scripted(MODELS, says("fine")) as service:
        point_at(service, settings)
        response = browser.post("/playground/", {"target": f"{local.pk}:{BASE}", "prompt": "How?"})
    shown = response.content.decode()
    assert "<html" in shown
    assert "fine" in shown
    assert shown.count("How?") == 2


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (refuses(503, "UNAVAILABLE", "INFERENCE_STARTING"), "The model is being loaded"),
        (refuses(503, "UNAVAILABLE"), "The service is not ready"),
        (refuses(400, "FAILED_PRECONDITION"), "The model is not ready for that"),
        (refuses(404, "NOT_FOUND"), "Not found, or not yours"),
        (refuses(403, "PERMISSION_DENIED"), "Not found, or not yours"),
        (refuses(400, "INVALID_ARGUMENT"), "The service refused the request"),
        (answer(200, b"<html>"), "could not be read"),
    ],
)
def test_refusal_is_a_turn_that_says_why(
    browser: Client, local: Connection, settings: Settings, refusal: bytes, sentence: str
) -> None:
    with scripted(MODELS, refusal) as service:
        point_at(service, settings)
        turn = ask(browser, local, prompt="My prompt")
    assert sentence in turn
    assert "My prompt" in turn


@pytest.mark.usefixtures("no_server")
def test_page_without_a_server_says_so_and_offers_the_tuned_models_still(browser: Client, alice: User) -> None:
    assert "No model to ask yet" in page(browser)
    JobFactory(owner=alice, model="tunedModels/mine", display_name="Mine", state=JobState.SUCCEEDED)
    shown = page(browser)
    assert "The service does not answer" in shown
    assert "Mine" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"prompt": "x" * 40_001},
        {"temperature": "2.1"},
        {"temperature": "nan"},
        {"top_p": "1.1"},
        {"top_k": "-1"},
        {"max_output_tokens": "0"},
        {"max_output_tokens": "65"},
        {"target": "1:models/other"},
        {"target": "nonsense"},
    ],
)
def test_wrong_value_is_refused_beside_its_field_and_nothing_is_asked(
    browser: Client, local: Connection, settings: Settings, wrong: dict[str, str]
) -> None:
    with scripted(MODELS, says("never")) as service:
        point_at(service, settings)
        data = {"target": f"{local.pk}:{BASE}", "prompt": "Hello"} | wrong
        response = browser.post("/playground/", data, headers=HTMX)
        assert len(service.asked) == 1
    assert 'aria-invalid="true"' in response.content.decode()
    assert response["HX-Retarget"] == "#fields"


def test_link_of_a_job_chooses_its_model(browser: Client, alice: User, local: Connection, settings: Settings) -> None:
    JobFactory(owner=alice, model="tunedModels/old", display_name="Old", state=JobState.SUCCEEDED)
    JobFactory(owner=alice, model="tunedModels/new", display_name="New", state=JobState.SUCCEEDED)
    with scripted(MODELS) as service:
        point_at(service, settings)
        shown = page(browser, f"?model=tunedModels/old&connection={local.pk}")
    chosen = next(line for line in shown.splitlines() if "selected" in line)
    assert "tunedModels/old" in chosen


@pytest.mark.parametrize(
    ("state", "sentence"),
    [(JobState.RUNNING, "is still being tuned"), (JobState.FAILED, "was not tuned to its end")],
)
def test_link_of_a_job_that_is_not_done_says_so(
    browser: Client, alice: User, settings: Settings, state: JobState, sentence: str
) -> None:
    JobFactory(owner=alice, model="tunedModels/half", display_name="Half", state=state)
    with scripted(MODELS) as service:
        point_at(service, settings)
        assert sentence in page(browser, "?model=tunedModels/half")


def test_link_to_the_model_of_somebody_else_tells_nothing_of_it(browser: Client, settings: Settings) -> None:
    JobFactory(model="tunedModels/bobs", display_name="Secret plan", state=JobState.SUCCEEDED)
    with scripted(MODELS) as service:
        point_at(service, settings)
        shown = page(browser, "?model=tunedModels/bobs")
    assert "was not found, or is not yours" in shown
    assert "Secret plan" not in shown


@pytest.mark.engine
def test_real_server_answers(browser: Client, local: Connection, server: TuningServer) -> None:
    def answered() -> str | None:
        turn = ask(browser, local, temperature="0", max_output_tokens="4")
        return None if "being loaded" in turn else turn

    turn = wait_until(answered)
    assert "notice error" not in turn
    assert "tokens" in turn
