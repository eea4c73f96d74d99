"""Sweeps over HTTP to a real tuning server that really tunes the tiny model."""

import time

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs import tasks as jobs_tasks
from dashboard.jobs.models import Job
from dashboard.sweeps.models import Sweep
from tests.factories import DatasetFactory
from tests.processes import wait_until
from tests.scripted import answer, scripted
from tuning.jobs import JobState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("server")]


@pytest.fixture
def dataset(alice: User) -> Dataset:
    return DatasetFactory(owner=alice)


def form(dataset: Dataset, /, **changes: object) -> dict[str, object]:
    target = f"{Connection.objects.local().pk}:models/tiny-llama"
    described = {"dataset": dataset.pk, "target": target, "display_name": "Numbers"}
    values = {"epoch_count": "1..2", "batch_size": "4", "learning_rate": "0.001, 0.002", "rank": "8", "seed": "0"}
    return described | values | changes


def start(browser: Client, dataset: Dataset, /, **changes: object) -> Sweep:
    answer = browser.post("/sweeps/new/", form(dataset, **changes))
    assert answer.status_code == 302, answer.content.decode()
    return Sweep.objects.get()


def work() -> None:
    """What the worker does in its next round."""
    for pk in Job.objects.unsent().values_list("pk", flat=True):
        jobs_tasks.send.call(pk)
    for job in Job.objects.unfinished().exclude(ref=""):
        Job.objects.update(synced_at=None)
        job.refresh_quietly()


def over() -> bool:
    work()
    return not Job.objects.unfinished().exists()


def test_sweep_of_four_goes_from_the_form_to_its_best(browser: Client, dataset: Dataset) -> None:
    sweep = start(browser, dataset)
    names = [trial.job.display_name for trial in sweep.all_trials()]
    assert names == [
        "Numbers · rate 0.001 · 1 epoch",
        "Numbers · rate 0.001 · 2 epochs",
        "Numbers · rate 0.002 · 1 epoch",
        "Numbers · rate 0.002 · 2 epochs",
    ]
    assert sweep.estimate["jobs"] == 4
    assert sweep.estimate["steps"] == sum(trial.job.total_steps for trial in sweep.all_trials()) == 2 * (4 + 8)
    wait_until(over)
    assert {trial.job.state for trial in sweep.all_trials()} == {JobState.SUCCEEDED}
    page = browser.get(sweep.get_absolute_url())
    best = page.context["found"].best.job
    assert best.trial.loss == min(trial.loss for trial in sweep.trials.all())
    assert "Use the best settings" in page.content.decode()
    compared = browser.get(page.context["compare"])
    assert compared.context["parallel"]
    assert [heading.column.key for heading in compared.context["headings"]][2:4] == ["epoch_count", "learning_rate"]
    again = browser.get(f"/jobs/new/?again={best.pk}").context["form"]
    assert again["learning_rate"].value() == best.learning_rate


def test_sweep_that_was_interrupted_is_finished_by_the_worker(browser: Client, dataset: Dataset) -> None:
    sweep = start(browser, dataset)  # the worker's queue is never worked off here: as if it had died
    assert [bool(trial.job.ref) for trial in sweep.all_trials()] == [True, False, False, False]
    work()
    assert all(trial.job.ref for trial in sweep.all_trials())
    assert Job.objects.count() == 4


def test_form_that_is_sent_twice_makes_one_sweep(browser: Client, dataset: Dataset) -> None:
    key = browser.get("/sweeps/new/").context["form"]["key"].value()
    sweep = start(browser, dataset, key=key)
    again = browser.post("/sweeps/new/", form(dataset, key=key))
    assert again["Location"] == sweep.get_absolute_url()
    assert (Sweep.objects.count(), Job.objects.count()) == (1, 4)
    other = browser.post("/sweeps/new/", form(dataset, key=key, seed="1"))
    assert other["Location"] != sweep.get_absolute_url()


def test_largest_sweep_is_stored_without_a_long_wait(browser: Client, dataset: Dataset) -> None:
    begun = time.process_time()
    sweep = start(browser, dataset, epoch_count="1..8", seed="0..3")
    assert time.process_time() - begun < 4
    assert len(sweep.all_trials()) == 64
    for job in Job.objects.all():
        job.cancel()


def test_all_jobs_of_a_sweep_are_cancelled(browser: Client, dataset: Dataset) -> None:
    sweep = start(browser, dataset, epoch_count="900, 1000", batch_size="1")
    work()
    browser.post(f"/sweeps/{sweep.pk}/stop/")
    wait_until(over)
    assert {trial.job.state for trial in sweep.all_trials()} == {JobState.CANCELLED}


def test_failure_stops_the_others_while_somebody_looks_on(browser: Client, dataset: Dataset) -> None:
    sweep = start(browser, dataset, epoch_count="900, 1000", batch_size="1", stop_on_failure="stop")
    work()
    first = sweep.all_trials()[0].job
    first.fail("failed")
    browser.get(f"/sweeps/{sweep.pk}/live/", headers={"HX-Request": "true"})
    wait_until(over)
    states = [trial.job.state for trial in sweep.all_trials()]
    assert states == [JobState.FAILED, *[JobState.CANCELLED] * 3]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("learning_rate", "fast", "“fast” is no number"),
        ("learning_rate", "0, 0.1", "0 is out of bounds"),
        ("learning_rate", "", "This field is required"),
        ("epoch_count", "1..2000 x3", "2000 is out of bounds"),
        ("epoch_count", "2.5", "no whole number"),
        ("batch_size", "4, 16", "There are 15 examples"),
        ("rank", "1..9000", "out of bounds"),
        ("seed", "1..100", "At most 64 values"),
        ("validation", "0.95", "Select a valid choice"),
    ],
)
def test_mistake_is_told_beside_its_field(browser: Client, dataset: Dataset, field: str, value: str, said: str) -> None:
    answer = browser.post("/sweeps/new/", form(dataset, **{field: value}))
    assert answer.status_code == 200
    assert said in " ".join(answer.context["form"].errors[field])
    assert not Job.objects.exists()


def test_more_jobs_than_can_be_started_are_refused_with_their_number(browser: Client, dataset: Dataset) -> None:
    many = {"epoch_count": "1..20", "seed": "1..20"}
    page = browser.post("/sweeps/new/", form(dataset, **many)).content.decode()
    assert "That makes 800 jobs; at most 64 can be started at once." in page
    assert "That makes 800 jobs" in browser.get("/sweeps/estimate/", form(dataset, **many)).content.decode()
    assert not Sweep.objects.exists()


def test_estimate_follows_what_is_typed(browser: Client, dataset: Dataset) -> None:
    total = browser.get("/sweeps/estimate/", form(dataset)).context_data["total"]
    assert (total.jobs, total.steps) == (4, 24)
    assert 0 < total.low <= total.high
    twice = browser.get("/sweeps/estimate/", form(dataset, seed="1, 2, 2")).context_data["total"]
    assert (twice.jobs, twice.steps) == (8, 48)
    assert "appear here" in browser.get("/sweeps/estimate/", form(dataset, epoch_count="")).content.decode()


def test_form_of_a_job_goes_on_as_a_sweep(browser: Client, dataset: Dataset) -> None:
    said = form(dataset, learning_rate="0.004", epoch_count="7", warmup="0.1")
    answer = browser.post("/sweeps/new/", said | {"begin": ""})
    shown = answer.context["form"]
    assert not shown.is_bound
    assert [shown[name].value() for name in ("learning_rate", "epoch_count", "warmup")] == ["0.004", "7", "0.1"]
    assert not Sweep.objects.exists()


def test_refusal_of_the_service_is_shown_on_the_form(browser: Client, dataset: Dataset, settings: Settings) -> None:
    models = {"models": [{"name": "models/tiny-llama", "supportedGenerationMethods": ["createTunedModel"]}]}
    refusal = {"error": {"code": 400, "message": "batch too odd", "status": "INVALID_ARGUMENT"}}
    with scripted(answer(200, models), answer(400, refusal)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.post("/sweeps/new/", form(dataset)).content.decode()
    assert "batch too odd" in page
    assert not Job.objects.exists()
    assert not Sweep.objects.exists()


def test_dataset_of_somebody_else_cannot_be_used(browser: Client, dataset: Dataset) -> None:
    answer = browser.post("/sweeps/new/", form(DatasetFactory()))
    assert "dataset" in answer.context["form"].errors
