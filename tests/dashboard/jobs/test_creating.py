"""The ways to a new job's form, and what becomes of it: without JavaScript, and without a service to ask."""

import shlex
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs import snippets
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.scripted import answer, scripted
from tuning.datasets import Example, from_examples
from tuning.jobs import JobState
from tuning.recipes import Recipe, Schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

MODELS = answer(
    200,
    {
        "models": [
            {"name": name, "displayName": name, "supportedGenerationMethods": ["createTunedModel"]}
            for name in ("models/first", "models/tiny-llama")
        ]
    },
)
RECIPE = Recipe(epoch_count=7, batch_size=2, learning_rate=0.0004, rank=12, alpha=30, schedule=Schedule.COSINE, seed=5)
SAID = {"epoch_count": 5, "batch_size": 4, "learning_rate": 0.001, "display_name": "Numbers"}


@pytest.fixture
def dataset(alice: User) -> Dataset:
    return DatasetFactory(owner=alice)


def tuned(owner: User, **facts: Any) -> Job:
    """A job that is done, with a recipe of its own."""
    job: Job = JobFactory(owner=owner, state=JobState.SUCCEEDED, **{"model": "tunedModels/seasons-1"} | facts)
    job.recipe = RECIPE
    job.save()
    return job


def add_version(dataset: Dataset, examples: int) -> None:
    dataset.add_version(from_examples(Example(text_input=f"{n}", output=f"{n}!") for n in range(examples)))


def values(browser: Client, *, settings: Settings | None = None, **address: object) -> dict[str, str]:
    """What the form shows, by the names of its fields; with ``settings``, there is a service with base models."""
    if settings:
        with scripted(MODELS) as service:
            settings.TUNING_SERVER_URL = service.url
            page = browser.get("/jobs/new/", address)
    else:
        page = browser.get("/jobs/new/", address)
    return {field.name: str(field.value()) for field in page.context["form"] if field.value() is not None}


# Which version


def test_older_version_can_be_chosen_by_address(browser: Client, dataset: Dataset) -> None:
    first = dataset.latest
    add_version(dataset, 2_000)
    assert values(browser, version=first.pk)["version"] == str(first.pk)
    assert values(browser, version=first.pk)["epoch_count"] == "5"
    newest = values(browser, dataset=dataset.pk)
    assert (newest["version"], newest["epoch_count"]) == ("", "3")
    page = browser.get("/jobs/new/", {"dataset": dataset.pk}).text
    assert "newest (2)" in page
    assert "1, 15 examples" in page


def test_job_is_made_on_the_version_that_was_chosen(browser: Client, dataset: Dataset, settings: Settings) -> None:
    first = dataset.latest
    add_version(dataset, 20)
    assert start(browser, settings, dataset, version=first.pk).dataset_version == first
    assert start(browser, settings, dataset).dataset_version.number == 2


def test_version_of_another_dataset_is_refused(browser: Client, dataset: Dataset) -> None:
    other = DatasetFactory(owner=dataset.owner)
    first = other.latest
    add_version(other, 20)
    page = browser.post("/jobs/new/", SAID | {"dataset": dataset.pk, "version": first.pk, "target": "1:x"})
    assert "That version is of another dataset" in page.text


def test_version_of_somebody_else_is_as_if_unnamed(browser: Client, dataset: Dataset) -> None:
    assert values(browser, version=DatasetFactory().latest.pk)["dataset"] == str(dataset.pk)


def test_versions_follow_the_dataset_while_the_form_is_filled_in(browser: Client, dataset: Dataset) -> None:
    other = DatasetFactory(owner=dataset.owner)
    add_version(other, 20)
    said = SAID | {"target": f"{Connection.objects.local().pk}:models/tiny-llama"}
    page = browser.get("/jobs/estimate/", said | {"dataset": other.pk, "versions_of": dataset.pk, "version": "77"}).text
    assert "newest (2)" in page
    assert "Steps" in page
    page = browser.get("/jobs/estimate/", said | {"dataset": other.pk, "versions_of": other.pk}).text
    assert "newest" not in page


# Clone and tune further


def test_clone_has_every_setting_and_the_same_examples(browser: Client, alice: User, settings: Settings) -> None:
    job = tuned(alice, display_name="Seasons")
    add_version(job.dataset_version.dataset, 30)
    shown = values(browser, settings=settings, again=job.pk)
    assert shown["version"] == str(job.dataset_version_id)
    assert shown["target"].endswith("models/tiny-llama")
    made = start(browser, settings, **shown)
    assert made.recipe == job.recipe
    assert (made.display_name, made.made_from, made.tuned_from) == ("Seasons", job, "")
    page = browser.get(made.get_absolute_url()).text
    assert "Cloned from" in page
    assert job.get_absolute_url() in page


def test_address_changes_single_settings_of_a_clone(browser: Client, alice: User) -> None:
    shown = values(browser, again=tuned(alice).pk, epoch_count=4, rank=3)
    assert (shown["epoch_count"], shown["rank"], shown["batch_size"]) == ("4", "3", "2")


def test_tuning_further_keeps_base_model_rank_and_alpha(browser: Client, alice: User, settings: Settings) -> None:
    source = tuned(alice, display_name="Seasons of the year, in all languages x")
    page = browser.get("/jobs/new/", {"further": source.pk})
    form = page.context["form"]
    assert not {"target", "rank", "alpha"} & form.fields.keys()
    assert "Goes on from" in page.text
    assert source.model in page.text
    shown = values(browser, further=source.pk)
    assert shown["display_name"] == "Seasons of the year, in all lan, further"
    assert len(shown["display_name"]) == 40
    made = start(browser, settings, **shown | {"rank": "99", "target": "1:models/first"})
    assert (made.tuned_from, made.made_from, made.base_model) == (source.model, source, source.base_model)
    assert (made.recipe.rank, made.recipe.alpha) == (12, 30)
    assert "Tuned further from" in browser.get(made.get_absolute_url()).text
    assert made.spec().tuned_from == source.model


def test_clone_of_a_job_tuned_further_goes_on_from_the_same_model(browser: Client, alice: User) -> None:
    source = tuned(alice)
    job = tuned(alice, model="tunedModels/second", tuned_from=source.model)
    shown = values(browser, again=job.pk)
    assert (shown["further"], shown["again"]) == (str(source.pk), str(job.pk))


def test_nobody_goes_on_from_a_model_they_may_not_see_or_that_is_not_there(
    browser: Client, alice: User, dataset: Dataset
) -> None:
    unfinished = JobFactory(owner=alice)
    for job in (tuned(UserFactory()), unfinished):
        assert "further" not in {k for k, v in values(browser, further=job.pk).items() if v}
        page = browser.post("/jobs/new/", SAID | {"dataset": dataset.pk, "further": job.pk})
        assert "The model to go on from is gone" in page.text
    assert Job.objects.filter(owner=alice).get() == unfinished


def test_menu_of_a_job_offers_what_can_be_done_with_it(browser: Client, alice: User) -> None:
    job = tuned(alice)
    page = browser.get(job.get_absolute_url()).text
    for address in (f"?again={job.pk}", f"?further={job.pk}", f"/presets/new/?job={job.pk}"):
        assert address in page
    running = JobFactory(owner=alice)
    assert "?further=" not in browser.get(running.get_absolute_url()).text


# Sending


def start(browser: Client, settings: Settings, dataset: Dataset | None = None, /, **said: object) -> Job:
    """The job that the form makes; its service is not ready, so that it waits."""
    place = {"dataset": dataset.pk} if dataset else {}
    target = f"{Connection.objects.local().pk}:models/tiny-llama"
    with scripted(*([] if said.get("further") else [MODELS]), answer(503)) as service:
        settings.TUNING_SERVER_URL = service.url
        sent = browser.post("/jobs/new/", SAID | place | {"target": target} | said)
    assert sent.status_code == 302, sent.text
    return Job.objects.get(pk=int(sent["Location"].split("/")[-2]))


def test_form_that_is_sent_twice_makes_one_job(browser: Client, dataset: Dataset, settings: Settings) -> None:
    first = start(browser, settings, dataset, key="k")
    assert start(browser, settings, dataset, key="k") == first
    assert start(browser, settings, dataset, key="k", epoch_count=6) != first  # changed after the way back
    assert start(browser, settings, dataset, key="another") != first
    first.fail("failed")
    second = start(browser, settings, dataset, key="k")
    assert second != first
    assert start(browser, settings, dataset, key="k") == second


def test_key_of_a_form_is_a_persons_own(
    browser: Client, client: Client, alice: User, dataset: Dataset, settings: Settings
) -> None:
    first = start(browser, settings, dataset, key="k")
    client.force_login(UserFactory(administrator=True))
    assert start(client, settings, dataset, key="k") != first


def test_job_keeps_what_was_foretold(browser: Client, dataset: Dataset, settings: Settings) -> None:
    kept = start(browser, settings, dataset).estimate
    assert kept["steps"] == 19
    assert kept["low"] < kept["seconds"] < kept["high"]


def test_what_was_typed_stays_after_a_mistake(browser: Client, dataset: Dataset) -> None:
    said = SAID | {"dataset": dataset.pk, "epoch_count": 0, "display_name": "Kept as typed", "rank": 31}
    page = browser.post("/jobs/new/", said)
    assert page.text.count('value="Kept as typed"') == 1
    assert 'value="31"' in page.text
    assert 'aria-invalid="true"' in page.text


# Advice and estimate


def test_form_has_estimate_and_advice_without_a_script(browser: Client, dataset: Dataset, settings: Settings) -> None:
    with scripted(MODELS) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.get("/jobs/new/", {"dataset": dataset.pk, "epoch_count": 50}).text
    assert ">188</dd>" in page
    assert "50 would show each example 50 times" in page
    assert 'aria-describedby="id_epoch_count_helptext id_epoch_count_hint"' in page


def test_advice_comes_with_the_estimate_into_the_fields(
    browser: Client, dataset: Dataset, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    said = SAID | {"dataset": dataset.pk, "target": f"{Connection.objects.local().pk}:models/tiny-llama"}
    with django_assert_max_num_queries(14):
        page = browser.get("/jobs/estimate/", said | {"batch_size": 64}).text
    assert '<p class="hint" id="id_batch_size_hint" hx-swap-oob="true">64 is more than the 15 examples' in page
    assert '<p class="hint" id="id_epoch_count_hint" hx-swap-oob="true"></p>' in page


@pytest.mark.parametrize("odd", ["", "x", "-1", "²", "9" * 40, "nan", "\0"])
def test_no_address_breaks_the_form_or_the_estimate(browser: Client, dataset: Dataset, odd: str) -> None:
    names = ("dataset", "version", "again", "further", "preset", "epoch_count", "learning_rate", "target", "validation")
    for name in (*names, "schedule", "base_model", "display_name", "validation_dataset", "key"):
        assert browser.get("/jobs/new/", {name: odd}).status_code == 200
        assert browser.get("/jobs/estimate/", {"dataset": dataset.pk, name: odd}).status_code == 200


# Pasting


def paste(browser: Client, text: str) -> Any:
    return browser.post("/jobs/new/paste/", {"text": text}, follow=True)


def test_pasted_examples_become_a_dataset_once(browser: Client, alice: User) -> None:
    examples = '[{"textInput": "1", "output": "2"}, {"textInput": "2", "output": "4"}]'
    body = f"""{{"displayName": "Doubles", "tuningTask": {{
        "hyperparameters": {{"epochCount": 9, "batchSize": 2}},
        "trainingData": {{"examples": {{"examples": {examples}}}}}}}}}"""
    page = paste(browser, body)
    assert "Its 2 examples became the dataset “Doubles”." in page.text
    assert Dataset.objects.get().owner == alice
    form = page.context["form"]
    assert [form[name].value() for name in ("epoch_count", "batch_size", "display_name")] == ["9", "2", "Doubles"]
    assert not Job.objects.exists()
    assert "are here already, in “Doubles”" in paste(browser, body).text
    assert Dataset.objects.count() == 1


def test_what_was_not_used_is_told_and_no_key_is_kept(browser: Client, dataset: Dataset) -> None:
    page = paste(browser, "curl 'http://x/v1?key=s3cret' -H 'Authorization: s3cret' -d '{\"zip\": 1, \"topK\": 3}'")
    assert "Not used here: zip, top_k." in page.text
    assert "holds no examples" in page.text
    assert "s3cret" not in page.text
    assert all("s3cret" not in address for address, _ in page.redirect_chain)


def test_multiplier_multiplies_the_usual_rate(browser: Client, dataset: Dataset) -> None:
    named = f"sha256:{dataset.latest.sha256}"
    asked = f'{{"tunedModel": {{}}, "dataset": "{named}", "recipe": {{"learningRateMultiplier": 2}}}}'
    form = paste(browser, asked).context["form"]
    assert form["learning_rate"].value() == "0.002"
    assert form["dataset"].value() == dataset.pk


def test_examples_that_make_no_dataset_are_named(browser: Client) -> None:
    body = '{"tuning_task": {"training_data": {"examples": {"examples": [{"text_input": "1", "output": " "}]}}}}'
    page = paste(browser, body)
    assert "Example 1: The output is empty." in page.text
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(("text", "said"), [("", "required"), ("hello", "neither a curl"), ("{", "cannot be read")])
def test_what_cannot_be_read_is_told_beside_it_and_stays(browser: Client, text: str, said: str) -> None:
    page = paste(browser, text)
    assert said in page.text
    assert page.context["form"]["text"].value() == text


def test_dataset_of_somebody_else_is_not_found_by_its_hash(browser: Client, dataset: Dataset) -> None:
    theirs = DatasetFactory(pairs=7).latest
    page = paste(browser, f'{{"tuned_model": {{}}, "dataset": "sha256:{theirs.sha256}"}}')
    assert "no dataset here with the contents" in page.text


def test_unknown_base_model_and_source_are_told(browser: Client, dataset: Dataset, settings: Settings) -> None:
    with scripted(MODELS) as service:
        settings.TUNING_SERVER_URL = service.url
        page = paste(browser, '{"base_model": "models/large"}')
    assert "models/large is not offered here" in page.text
    page = paste(browser, '{"tuned_model_source": {"tuned_model": "tunedModels/gone"}}')
    assert "no job here that made tunedModels/gone" in page.text


@pytest.mark.parametrize("examples", [3, 15, 40])
@pytest.mark.parametrize("kind", ["plain", "ours", "further"])
def test_what_a_job_shows_as_code_gives_the_same_job(
    browser: Client, alice: User, settings: Settings, examples: int, kind: str
) -> None:
    job = JobFactory(owner=alice, dataset_version=DatasetFactory(owner=alice, pairs=examples).latest, batch_size=3)
    if kind != "plain":
        job.recipe = RECIPE
        job.validation_version = DatasetFactory(owner=alice, pairs=6).latest
    if kind == "further":
        job.tuned_from = tuned(alice).model
    job.save()
    assert len(shlex.split(snippets.curl(job, with_examples=True))) > 5
    with scripted(MODELS) as service:
        settings.TUNING_SERVER_URL = service.url
        form = paste(browser, snippets.curl(job, with_examples=True)).context["form"]
    made = start(browser, settings, **{field.name: field.value() for field in form if field.value() is not None})
    assert made.recipe == job.recipe
    same = ("display_name", "base_model", "tuned_from")
    assert [getattr(made, name) for name in same] == [getattr(job, name) for name in same]
    assert made.dataset_version.sha256 == job.dataset_version.sha256
    assert (made.validation_version_id is None) == (kind == "plain")
    assert made.held_out == job.held_out
