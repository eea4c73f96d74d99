"""What a service can do wrong: each is a sentence with what to do, asked again only where that is safe, and the job is
never lost by it. A real HTTP service, the whole way from the socket to the page.
"""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs import tasks
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory
from tests.scripted import Service, Silence, answer, scripted
from tuning.client import transport
from tuning.errors import TimedOut
from tuning.jobs import JobState
from tuning.providers import local

pytestmark = pytest.mark.django_db

CONSOLE = "https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project=77"
SCOPE = "https://www.googleapis.com/auth/generative-language.tuning"
BASES = answer(200, {"models": [{"name": "models/tiny", "supportedGenerationMethods": ["createTunedModel"]}]})


def said(http: int, status: str, reason: str = "", metadata: object = None, **headers: str) -> bytes:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    details = [info | {"metadata": metadata or {}}] if reason else []
    error = {"code": http, "message": "in <i>its</i> own words", "status": status, "details": details}
    return answer(http, {"error": error}, **headers)


@dataclass(frozen=True)
class Fault:
    """An ``answer``, how often a question is asked in all, and the sentence that a page then has."""

    answer: bytes
    sentence: str
    asked: int = 1
    link: str = ""
    gone: bool = False
    """A job is known to be no more: it stays here, as failed."""
    refuses: bool = True
    """A new job is not kept: it is certain that the service has not taken it, and will not."""


FAULTS = {
    "401": Fault(said(401, "UNAUTHENTICATED"), "does not know who is asking"),
    "401 token": Fault(said(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), "token any more"),
    "401 key only": Fault(said(401, "UNAUTHENTICATED", "CREDENTIALS_MISSING"), "An API key is not enough"),
    "400 key": Fault(said(400, "INVALID_ARGUMENT", "API_KEY_INVALID"), "does not know the API key"),
    "403 scope": Fault(
        said(
            403,
            "PERMISSION_DENIED",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            WWW_Authenticate=f'Bearer realm="x", error="insufficient_scope", scope="{SCOPE}"',
        ),
        "Missing: tuned models of the Gemini API (generative-language.tuning)",
    ),
    "403 scope untold": Fault(
        said(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "leave every box ticked. Missing: –"
    ),
    "403 API": Fault(
        said(
            403,
            "PERMISSION_DENIED",
            "SERVICE_DISABLED",
            {"activationUrl": CONSOLE, "consumer": "projects/77", "serviceTitle": "Generative Language API"},
        ),
        "not enabled in the project: Generative Language API",
        link=CONSOLE,
    ),
    "403 API, strange link": Fault(
        said(403, "PERMISSION_DENIED", "SERVICE_DISABLED", {"activationUrl": "https://evil.example/"}), "not enabled"
    ),
    "403 project": Fault(said(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED"), "Service Usage Consumer"),
    "403 no project": Fault(said(403, "PERMISSION_DENIED", "CONSUMER_INVALID"), "does not know the project"),
    "403 billing": Fault(said(403, "PERMISSION_DENIED", "BILLING_DISABLED"), "no billing account"),
    "403": Fault(said(403, "PERMISSION_DENIED"), "no longer knows this job", gone=True),
    "404": Fault(said(404, "NOT_FOUND"), "no longer knows this job", gone=True, asked=2),
    "404 page": Fault(
        answer(404, b"<html>Not Found</html>", Content_Type="text/html"), "could not be read", refuses=False
    ),
    "409": Fault(said(409, "ALREADY_EXISTS"), "of that name exists already"),
    "429": Fault(
        said(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", Retry_After="600"),
        "Too many requests",
        refuses=False,
    ),
    "429 at once": Fault(said(429, "RESOURCE_EXHAUSTED", Retry_After="0"), "quota is used up", asked=3, refuses=False),
    "500": Fault(said(500, "INTERNAL"), "broke down", refuses=False),
    "503": Fault(said(503, "UNAVAILABLE"), "not ready", asked=3, refuses=False),
    "503 in 40 s": Fault(said(503, "UNAVAILABLE", Retry_After="40"), "not ready", refuses=False),
    "silence": Fault(Silence(), "took too long", refuses=False),
    "cut off": Fault(answer(200, b'{"state": "RUNNING", "mod'), "could not be read", refuses=False),
    "HTML": Fault(
        answer(200, b"<!doctype html><p>Sign in", Content_Type="text/html"), "could not be read", refuses=False
    ),
    "wrong types": Fault(answer(200, {"state": 7, "points": "x", "name": 3}), "could not be read", refuses=False),
    "a list": Fault(answer(200, b"[1]"), "could not be read", refuses=False),
    "nothing": Fault(answer(200, b""), "could not be read", refuses=False),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that says nothing is given up after two seconds instead of twenty, and asked again at once."""
    monkeypatch.setattr(transport, "BACKOFF", 0.01)
    monkeypatch.setattr(local, "TIMEOUT", 2.0)
    monkeypatch.setattr(local, "LONG_TIMEOUT", 2.0)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> Fault:
    return FAULTS[request.param]


@pytest.fixture
def service(fault: Fault, settings: Settings) -> Iterator[Service]:
    with scripted(fault.answer) as running:
        settings.TUNING_SERVER_URL = running.url
        yield running


def page_of(browser: Client, job: Job) -> str:
    return " ".join(browser.get(f"/jobs/{job.pk}/").content.decode().split())


def test_job_under_way_keeps_what_is_known_and_says_what_is_wrong(
    browser: Client, alice: User, fault: Fault, service: Service
) -> None:
    job = JobFactory(owner=alice, state=JobState.RUNNING, completed_steps=7, last_loss=0.5)
    assert browser.get(f"/jobs/{job.pk}/live/?seen={job.fingerprint}&state=RUNNING").status_code == HTTPStatus.OK
    assert len(service.asked) == fault.asked
    job.refresh_from_db()
    assert (job.state == JobState.FAILED) == fault.gone
    assert (job.completed_steps, job.last_loss) == (7, 0.5)
    page = page_of(browser, job)
    assert fault.sentence in page
    assert "in <i>its</i>" not in page
    assert "evil.example" not in page
    assert (f'href="{fault.link}"' in page) == bool(fault.link)


def test_trouble_is_forgotten_when_the_service_answers(browser: Client, alice: User, settings: Settings) -> None:
    job = JobFactory(owner=alice, state=JobState.RUNNING)
    well = {"state": "RUNNING", "model": "tunedModels/m", "attempt": 0, "totalSteps": 19, "completedSteps": 0}
    with scripted(said(500, "INTERNAL"), answer(200, well | {"points": []}), answer(404)) as service:
        settings.TUNING_SERVER_URL = service.url
        job.refresh_quietly()
        assert "broke down" in page_of(browser, job)
        Job.objects.update(synced_at=None)
        job.refresh_from_db()
        job.refresh_quietly()
    assert not Job.objects.get().trouble
    assert "broke down" not in page_of(browser, job)


def test_cancelling_says_what_is_wrong_and_asks_once(
    browser: Client, alice: User, fault: Fault, service: Service
) -> None:
    job = JobFactory(owner=alice, state=JobState.RUNNING)
    page = browser.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert Job.objects.filter(pk=job.pk).exists()
    assert len([asked for asked in service.asked if asked.method == "POST"]) == 1
    told = " ".join(page.content.decode().split())
    assert ("not yours" if fault.gone else fault.sentence) in told
    assert "in <i>its</i>" not in told


def test_service_that_asks_to_wait_is_left_alone(browser: Client, alice: User, settings: Settings) -> None:
    job = JobFactory(owner=alice, state=JobState.RUNNING)
    with scripted(FAULTS["429"].answer) as service:
        settings.TUNING_SERVER_URL = service.url
        for _ in range(3):
            browser.get(f"/jobs/{job.pk}/live/")
            Job.objects.get().refresh_quietly()
        assert len(service.asked) == 1


def test_new_job_is_kept_wherever_its_service_may_have_it(
    browser: Client, alice: User, fault: Fault, settings: Settings
) -> None:
    dataset: Dataset = DatasetFactory(owner=alice)
    with scripted(BASES, BASES, BASES, answer(200), fault.answer) as service:
        settings.TUNING_SERVER_URL = service.url
        target = next(iter(browser.get("/jobs/new/").context["form"].targets))
        form = {"dataset": dataset.pk, "target": target, "display_name": "Numbers", "schedule": "constant"}
        answered = browser.post("/jobs/new/", recipe(browser) | form)
    assert [asked.path for asked in service.asked if asked.method == "POST"] == ["/tuneboard/v1/jobs"]
    job = Job.objects.first()
    if fault.refuses:
        assert job is None
        page = " ".join(answered.content.decode().split())
        assert 'value="Numbers"' in page  # what was filled in is there still
        assert ("Not found, or not yours" if fault.gone else fault.sentence) in page
        assert (f'href="{fault.link}"' in page) == bool(fault.link)
    else:
        assert job is not None
        assert (job.state, job.ref) == (JobState.QUEUED, "")
        page = page_of(browser, job)
        assert fault.sentence in page
        assert "sent again each minute" in page
    assert "in <i>its</i>" not in page


def recipe(browser: Client) -> dict[str, object]:
    """The form's own first values."""
    form = browser.get("/jobs/new/").context["form"]
    return {field.name: field.value() for field in form if field.value() is not None}


@pytest.mark.parametrize("name", ["401", "403 scope", "404", "409", "429", "500", "404 page", "cut off"])
def test_worker_tries_again_what_can_be_put_right_and_fails_what_was_refused(
    alice: User, settings: Settings, name: str
) -> None:
    job = JobFactory(owner=alice, ref="")
    with scripted(FAULTS[name].answer) as service:
        settings.TUNING_SERVER_URL = service.url
        tasks.send.func(job.pk)
    job.refresh_from_db()
    expected = JobState.FAILED if name in {"404", "409"} else JobState.QUEUED
    assert job.state == expected
    assert bool(job.trouble) == (expected is JobState.QUEUED)


def test_whoever_starts_a_job_at_a_silent_service_waits_no_longer_than_they_can(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a dataset may take: the record is there, and the worker makes one job of it."""
    monkeypatch.setattr(local, "LONG_TIMEOUT", 180.0)
    job = JobFactory(owner=alice, ref="")
    made = answer(200, {"name": "tunedModels/m/operations/o"})
    with scripted(answer(200), Silence(), answer(200), made) as service:
        settings.TUNING_SERVER_URL = service.url
        begun = time.monotonic()
        with pytest.raises(TimedOut):
            job.send(patience=1.0)
        assert time.monotonic() - begun < 5
        service.done.set()  # ends the silence
        job.refresh_from_db()
        assert (job.ref, job.sending) == ("", None)
    with scripted(answer(200), made) as service:
        settings.TUNING_SERVER_URL = service.url
        tasks.send.func(job.pk)
        tasks.send.func(job.pk)
        assert [asked.method for asked in service.asked] == ["PUT", "POST"]
    job.refresh_from_db()
    assert job.ref == "tunedModels/m/operations/o"


def test_dataset_that_is_taken_too_slowly_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A service that reads a little now and then is never silent."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 64 * 2**20)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()
        threading.Thread(target=sip, args=(listener, over), daemon=True).start()
        client = transport.Transport(f"http://127.0.0.1:{listener.getsockname()[1]}", dict, timeout=180.0)
        begun = time.monotonic()
        with path.open("rb") as file, client.within(1.0), pytest.raises(TimedOut):
            client.ask("PUT", "data", body=file)
        assert time.monotonic() - begun < 5
        over.set()


def sip(listener: socket.socket, over: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        while not over.wait(0.05) and connection.recv(64 * 1024):
            pass


def test_one_hands_a_job_over_and_the_next_where_that_one_was_killed(alice: User, settings: Settings) -> None:
    job = JobFactory(owner=alice, ref="", sending=timezone.now() + timedelta(seconds=50))
    with scripted(answer(200), answer(200, {"name": "tunedModels/m/operations/o"})) as service:
        settings.TUNING_SERVER_URL = service.url
        tasks.send.func(job.pk)
        assert not service.asked
        Job.objects.update(sending=timezone.now() - timedelta(seconds=1))
        tasks.send.func(job.pk)
    job.refresh_from_db()
    assert job.ref
