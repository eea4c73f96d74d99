"""Evaluations as people begin, watch, read, compare and take them away; and who sees what of them."""

import csv
import io
import json
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.evaluations import asking
from dashboard.evaluations.models import Answer, Evaluation, State
from dashboard.library.models import Grant, Role, TunedModel
from tests.dashboard.evaluations.conftest import Counter, count, refuses, says
from tests.factories import DatasetFactory, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db


def start(browser: Client, model: TunedModel, **said: object) -> Evaluation:
    """Begun with the form."""
    form = {"version": model.dataset_version_id, "examples": 100} | said
    answer = browser.post(f"/evaluations/new/{model.pk}/", form)
    assert answer.status_code == 302, answer.text
    return Evaluation.objects.get(pk=int(answer["Location"].split("/")[-2]))


def work_off() -> None:
    while asking.next_turn():
        pass


def seen(browser: Client, path: str) -> str:
    """The page, blanks made one."""
    answer = browser.get(path)
    assert answer.status_code == 200
    return " ".join(unescape(answer.text).split())


def test_evaluation_goes_from_the_models_page_to_its_scores(
    browser: Client, model: TunedModel, counter: Counter
) -> None:
    assert f'href="/evaluations/new/{model.pk}/"' in seen(browser, f"/library/{model.pk}/")
    assert "Next number v1, 15 examples (it was tuned on these)" in seen(browser, f"/evaluations/new/{model.pk}/")
    evaluation = start(browser, model)
    assert "waits for its turn" in seen(browser, f"/evaluations/{evaluation.pk}/")
    counter.reply = lambda prompt: says("Five" if prompt == "4" else str(int(prompt) + 1))
    work_off()
    page = seen(browser, f"/evaluations/{evaluation.pk}/")
    assert "93 % <small>14 of 15 · 95 % interval 70 % to 99 %</small>" in page
    assert "The model was tuned on these examples" in page
    assert "<mark>Five</mark>" in page
    assert "data-live" not in page
    on_models_page = seen(browser, f"/library/{model.pk}/")
    assert "last 93 % as expected, best 93 %" in on_models_page
    assert f'href="/evaluations/{evaluation.pk}/"' in on_models_page
    version = model.dataset_version
    assert f'href="/evaluations/{evaluation.pk}/"' in seen(browser, f"/datasets/{version.dataset_id}/v1/")
    started = Entry.objects.get(event="evaluation.started")
    assert (started.who, started.facts) == (model.owner.email, {"examples": 15})


def test_examples_that_were_put_aside_are_offered_first(browser: Client, model: TunedModel, alice: User) -> None:
    apart = DatasetFactory(owner=alice, name="Put aside", pairs=4).latest
    model.job.validation_version = apart
    model.job.save()
    page = seen(browser, f"/evaluations/new/{model.pk}/")
    assert f'<option value="{apart.pk}" selected>Put aside v1, 4 examples</option>' in page
    assert not start(browser, model, version=apart.pk).in_training


def test_what_a_source_was_tuned_on_is_no_news_to_what_was_tuned_from_it(
    browser: Client, model: TunedModel, alice: User
) -> None:
    apart = DatasetFactory(owner=alice, pairs=4).latest
    further = TunedModelFactory(owner=alice, tuned_from=model, dataset_version=apart)
    assert start(browser, further).in_training


@pytest.mark.parametrize(
    ("said", "told"), [({"examples": 0}, "1"), ({"examples": 1001}, "1000"), ({"version": ""}, "")]
)
def test_form_says_what_is_wrong_and_starts_nothing(
    browser: Client, model: TunedModel, said: dict[str, object], told: str
) -> None:
    answer = browser.post(f"/evaluations/new/{model.pk}/", {"version": model.dataset_version_id, "examples": 5} | said)
    assert answer.status_code == 200
    assert 'class="error"' in answer.text
    assert told in answer.text
    assert not Evaluation.objects.exists()


def test_others_examples_cannot_be_asked(browser: Client, model: TunedModel) -> None:
    theirs = DatasetFactory().latest
    answer = browser.post(f"/evaluations/new/{model.pk}/", {"version": theirs.pk, "examples": 5})
    assert "gone, or not yours to see" in answer.text
    assert theirs.dataset.name not in seen(browser, f"/evaluations/new/{model.pk}/").replace("Next number v1", "", 1)


def test_second_evaluation_of_a_model_waits_for_the_first(browser: Client, model: TunedModel) -> None:
    start(browser, model)
    answer = browser.post(f"/evaluations/new/{model.pk}/", {"version": model.dataset_version_id, "examples": 5})
    assert "under way already" in answer.text
    assert Evaluation.objects.count() == 1


def test_connection_that_is_closed_to_a_person_is_said_before_they_try(client: Client, model: TunedModel) -> None:
    reader = UserFactory()
    Grant.objects.create(model=model, person=reader, role=Role.READER)
    Connection.objects.update(access=Connection.Access.ADMINISTRATORS)
    client.force_login(reader)
    assert "is not open to you" in seen(client, f"/evaluations/new/{model.pk}/")


def test_poll_without_news_is_empty_and_ends_with_the_evaluation(
    browser: Client, model: TunedModel, counter: Counter
) -> None:
    evaluation = start(browser, model)
    path = f"/evaluations/{evaluation.pk}/live/"
    assert browser.get(path, {"seen": evaluation.fingerprint}).status_code == 204
    asking.next_turn()
    news = browser.get(path, {"seen": evaluation.fingerprint}).text
    assert "4 of 15 asked" in news
    assert "data-live" in news
    work_off()
    last = browser.get(path, {"seen": evaluation.fingerprint}).text
    assert "data-live" not in last
    assert 'id="answers"' in last


def test_only_wrong_answers_are_shown_where_wanted(browser: Client, model: TunedModel, counter: Counter) -> None:
    odd = {"3": says("wrong"), "9": refuses(400, "INVALID_ARGUMENT")}
    counter.reply = lambda prompt: odd.get(prompt) or count(prompt)
    evaluation = start(browser, model)
    work_off()
    path = f"/evaluations/{evaluation.pk}/"
    assert seen(browser, path).count("as expected</span>") == 13
    wrong = seen(browser, f"{path}?only=wrong")
    assert "<mark>wrong</mark>" in wrong
    assert "as expected</span>" not in wrong
    failed = seen(browser, f"{path}?only=failed")
    assert "The service refused the request" in failed
    assert "<mark>" not in failed
    assert "No answer is of that kind" in seen(browser, f"{path}?only=nearly")
    part = browser.get(f"{path}?only=wrong", headers={"HX-Request": "true", "HX-Target": "answers"}).text
    assert "<html" not in part


def test_many_answers_come_in_pages(browser: Client, alice: User, model: TunedModel) -> None:
    version = DatasetFactory(owner=alice, pairs=120).latest
    evaluation = start(browser, model, version=version.pk, examples=120)
    for row in range(1, 121):
        Answer(evaluation=evaluation, row=row, text=str(row), exact=True, normalised=True, similarity=1.0).keep()
    evaluation.end(State.DONE)
    assert "101 to 120 of 120" in seen(browser, f"/evaluations/{evaluation.pk}/?page=3")


def test_reader_sees_scores_and_no_text(client: Client, browser: Client, model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda _prompt: says("a telling answer")
    evaluation = start(browser, model)
    work_off()
    reader = UserFactory()
    Grant.objects.create(model=model, person=reader, role=Role.WRITER)
    client.force_login(reader)
    page = seen(client, f"/evaluations/{evaluation.pk}/")
    assert "0 of 15" in page
    assert "not yours to see" in page
    assert "a telling answer" not in page
    for path in ("answers.csv", "answers.jsonl"):
        assert client.get(f"/evaluations/{evaluation.pk}/{path}").status_code == 404
    assert f"/evaluations/{evaluation.pk}/" in seen(client, f"/library/{model.pk}/")


def test_stranger_sees_nothing_of_it(client: Client, browser: Client, model: TunedModel) -> None:
    evaluation = start(browser, model)
    client.force_login(UserFactory())
    assert client.get(f"/evaluations/{evaluation.pk}/").status_code == 404
    assert client.post(f"/evaluations/{evaluation.pk}/stop/").status_code == 404


def test_who_began_it_stops_it_goes_on_and_deletes_it(browser: Client, model: TunedModel, counter: Counter) -> None:
    evaluation = start(browser, model)
    asking.next_turn()
    path = f"/evaluations/{evaluation.pk}/"
    assert "Stopped" in browser.post(f"{path}stop/", follow=True).text
    assert not asking.next_turn()
    browser.post(f"{path}resume/")
    work_off()
    model.refresh_from_db()
    assert model.last_match == 1
    assert "go for good" in seen(browser, f"{path}delete/")
    browser.post(f"{path}delete/")
    assert not Evaluation.objects.exists()
    model.refresh_from_db()
    assert model.last_match is None
    told = Entry.objects.filter(event__startswith="evaluation.").order_by("pk").values_list("event", flat=True)
    assert list(told) == [f"evaluation.{verb}" for verb in ("started", "stopped", "resumed", "deleted")]


def test_reason_why_it_waits_or_ended_is_told(browser: Client, model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda _prompt: refuses(503, "UNAVAILABLE")
    evaluation = start(browser, model)
    work_off()
    page = seen(browser, f"/evaluations/{evaluation.pk}/")
    assert "The service is not ready" in page
    assert "asked again" in page
    Evaluation.objects.update(trouble={"code": "reconnect"}, state=State.FAILED)
    assert "Go on" in seen(browser, f"/evaluations/{evaluation.pk}/")


def test_files_hold_every_answer_and_no_formula(
    browser: Client, alice: User, model: TunedModel, counter: Counter
) -> None:
    replies = {"0": says("=1+1"), "1": says(" @sum"), "2": refuses(400, "INVALID_ARGUMENT"), "3": says('-4\n"x",')}
    counter.reply = lambda prompt: replies[prompt]
    evaluation = start(browser, model, examples=4)
    work_off()
    answer = browser.get(f"/evaluations/{evaluation.pk}/answers.csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode(), newline="")))
    assert [row["answer"] for row in rows] == ["'=1+1", "' @sum", "", '\'-4\n"x",']
    assert [row["problem"] for row in rows] == ["", "", "invalid_request", ""]
    assert rows[0] | {"seconds": ""} == rows[0] | {
        "prompt": "0",
        "expected": "1",
        "as_expected": "False",
        "seconds": "",
    }
    lines = browser.get(f"/evaluations/{evaluation.pk}/answers.jsonl").getvalue().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["=1+1", " @sum", None, '-4\n"x",']
    assert Entry.objects.filter(event="evaluation.exported").count() == 2


def test_markup_in_an_answer_stays_text(browser: Client, model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda _prompt: says("<script>alert(1)</script>\u202e")
    evaluation = start(browser, model, examples=1)
    work_off()
    page = browser.get(f"/evaluations/{evaluation.pk}/").text
    assert "<script>alert" not in page
    assert "U+202E" in page


def test_models_are_ranked_on_the_same_examples(browser: Client, alice: User, model: TunedModel) -> None:
    def done(tuned: TunedModel, right: int, **more: object) -> Evaluation:
        version = model.dataset_version
        facts = {"dataset_version": version, "examples_of": str(version), "total": 15, "max_output_tokens": 32}
        counts = {"answered": 15, "exact": right, "normalised": right, "likeness": right, "state": State.DONE}
        return Evaluation.objects.create(model=tuned, by=alice, **facts, **counts, **more)

    mine = done(model, 9)
    better = done(TunedModelFactory(owner=alice, display_name="The better one"), 12)
    done(model, 2, baseline=True)
    hidden = done(TunedModelFactory(display_name="Somebody else’s"), 15)
    page = seen(browser, f"/evaluations/{mine.pk}/").partition('id="others"')[2].partition("</section>")[0]
    places = [page.index(text) for text in ("The better one", "<b>Counting</b>", "models/tiny-llama")]
    assert places == sorted(places)
    assert f"/evaluations/{better.pk}/" in page
    assert f"/evaluations/{hidden.pk}/" not in page
    assert "Somebody else’s" not in page


def test_page_asks_the_database_as_often_whatever_the_answers(
    browser: Client, alice: User, model: TunedModel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    version = DatasetFactory(owner=alice, pairs=60).latest
    evaluation = start(browser, model, version=version.pk)
    for row in range(1, 61):
        Answer(evaluation=evaluation, row=row, text="1", similarity=0.0).keep()
    with django_assert_max_num_queries(14):
        browser.get(f"/evaluations/{evaluation.pk}/")
