"""The settings of a job: the form that asks for them, and the code that says them."""

import json
from typing import Any

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.jobs import snippets
from dashboard.jobs.forms import NewJob
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import settings_of
from tests.factories import DatasetFactory, JobFactory
from tuning.recipes import Recipe, Schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

PLAIN = {"epoch_count": 5, "batch_size": 4, "learning_rate": 0.001}


def form(user: User, examples: int = 15, /, **said: object) -> NewJob:
    """What somebody sends who has a dataset of so many ``examples``, and no tuning server to choose a model of."""
    dataset = DatasetFactory(owner=user, pairs=examples)
    return NewJob(user, {"dataset": dataset.pk, "display_name": "Numbers"} | PLAIN | said)


def errors(filled: NewJob) -> dict[str, list[str]]:
    """Those beside fields; the base model cannot be chosen here."""
    return {name: list(said) for name, said in filled.errors.items() if name != "target"}


def test_what_is_left_empty_is_assumed(alice: User) -> None:
    filled = form(alice)
    assert errors(filled) == {}
    assert filled.recipe() == Recipe(epoch_count=5, batch_size=4, learning_rate=0.001)


def test_every_field_says_its_part_of_the_recipe(alice: User) -> None:
    said = {"validation": "0.2", "patience": 2, "samples": 3, "schedule": "cosine", "warmup": 0.1, "weight_decay": 0.2}
    said |= {"gradient_norm": 0, "rank": 16, "alpha": 8, "dropout": 0.1, "longest": 64, "seed": 7}
    filled = form(alice, **said)
    assert errors(filled) == {}
    expected: dict[str, Any] = PLAIN | said | {"schedule": Schedule.COSINE, "validation": 0.2}
    assert filled.recipe() == Recipe(**expected)


def test_alpha_follows_the_rank(alice: User) -> None:
    filled = form(alice, rank=32)
    assert errors(filled) == {}
    assert filled.recipe().alpha == 64


@pytest.mark.parametrize(
    ("said", "field", "named"),
    [
        ({"patience": 1}, "patience", "needs held-out examples"),
        ({"samples": 1}, "samples", "needs held-out examples"),
        ({"validation": "0.2", "batch_size": 13}, "batch_size", "12 examples to learn from"),
        ({"validation": "0.95"}, "validation", "choice"),
        ({"rank": 257}, "rank", "256"),
        ({"rank": 0}, "rank", "1"),
        ({"warmup": "nan"}, "warmup", "number"),
        ({"dropout": 1}, "dropout", "0.9"),
        ({"alpha": 0}, "alpha", "greater"),
        ({"schedule": "steep"}, "schedule", "choice"),
        ({"longest": 7}, "longest", "8"),
        ({"seed": -1}, "seed", "0"),
    ],
)
def test_mistake_is_told_beside_its_field(alice: User, said: dict[str, object], field: str, named: str) -> None:
    wrong = errors(form(alice, **said))
    assert list(wrong) == [field]
    assert named in wrong[field][0]


def test_share_that_only_code_can_ask_for_is_kept(alice: User) -> None:
    filled = form(alice, validation="0.15")
    assert errors(filled) == {}
    assert filled.recipe().validation == 0.15
    assert "15 %" in str(filled["validation"])


def test_share_and_dataset_exclude_each_other(alice: User) -> None:
    other = DatasetFactory(owner=alice)
    assert "not both" in errors(form(alice, validation="0.1", validation_dataset=other.pk))["validation_dataset"][0]


def test_dataset_of_somebody_else_cannot_be_held_out(alice: User) -> None:
    assert "validation_dataset" in errors(form(alice, validation_dataset=DatasetFactory().pk))


def test_one_example_cannot_be_divided(alice: User) -> None:
    wrong = errors(form(alice, 1, validation="0.1", batch_size=1))
    assert "none can be held out" in wrong["validation"][0]


def test_mistake_among_the_folded_settings_unfolds_them(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    page = browser.post("/jobs/new/", {"dataset": dataset.pk, "display_name": "x", "rank": 0} | PLAIN).content.decode()
    assert '<details class="more settings" open>' in page
    assert '<details class="more settings">' in browser.get("/jobs/new/").content.decode()


def test_defaults_follow_the_size_of_the_dataset(browser: Client, alice: User) -> None:
    small, large = DatasetFactory(owner=alice), DatasetFactory(owner=alice, pairs=1001)
    for dataset, epochs, rate in ((small, 5, 0.001), (large, 3, 0.0005)):
        answer = browser.get("/jobs/new/", {"dataset": dataset.pk})
        assert answer.context["form"]["epoch_count"].value() == epochs
        assumptions = json.loads(
            answer.content.decode().split('id="assumptions" type="application/json">')[1].split("<")[0]
        )
        assert assumptions[str(dataset.pk)]["learning_rate"] == rate


def with_recipe(owner: User, **said: Any) -> Job:
    job: Job = JobFactory(owner=owner)
    job.recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001, **said)
    job.save()
    return job


def test_page_tells_every_setting(browser: Client, alice: User) -> None:
    job = with_recipe(alice, rank=12, schedule=Schedule.LINEAR, validation=0.2)
    settings = dict(settings_of(job))
    assert (settings["Rank"], settings["Alpha"], settings["Share held out"]) == ("12", "16", "20 %")
    assert settings["Schedule"] == "straight down to zero"
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert "straight down to zero" in page
    assert "3 examples" in page


def test_job_is_started_again_with_all_its_settings(browser: Client, alice: User) -> None:
    job = with_recipe(alice, rank=12, schedule=Schedule.LINEAR, validation=0.2, samples=2)
    assert f"/jobs/new/?again={job.pk}" in browser.get(f"/jobs/{fail(job).pk}/").content.decode()
    filled = browser.get("/jobs/new/", {"again": job.pk}).context["form"]
    values = {field.name: field.value() for field in filled if field.value() is not None}
    again = NewJob(alice, values)
    assert errors(again) == {}
    assert again.recipe() == job.recipe


def test_job_of_somebody_else_is_not_started_again(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice)
    job = with_recipe(JobFactory().owner, rank=12)
    assert browser.get("/jobs/new/", {"again": job.pk}).context["form"]["rank"].value() == 8


def fail(job: Job) -> Job:
    job.fail("failed")
    return job


def test_plain_job_is_said_in_googles_words(alice: User) -> None:
    curl = snippets.curl(with_recipe(alice), with_examples=True)
    assert "/v1beta/tunedModels" in curl
    assert "recipe" not in curl


def test_job_with_more_settings_is_said_in_ours(alice: User) -> None:
    job = with_recipe(alice, rank=12)
    job.validation_version = DatasetFactory(owner=alice).latest
    for code in (snippets.curl(job, with_examples=True), snippets.python(job)):
        assert "/tuneboard/v1/jobs" in code
        assert '"rank": 12' in code
        assert f"sha256:{job.validation_version.sha256}" in code
    compile(snippets.python(job), "snippet", "exec")
