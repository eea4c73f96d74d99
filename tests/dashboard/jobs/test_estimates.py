"""What a job will take: foretold by jobs that are done, in the end beside what it took."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.jobs.estimates import Estimate, between, estimate
from dashboard.jobs.models import Job
from dashboard.templatetags.tuneboard import spans
from tests.factories import DatasetFactory, JobFactory
from tuning.jobs import JobState
from tuning.recipes import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

BASE = "models/tiny-llama"


def done(owner: User, *, a_step: float, around: float, examples: int = 15) -> Job:
    """A job of five epochs that is done: so many seconds ``a_step``, and ``around`` them for its start and end."""
    version = DatasetFactory(owner=owner, pairs=examples).latest
    steps = -(-examples * 5 // 4)
    began = timezone.now() - timedelta(hours=1)
    first = began + timedelta(seconds=around / 2 + a_step)
    last = first + timedelta(seconds=a_step * (steps - 1))
    job: Job = JobFactory(
        owner=owner, dataset_version=version, state=JobState.SUCCEEDED, total_steps=steps, completed_steps=steps
    )
    job.started, job.first_step_at, job.last_step_at = began, first, last
    job.finished = last + timedelta(seconds=around / 2)
    job.save()
    return job


def foretold(user: User, *, epochs: int = 5, examples: int = 15) -> Estimate:
    version = DatasetFactory(owner=user, pairs=examples).latest
    recipe = Recipe(epoch_count=epochs, batch_size=4, learning_rate=0.001)
    return estimate(version, Connection.objects.local(), BASE, recipe, user)


def test_first_guess_is_wide(alice: User) -> None:
    found = foretold(alice)
    assert (found.steps, found.measured) == (19, 0)
    assert found.low < found.seconds / 2
    assert found.high > 2 * found.seconds


def test_start_does_not_grow_with_the_job(alice: User) -> None:
    done(alice, a_step=0.1, around=6)
    found = foretold(alice, epochs=50)
    assert found.steps == 188
    assert found.seconds == pytest.approx(6 + 188 * 0.1, rel=0.05)


def test_range_is_where_half_of_the_earlier_jobs_lie(alice: User) -> None:
    for pace in (0.1, 0.2, 0.3, 0.4, 0.5):
        done(alice, a_step=pace, around=2)
    found = foretold(alice)
    assert found.measured == 5
    assert (found.low, found.seconds, found.high) == pytest.approx((2 + 19 * 0.2, 2 + 19 * 0.3, 2 + 19 * 0.4), rel=0.05)


@pytest.mark.parametrize("said", [[10.0], [10.0, 12.0], [10.0, 11.0, 12.0]])
def test_range_of_few_is_wider_than_they_are(said: list[float]) -> None:
    middle, low, high = between(said)
    assert low < min(said) <= middle <= max(said) < high


def test_jobs_of_other_base_models_tell_nothing(alice: User) -> None:
    job = done(alice, a_step=9, around=9)
    job.base_model = "models/large"
    job.save()
    assert not foretold(alice).calibrated


def test_job_without_a_single_step_breaks_nothing(alice: User) -> None:
    now = timezone.now()
    JobFactory(owner=alice, state=JobState.SUCCEEDED, total_steps=0, started=now, finished=now)
    assert foretold(alice).seconds > 0


def test_queue_counts_turns_and_not_jobs(alice: User) -> None:
    assert foretold(alice).ahead == 0
    JobFactory(owner=alice)
    JobFactory.create_batch(5, owner=JobFactory(state=JobState.RUNNING).owner)
    found = foretold(alice)
    assert (found.ahead, found.wait) == (1 + 1 + 2, None)  # mine, the one that runs, and two of the other's turns


def test_wait_is_what_is_left_of_those_before(alice: User) -> None:
    JobFactory(owner=alice, estimate={"seconds": 30})
    JobFactory(state=JobState.RUNNING, estimate={"seconds": 40}, completed_steps=5, total_steps=20)
    assert foretold(alice).wait == 30 + 30


def test_cost_is_told_where_a_price_is_known(alice: User, settings: Settings) -> None:
    assert foretold(alice).cost is None
    settings.PRICES = {"local": 8.0}
    version = DatasetFactory(owner=alice, pairs=15).latest
    characters = sum(len(example.text_input) + len(example.output) for example in version.preview())
    found = foretold(alice)
    assert found.cost == pytest.approx(8.0 * 5 * characters / 4 / 1_000_000)
    settings.PRICES |= {f"local/{BASE}": 0.0}
    assert foretold(alice).cost == 0


def test_estimate_is_quick_however_many_jobs_there_are(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        done(alice, a_step=0.1, around=2)
    JobFactory.create_batch(10, owner=alice)
    version, connection = DatasetFactory(owner=alice).latest, Connection.objects.local()
    recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001)
    with django_assert_max_num_queries(3):
        estimate(version, connection, BASE, recipe, alice)


def test_page_of_a_job_tells_both(browser: Client, alice: User) -> None:
    job = done(alice, a_step=1, around=0)
    assert "estimated" not in browser.get(f"/jobs/{job.pk}/").text
    job.estimate = foretold(alice).as_kept() | {"low": 17.2, "high": 25.4}
    job.save()
    page = browser.get(f"/jobs/{job.pk}/").text
    assert "19 s" in page
    assert "estimated 17–25 s" in page


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (17.2, 25.4, "17–25 s"),
        (17, 17.2, "17 s"),
        (50, 80, "50 s – 1 min 20 s"),
        (395, 712, "7–12 min"),
        (330, 345, "6 min"),
        (4_000, 9_000, "1 h 6 min – 2 h 30 min"),
    ],
)
def test_range_is_written_no_more_exactly_than_it_is_known(low: float, high: float, said: str) -> None:
    assert spans(low, high) == said
