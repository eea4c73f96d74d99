"""What the log does not say."""

import logging

import pytest
from django.test import Client

from dashboard.logs import WithoutTokens


@pytest.mark.django_db
def test_token_in_an_address_stays_out_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.getLogger().handlers
    console = next(each for each in handler if type(each) is logging.StreamHandler)
    said: list[str] = []
    console.addFilter(lambda record: bool(said.append(record.getMessage())) or True)
    Client(enforce_csrf_checks=True).post("/welcome/the-secret-token/")
    Client(enforce_csrf_checks=True).post("/forgotten/Mg/another-secret/")
    Client(enforce_csrf_checks=True).post("/way-in/secret:too/")
    assert any("/welcome/…" in line for line in said)
    assert not any("secret" in line for line in said)


def test_what_a_provider_sends_people_back_with_stays_out_of_the_log() -> None:
    for query in (
        "?state=secret-a&code=4/secret-b&scope=x",
        "?next=%2Fconnections%2Fback%2F%3Fcode%3Dsecret%26state%3Dx",
    ):
        record = logging.LogRecord("x", logging.INFO, "x", 1, "GET %s", (f"/sign-in/openid/back/{query}",), None)
        assert WithoutTokens().filter(record)
        assert "secret" not in record.getMessage()
        assert "code" in record.getMessage()
