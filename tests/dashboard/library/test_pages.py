"""A model's page: who sees what, who changes what, and what its service says to that."""

import shlex
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.library.notes import SCHEMES, rendered
from dashboard.library.snippets import snippets
from tests.factories import TunedModelFactory, UserFactory

pytestmark = [pytest.mark.django_db]

HTMX = {"HX-Request": "true"}
CHANGING = ["edit", "notes", "tags"]


@pytest.fixture
def model(alice: User) -> TunedModel:
    made: TunedModel = TunedModelFactory(owner=alice, display_name="Counting", description="Says what follows.")
    return made


def shared(model: TunedModel, role: Role, client: Client) -> User:
    """Somebody who has ``role`` on it, signed in."""
    person: User = UserFactory()
    Grant.objects.create(model=model, person=person, role=role)
    client.force_login(person)
    return person


@pytest.mark.usefixtures("no_server")
def test_page_tells_all_about_the_model(browser: Client, model: TunedModel) -> None:
    page = browser.get(f"/library/{model.pk}/").content.decode()
    for said in ("Counting", "Says what follows.", "models/tiny-llama", "Next number", model.name, "Ask it by code"):
        assert said in page
    assert f'href="/jobs/{model.job_id}/"' in page
    assert f"/playground/?connection={model.connection_id}&amp;model=tunedModels%2F" in page
    assert f"/jobs/{model.job_id}/export/merged.gguf" in page
    assert f'data-curve="/jobs/{model.job_id}/curve/"' in page


@pytest.mark.usefixtures("no_server")
def test_job_leads_to_its_model(browser: Client, model: TunedModel) -> None:
    assert f'href="/library/{model.pk}/"' in browser.get(f"/jobs/{model.job_id}/").content.decode()


@pytest.mark.usefixtures("no_server")
def test_model_outlives_its_job(browser: Client, model: TunedModel) -> None:
    TunedModel.objects.filter(pk=model.pk).update(job=None, dataset_version=None)
    page = browser.get(f"/library/{model.pk}/")
    assert page.status_code == 200
    assert "data-curve" not in page.content.decode()


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("path", ["", "sampling/", "edit/"])
def test_stranger_finds_nothing(client: Client, model: TunedModel, path: str) -> None:
    client.force_login(UserFactory())
    assert client.get(f"/library/{model.pk}/{path}").status_code == 404
    for verb in ["star", *CHANGING]:
        assert client.post(f"/library/{model.pk}/{verb}/", {"notes": "x", "add": "x"}).status_code == 404
    model.refresh_from_db()
    assert (model.notes, model.tags.count(), model.favourites.count()) == ("", 0, 0)


@pytest.mark.parametrize("path", ["", "facets/", "1/", "1/edit/", "1/sampling/"])
def test_who_is_not_signed_in_is_led_to_the_door(client: Client, model: TunedModel, path: str) -> None:
    assert client.get(f"/library/{path}")["Location"].startswith("/sign-in/")
    for verb in ("view", "bulk", "preview", f"{model.pk}/star", f"{model.pk}/notes", f"{model.pk}/tags"):
        assert client.post(f"/library/{verb}/")["Location"].startswith("/sign-in/")


@pytest.mark.usefixtures("no_server")
def test_reader_reads_and_is_told_why_they_do_not_change(client: Client, model: TunedModel) -> None:
    model.job.samples = [
        {"row": 1, "prompt": "Secret", "expected": "x", "answers": [{"step": 1, "epoch": 1, "answer": "y"}]}
    ]  # type: ignore[union-attr]
    model.job.answered = 1  # type: ignore[union-attr]
    model.job.save()  # type: ignore[union-attr]
    shared(model, Role.READER, client)
    page = client.get(f"/library/{model.pk}/").content.decode()
    assert "Ask the model" in page
    assert "Secret" not in page
    assert "Change the notes" not in page
    assert "Rename, describe" not in page
    for verb in CHANGING:
        refused = client.post(f"/library/{model.pk}/{verb}/", {"notes": "x", "add": "x", "display_name": "x"})
        assert refused.status_code == 403
        assert "as writers, may change it" in refused.content.decode()
    assert client.post(f"/library/{model.pk}/star/", {"star": "on"}).status_code == 302


@pytest.mark.usefixtures("no_server")
def test_writer_notes_and_tags(client: Client, model: TunedModel) -> None:
    shared(model, Role.WRITER, client)
    client.post(f"/library/{model.pk}/notes/", {"notes": "Use **this**\r\nthen that"})
    client.post(f"/library/{model.pk}/tags/", {"add": "Good"})
    page = client.get(f"/library/{model.pk}/").content.decode()
    assert "<strong>this</strong>" in page
    assert "Good" in page
    tagged = client.post(f"/library/{model.pk}/tags/", {"remove": "good"}, headers=HTMX).content.decode()
    assert "Good" not in tagged
    events = list(Entry.objects.order_by("pk").values_list("event", flat=True))
    assert events[-3:] == ["model.noted", "model.tagged", "model.untagged"]


@pytest.mark.usefixtures("no_server")
def test_notes_that_are_too_long_are_not_kept(browser: Client, model: TunedModel) -> None:
    page = browser.post(f"/library/{model.pk}/notes/", {"notes": "x" * 10_001}, follow=True).content.decode()
    assert "at most 10,000 characters" in page
    model.refresh_from_db()
    assert model.notes == ""


@pytest.mark.usefixtures("no_server")
def test_preview_shows_notes_and_keeps_nothing(browser: Client, model: TunedModel) -> None:
    shown = browser.post("/library/preview/", {"notes": "# Big\n\n* one\n* two"}).content.decode()
    assert "<h3>Big</h3>" in shown
    assert "<li>one</li>" in shown
    model.refresh_from_db()
    assert model.notes == ""


TAGS = {"p", "a", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"}
"""What notes below become at most. Of pictures nothing is left that would fetch one."""

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/track.png)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)>",
    "[x]: vbscript:alert(1)\n\n[x]",
    '[x](https://a.example "\\" onmouseover=alert(1) ")',
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<a href='https://a.example' style='position:fixed' onclick='x()'>y</a>",
    "<form action=/account/><input name=x></form>",
    "```<script>\n</code><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]


class Acting(HTMLParser):
    """What of a piece of HTML could do something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(tag)
        for name, value in attrs:
            harmless = name in ("title", "rel") or (name == "href" and urlsplit(value or "").scheme in SCHEMES)
            if not harmless:
                self.found.append((tag, name, value))


@pytest.mark.parametrize("notes", HOSTILE)
def test_hostile_notes_do_nothing(notes: str) -> None:
    reader = Acting()
    reader.feed(rendered(notes))
    assert reader.found == []


@pytest.mark.parametrize("piece", ["[", "*a_ ", "> ", "- ", "`", "[a](", "<", "|a", "\\", "![", "~~"])
def test_notes_made_to_take_long_do_not(piece: str) -> None:
    begun = time.process_time()
    rendered((piece * 10_000)[:10_000])
    assert time.process_time() - begun < 2


def test_snippets_lead_to_the_models_service(model: TunedModel) -> None:
    codes = {snippet.key: snippet.code for snippet in snippets(model)}
    assert set(codes) == {"curl", "requests", "google-genai", "javascript"}
    for code in codes.values():
        assert model.connection.address in code
        assert model.name in code
    assert shlex.split(codes["curl"].replace("\\\n", " "))[1].endswith(":generateContent")
    compile(codes["requests"], "requests", "exec")
    compile(codes["google-genai"], "google-genai", "exec")
