"""htmx's plumbing, and the pages that a service's errors become."""

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from tests.factories import JobFactory, UserFactory
from tests.scripted import answer, scripted

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(UserFactory(email="alice@example.com"))
    return client


@pytest.mark.parametrize(
    ("http", "status", "sentence"),
    [
        (401, 502, "the same VAR_DIR"),
        (403, 502, "not yours"),
        (429, 429, "quota"),
        (500, 502, "broke down"),
        (503, 503, "not ready"),
    ],
)
def test_error_of_the_service_becomes_a_page_that_says_what_to_do(
    signed_in: Client, settings: Settings, http: int, status: int, sentence: str
) -> None:
    job = JobFactory(owner=User.objects.get())
    refusal = {"error": {"code": http, "message": "said <b>so</b>", "status": "X"}}
    with scripted(answer(http, refusal)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = signed_in.post(f"/jobs/{job.pk}/cancel/")
    assert page.status_code == status
    assert sentence in page.content.decode()
    assert "said <b>" not in page.content.decode()


def test_redirect_reaches_htmx_by_header(signed_in: Client) -> None:
    signed_in.logout()
    page = signed_in.get("/jobs/", headers={"HX-Request": "true"})
    assert page["HX-Redirect"].startswith("/sign-in/")


def test_every_page_forbids_inline_code_and_frames(signed_in: Client) -> None:
    page = signed_in.get("/jobs/")
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"


def test_unknown_host_is_refused(signed_in: Client) -> None:
    assert signed_in.get("/jobs/", headers={"Host": "evil.example"}).status_code == 400


def test_unknown_address_says_so_in_the_frame_of_the_product(signed_in: Client) -> None:
    page = signed_in.get("/nowhere/")
    assert page.status_code == 404
    assert "Not found, or not yours" in page.content.decode()
