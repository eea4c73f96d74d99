"""What a job finds out on held-out examples, as its claim stores it."""

from datetime import UTC, datetime

import pytest

from tests.tuning.server.test_queue import claimed, make_job, point
from tuning.engine import Sampled, Validated
from tuning.recipes import Recipe, Schedule
from tuning.server import findings
from tuning.server.models import Job
from tuning.server.queue import Claim

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def validated(step: int, loss: float, *, best: bool = True) -> Validated:
    return Validated(step=step, epoch=step // 3, mean_loss=loss, compute_time=NOON, best=best)


def sampled(step: int, answer: str, row: int = 1) -> Sampled:
    return Sampled(step=step, epoch=step // 3, row=row, prompt="7", expected="8", answer=answer)


def running(steps: int = 9) -> Claim:
    make_job(validation_count=2)
    claim = claimed()
    claim.record([point(step) for step in range(1, steps + 1)])
    claim.job.refresh_from_db()
    return claim


def losses(job: Job) -> list[tuple[int, float | None]]:
    return list(job.validation().values_list("step", "loss"))


def answers(job: Job) -> list[tuple[int, str, str]]:
    rows = findings.SampleAnswer.objects.filter(prompt__job=job)
    return list(rows.values_list("step", "prompt__expected", "answer"))


def test_told_twice_is_stored_once() -> None:
    claim = running()
    for _ in range(2):
        claim.validated([validated(3, 0.5), validated(6, 0.25)])
        claim.sampled([sampled(3, "9"), sampled(6, "8")])
    assert losses(claim.job) == [(3, 0.5), (6, 0.25)]
    assert answers(claim.job) == [(3, "8", "9"), (6, "8", "8")]


def test_best_is_the_last_that_was_the_lowest() -> None:
    claim = running()
    claim.validated([validated(3, 0.5), validated(6, 0.25), validated(9, 0.75, best=False)])
    best = claim.job.best()
    assert best is not None
    assert (best.step, best.loss) == (6, 0.25)


def test_loss_that_is_no_number_is_told_as_none() -> None:
    claim = running()
    claim.validated([validated(3, float("nan"), best=False)])
    assert losses(claim.job) == [(3, None)]
    assert claim.job.best() is None


def test_cut_forgets_what_came_after() -> None:
    claim = running()
    claim.validated([validated(3, 0.5), validated(6, 0.25)])
    claim.sampled([sampled(3, "9"), sampled(6, "8")])
    findings.cut_after(claim.job, 3)
    assert losses(claim.job) == [(3, 0.5)]
    assert answers(claim.job) == [(3, "8", "9")]


def test_findings_after_the_steps_made_so_far_are_not_shown() -> None:
    claim = running(steps=3)
    claim.validated([validated(3, 0.5), validated(6, 0.25)])
    assert losses(claim.job) == [(3, 0.5)]


def test_job_of_old_has_the_recipe_that_was_then_the_only_one() -> None:
    assert make_job().recipe == Recipe(epoch_count=1, batch_size=1, learning_rate=1e-3)


def test_recipe_is_what_was_stored() -> None:
    job = make_job(more_recipe={"rank": 16, "schedule": "cosine", "validation": 0.1})
    job.refresh_from_db()
    assert (job.recipe.rank, job.recipe.schedule, job.recipe.validation) == (16, Schedule.COSINE, 0.1)
