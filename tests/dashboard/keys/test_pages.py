"""The page of API keys, with a real tuning server that keeps them."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from tests.factories import JobFactory, UserFactory
from tests.processes import TuningServer
from tests.scripted import answer, scripted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("server")]

KEYS = "/account/keys/"


@pytest.fixture
def person() -> User:
    """Somebody of whom the server, which outlives a test, has not heard."""
    return UserFactory(email=f"{uuid4().hex}@example.com")


@pytest.fixture
def browser(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def create(browser: Client, name: str = "notebook") -> str:
    """The text of a new key, read from the page."""
    return re.findall(r'<pre[^>]* id="key"[^>]*>(tb-[\w-]+)<', browser.post(KEYS, {"name": name}).text)[0]


def revoke_address(browser: Client, name: str = "notebook") -> str:
    return re.findall(rf'href="({KEYS}\d+/revoke/)" aria-label="Revoke {name}"', browser.get(KEYS).text)[0]


def test_who_has_no_key_learns_what_one_is_for(browser: Client, server: TuningServer) -> None:
    page = browser.get(KEYS).text
    assert "No keys yet" in page
    assert server.url in page


def test_new_key_works_and_is_shown_once(browser: Client, server: TuningServer) -> None:
    key = create(browser)
    assert server.get("/v1beta/tunedModels", headers={"x-goog-api-key": key}).json() == {}
    page = browser.get(KEYS).text
    assert key not in page
    assert f"…{key[-4:]}" in page
    assert '<td class="name">notebook</td>' in page


def test_page_with_the_new_key_has_the_command_that_uses_it(browser: Client, server: TuningServer) -> None:
    page = browser.post(KEYS, {"name": "notebook"})
    key = re.findall("tb-[\\w-]+", page.text)[0]
    assert f'x-goog-api-key: {key}" {server.url}/v1beta/tunedModels' in page.text
    assert 'data-copies="key"' in page.text
    assert 'data-copies="curl"' in page.text
    assert "no-store" in page["Cache-Control"]


def test_list_tells_whether_a_key_is_used(browser: Client, server: TuningServer) -> None:
    key = create(browser)
    assert "never" in browser.get(KEYS).text
    server.get("/v1beta/tunedModels", key)
    assert "never" not in browser.get(KEYS).text


def test_key_sees_what_its_person_sees(browser: Client, server: TuningServer, person: User) -> None:
    others = server.api_key("somebody@example.com")
    key = create(browser)
    listed = server.get("/tuneboard/v1/keys", key).json()["keys"]
    assert [found["name"] for found in listed] == ["notebook"]
    assert others not in browser.get(KEYS).text
    assert others[-4:] not in browser.get(KEYS).text


def test_revoking_asks_first_and_then_ends_the_key(browser: Client, server: TuningServer) -> None:
    key = create(browser)
    address = revoke_address(browser)
    assert "Revoke “notebook”?" in browser.get(address).text
    assert server.get("/v1beta/tunedModels", key).status_code == 200
    assert browser.post(address)["Location"] == KEYS
    assert server.get("/v1beta/tunedModels", key).status_code == 401
    page = browser.get(KEYS).text
    assert "was revoked" in page
    assert address not in page
    assert browser.post(address).status_code == 404


def test_key_of_somebody_else_is_not_found(browser: Client, server: TuningServer) -> None:
    key = create(browser)
    address = revoke_address(browser)
    stranger = Client()
    stranger.force_login(UserFactory(email="eve@example.com"))
    assert stranger.get(address).status_code == 404
    assert stranger.post(address).status_code == 404
    assert f"…{key[-4:]}" not in stranger.get(KEYS).text
    assert server.get("/v1beta/tunedModels", key).status_code == 200


@pytest.mark.parametrize("key_id", ["0", "x", "9" * 30, "..", "1%2f2"])
def test_key_that_is_not_there_is_not_found(browser: Client, key_id: str) -> None:
    assert browser.get(f"{KEYS}{key_id}/revoke/").status_code == 404


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\u202eb"])
def test_name_that_cannot_be_is_refused_beside_the_field(browser: Client, name: str) -> None:
    page = browser.post(KEYS, {"name": name})
    assert 'aria-invalid="true"' in page.text
    assert "No keys yet" in browser.get(KEYS).text


def test_hostile_name_is_shown_as_text(browser: Client) -> None:
    page = browser.post(KEYS, {"name": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page + browser.get(KEYS).text
    assert "&lt;script&gt;alert" in page


def test_nothing_is_made_or_revoked_without_a_csrf_token(browser: Client, person: User) -> None:
    create(browser)
    address = revoke_address(browser)
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(person)
    assert forged.post(KEYS, {"name": "forged"}).status_code == 403
    assert forged.post(address).status_code == 403
    assert "forged" not in browser.get(KEYS).text
    assert revoke_address(browser) == address


def test_refusal_of_the_service_is_said_beside_the_field(browser: Client, settings: Settings) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TOO_MANY_KEYS", "domain": "tuneboard"}
    refusal = {"error": {"code": 400, "message": "", "status": "FAILED_PRECONDITION", "details": [info]}}
    with scripted(answer(400, refusal), answer(200, {})) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.post(KEYS, {"name": "one more"}).text
    assert "Revoke one that is no longer needed" in page
    assert 'value="one more"' in page


def test_service_that_is_away_says_so(browser: Client, no_server: None) -> None:
    page = browser.get(KEYS)
    assert page.status_code == 503
    assert "does not answer" in page.text


def test_jobs_and_account_lead_to_the_keys(browser: Client, person: User) -> None:
    job = JobFactory(owner=person)
    assert f'href="{KEYS}"' in browser.get(f"/jobs/{job.pk}/").text
    assert f'href="{KEYS}"' in browser.get("/account/").text
