"""What a job's page tells besides its losses: held-out losses, sample answers, the log, downloads, what is kept."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.jobs import chronicle
from dashboard.jobs.chronicle import News
from dashboard.jobs.models import Job
from tests.factories import JobFactory
from tests.scripted import answer, scripted
from tuning.jobs import Best, JobFailure, JobState, JobStatus, Kept, Point
from tuning.providers import LogLine, Sample
from tuning.providers.base import SampleAnswer
from tuning.recipes import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

HTMX = {"HX-Request": "true"}
NOW = timezone.now()


def validated_job(owner: User, **facts: Any) -> Job:
    job: Job = JobFactory(owner=owner, total_steps=15)
    job.recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001, validation=0.2, patience=2, samples=1)
    job.save()
    store(job, **facts)
    return job


def store(job: Job, news: News | None = None, *, steps: int = 6, **facts: Any) -> bool:
    told: dict[str, Any] = {"state": JobState.RUNNING, "model": "tunedModels/m", "total_steps": 15}
    points = [Point(step, step * 4 // 12, 3.0 / step, time.time()) for step in range(1, steps + 1)]
    return job.store(JobStatus(**(told | facts)), points, news)


def at(step: int, loss: float) -> Point:
    return Point(step, step // 3, loss, time.time())


def lines(*texts: str, level: str = "info") -> tuple[LogLine, ...]:
    return tuple(LogLine(time=NOW, level=level, text=text) for text in texts)


def sample(**answers: str) -> Sample:
    said = tuple(
        SampleAnswer(step=int(step[1:]), epoch=int(step[1:]) // 3, answer=text) for step, text in answers.items()
    )
    return Sample(row=1, prompt="seven", expected="eight", answers=said)


def page_of(browser: Client, job: Job) -> str:
    return browser.get(f"/jobs/{job.pk}/").content.decode()


def test_held_out_losses_are_kept_once_and_drawn(browser: Client, alice: User) -> None:
    job = validated_job(alice, validation=(at(3, 0.5),))
    store(job, validation=(at(3, 0.5), at(6, float("nan"))))
    assert job.validation == [[3, 1, 0.5], [6, 2, None]]
    curve = browser.get(f"/jobs/{job.pk}/curve/").json()
    assert curve["validation"] == {"steps": [3, 6], "epochs": [1, 2], "losses": [0.5, None]}
    assert "diamonds: held-out examples" in page_of(browser, job)


def test_job_without_held_out_examples_has_one_curve(browser: Client, alice: User) -> None:
    assert "held-out" not in page_of(browser, JobFactory(owner=alice))


def test_live_poll_brings_the_held_out_losses(browser: Client, alice: User) -> None:
    job = validated_job(alice, validation=(at(3, 0.5),))
    news = browser.get(f"/jobs/{job.pk}/live/?after=6&attempt=1&state=RUNNING&seen=x", headers=HTMX)
    assert json.loads(news.context["points"])["validation"] == {"steps": [3], "epochs": [1], "losses": [0.5]}


def test_best_is_named_and_then_it_is_the_model(browser: Client, alice: User) -> None:
    job = validated_job(alice, best=Best(step=3, epoch=1, loss=0.5))
    assert "Best so far: epoch 1, held-out loss 0.50" in page_of(browser, job)
    store(job, steps=9, state=JobState.SUCCEEDED, best=Best(step=3, epoch=1, loss=0.5), stopped=9)
    page = page_of(browser, job)
    assert "This is the model that is kept" in page
    assert "Stopped early, after step 9 of 15: the held-out loss had not fallen for 2 epochs." in page


def test_new_attempt_forgets_what_the_one_before_found_out(alice: User) -> None:
    job = validated_job(alice, validation=(at(3, 0.5),), best=Best(step=3, epoch=1, loss=0.5))
    store(job, News(0, 0, (), [sample(_3="nine")]))
    store(job, attempt=2, steps=1)
    assert (job.validation, job.samples, job.answered, job.best_step) == ([], [], 0, None)


def test_samples_stand_beside_what_was_expected_and_are_only_text(browser: Client, alice: User) -> None:
    job = validated_job(alice)
    store(job, News(0, 0, (), [sample(_3="<b>nine</b>", _6="eight")]))
    page = page_of(browser, job)
    assert page.index("After epoch 2") < page.index("After epoch 1")
    assert "&lt;b&gt;nine" in page
    assert page.count("as expected") == 1


def test_live_poll_brings_samples_when_there_are_more(browser: Client, alice: User) -> None:
    job = validated_job(alice)
    store(job, News(0, 0, (), [sample(_3="nine")]))
    told, known = (browser.get(f"/jobs/{job.pk}/live/?answered={n}&seen=x", headers=HTMX).content for n in (0, 1))
    assert b"nine" in told
    assert b"nine" not in known


def test_log_goes_on_from_its_cursor_and_stores_no_line_twice(alice: User) -> None:
    job = validated_job(alice)
    store(job, News(0, 7, lines("one", "two")))
    store(job, News(0, 7, lines("one", "two")))  # by somebody who asked at the same time
    store(job, News(7, 9, lines("three")))
    assert list(job.lines.values_list("text", flat=True)) == ["one", "two", "three"]
    assert job.log_cursor == 9


@pytest.mark.parametrize(
    ("said", "state", "asked"),
    [
        (7, JobState.RUNNING, ["m"]),
        (8, JobState.RUNNING, ["m", "log"]),
        (None, JobState.RUNNING, ["m", "log"]),  # a server of an earlier release
        (7, JobState.SUCCEEDED, ["m", "log"]),  # a last line may have come meanwhile
    ],
)
def test_log_is_asked_for_where_it_goes_on(
    alice: User, settings: Settings, said: int | None, state: JobState, asked: list[str]
) -> None:
    job = JobFactory(owner=alice, ref="tunedModels/m/operations/o", state=JobState.RUNNING, log_cursor=7)
    told = {"state": state, "model": "tunedModels/m", "attempt": 1, "totalSteps": 15, "completedSteps": 6, "points": []}
    told |= {} if said is None else {"logCursor": said}
    with scripted(answer(200, told), answer(200, {"lines": [], "cursor": 8})) as service:
        settings.TUNING_SERVER_URL = service.url
        job.refresh()
        paths = [question.path.partition("?")[0].rpartition("/")[2] for question in service.asked]
    assert paths == asked


def test_long_log_keeps_its_newest_lines(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chronicle, "LINES_KEPT", 3)
    job = validated_job(alice)
    store(job, News(0, 9, lines(*"abcde")))
    assert list(job.lines.values_list("text", flat=True)) == ["c", "d", "e"]


def test_log_poll_carries_only_new_lines_and_ends_with_the_job(browser: Client, alice: User) -> None:
    job = validated_job(alice)
    store(job, News(0, 2, lines("<i>first</i>", "second")))
    first, last = job.lines.values_list("pk", flat=True)
    news = browser.get(f"/jobs/{job.pk}/log/?after={first}", headers=HTMX).content.decode()
    assert "second" in news
    assert "first" not in news
    assert f"after={last}" in news
    assert browser.get(f"/jobs/{job.pk}/log/?after={last}", headers=HTMX).status_code == 204
    store(job, steps=15, state=JobState.SUCCEEDED)
    end = browser.get(f"/jobs/{job.pk}/log/?after={last}", headers=HTMX).content.decode()
    assert "data-live" not in end
    assert "&lt;i&gt;first" in page_of(browser, job)


@pytest.mark.parametrize("after", ["-1", "x", "", "9" * 30, "²"])
def test_log_poll_survives_any_address(browser: Client, alice: User, after: str) -> None:
    job = validated_job(alice, state=JobState.FAILED)
    assert browser.get(f"/jobs/{job.pk}/log/", {"after": after}, headers=HTMX).status_code == 200


def test_failed_job_shows_the_last_lines_of_its_log_at_once(browser: Client, alice: User) -> None:
    job = validated_job(alice)
    failure = JobFailure(code="disk_full")
    store(job, News(0, 2, lines("no space left", level="error")), state=JobState.FAILED, failure=failure)
    page = page_of(browser, job)
    log = page[page.index('id="log-title"') :]
    assert '<details class="more" open>' in log[: log.index("no space left")]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(None, "as long as the model"), (30, "until"), (-1, "has removed them")],
)
def test_page_says_what_is_kept_and_how_long(browser: Client, alice: User, days: int | None, sentence: str) -> None:
    until = None if days is None else NOW + timedelta(days=days)
    page = page_of(browser, validated_job(alice, kept=Kept(since=NOW - timedelta(days=40), until=until)))
    assert sentence in page[page.index("What is kept") :]


@pytest.mark.parametrize("part", ["log/", "export/adapter"])
def test_nothing_of_it_is_for_strangers(browser: Client, part: str) -> None:
    job = JobFactory(state=JobState.SUCCEEDED)
    assert browser.get(f"/jobs/{job.pk}/{part}").status_code == 404


def test_downloads_are_offered_when_there_is_a_model(browser: Client, alice: User) -> None:
    job = validated_job(alice)
    assert "merged.gguf" not in page_of(browser, job)
    assert browser.get(f"/jobs/{job.pk}/export/merged.gguf").status_code == 404
    store(job, steps=15, state=JobState.SUCCEEDED)
    assert f"/jobs/{job.pk}/export/merged.gguf" in page_of(browser, job)
    assert browser.get(f"/jobs/{job.pk}/export/secrets").status_code == 404


def test_downloads_appear_when_somebody_watches_the_job_end(browser: Client, alice: User) -> None:
    job = validated_job(alice, steps=15, state=JobState.SUCCEEDED)
    news = browser.get(f"/jobs/{job.pk}/live/?after=6&attempt=1&state=RUNNING&seen=x", headers=HTMX).content.decode()
    assert "merged.gguf" in news
    assert 'id="afterwards" hx-swap-oob="true"' in news


def test_download_is_handed_on_as_it_comes(browser: Client, alice: User, settings: Any) -> None:
    job = validated_job(alice, steps=15, state=JobState.SUCCEEDED)
    with scripted(answer(200, b"GGUF" * 100_000)) as service:
        settings.TUNING_SERVER_URL = service.url
        file = browser.get(f"/jobs/{job.pk}/export/merged.gguf")
        pieces = list(file.streaming_content)  # type: ignore[attr-defined]
    assert file["Content-Disposition"] == 'attachment; filename="m.gguf"'
    assert file["Content-Length"] == "400000"
    assert b"".join(pieces) == b"GGUF" * 100_000
    assert len(pieces) > 1


def test_download_that_is_still_being_made_is_waited_for(browser: Client, alice: User, settings: Any) -> None:
    job = validated_job(alice, steps=15, state=JobState.SUCCEEDED)
    with scripted(answer(202, {"percent": 40}, Retry_After="2")) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.get(f"/jobs/{job.pk}/export/merged.gguf")
    assert page["Refresh"] == "2"
    assert "40 %" in page.content.decode()
