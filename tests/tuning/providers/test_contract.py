"""What :class:`tuning.providers.base.Provider` promises, held against every kind of service that can be connected.

A kind that is new in ``PROVIDERS`` needs a running service in ``SERVICES``; the tests are there already.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests import tiny_llama
from tests.processes import tuning_server, wait_until
from tuning import datasets
from tuning.errors import NotFound, PermissionDenied, ServiceError, Unauthenticated, Unavailable, Unreachable
from tuning.jobs import JobState
from tuning.providers import (
    PROVIDERS,
    ConnectionSettings,
    Identity,
    JobRef,
    JobSpec,
    Prompt,
    Provider,
    open_provider,
)
from tuning.recipes import Recipe
from tuning.resources import Example

pytestmark = pytest.mark.engine

ADA = Identity(email="ada@example.com", teams=("engines",))
BOB = Identity(email="bob@example.com")
BASE = f"models/{tiny_llama.NAME}"
NUMBERS = [Example(text_input=str(number), output=str(number + 1)) for number in range(15)]
NO_JOB = JobRef("tunedModels/nobody/operations/nothing")


@contextmanager
def local(folder: Path) -> Iterator[ConnectionSettings]:
    with tuning_server(folder) as server:
        yield ConnectionSettings(base_url=server.url, secret=server.secret)


SERVICES: dict[str, Callable[[Path], AbstractContextManager[ConnectionSettings]]] = {"local": local}
"""A real service of each kind, running over the tiny Llama."""

OPERATIONS: dict[str, Callable[[Provider, JobSpec], object]] = {
    "base_models": lambda provider, spec: provider.base_models(),
    "create": lambda provider, spec: provider.create(spec),
    "status": lambda provider, spec: provider.status(NO_JOB),
    "points": lambda provider, spec: provider.points(NO_JOB),
    "refresh": lambda provider, spec: provider.refresh(NO_JOB),
    "cancel": lambda provider, spec: provider.cancel(NO_JOB),
    "delete": lambda provider, spec: provider.delete(NO_JOB),
    "generate": lambda provider, spec: provider.generate(BASE, Prompt(text="1")),
}


@pytest.fixture(scope="module", params=PROVIDERS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def settings(kind, tmp_path_factory) -> Iterator[ConnectionSettings]:
    with SERVICES[kind](tmp_path_factory.mktemp(kind)) as running:
        yield running


@pytest.fixture(scope="module")
def ada(kind, settings) -> Provider:
    return open_provider(kind, settings, ADA)


@pytest.fixture(scope="module")
def bob(kind, settings) -> Provider:
    return open_provider(kind, settings, BOB)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / "numbers.jsonl"
    datasets.from_examples(NUMBERS).write_jsonl(path)
    return path


def job(dataset: Path, key: str, *, epochs: int = 5, batch: int = 4) -> JobSpec:
    return JobSpec(
        key=key,
        display_name="Numbers",
        base_model=BASE,
        dataset=dataset,
        recipe=Recipe(epoch_count=epochs, batch_size=batch, learning_rate=0.001),
    )


def ended(provider: Provider, ref: JobRef) -> bool:
    return provider.status(ref).state.is_final


@pytest.fixture(scope="module")
def tuned(ada, dataset) -> JobRef:
    """A job that succeeded."""
    ref = ada.create(job(dataset, "tuned"))
    wait_until(lambda: ended(ada, ref))
    return ref


@pytest.fixture
def long_job(ada, dataset, request) -> Iterator[JobRef]:
    """A job that goes on for as long as a test needs it."""
    ref = ada.create(job(dataset, request.node.name, epochs=1000, batch=1))
    yield ref
    ada.delete(ref)


def test_base_models_are_offered_tunable_ones_first(ada):
    models = ada.base_models()
    assert BASE in [model.name for model in models if model.tunable]
    assert [model.tunable for model in models] == sorted((model.tunable for model in models), reverse=True)
    assert all(model.display_name and model.input_token_limit > 0 for model in models)


def test_a_job_runs_to_its_end_and_tells_when(ada, tuned):
    status = ada.status(tuned)
    assert status.state is JobState.SUCCEEDED
    assert status.model
    assert (status.completed_steps, status.total_steps, status.attempt) == (19, 19, 1)
    assert status.created <= status.started <= status.finished
    assert (status.queue_place, status.preparing, status.failure) == (None, None, None)


def test_points_come_in_order_one_a_step(ada, tuned):
    points = ada.points(tuned)
    assert [point.step for point in points] == list(range(1, 20))
    assert [point.epoch for point in points] == [step * 4 // 15 for step in range(1, 20)]
    assert points[-1].value < points[0].value
    assert [point.time for point in points] == sorted(point.time for point in points)


def test_points_after_a_step_are_those_that_follow_it(ada, tuned):
    assert ada.points(tuned, after=17) == ada.points(tuned)[17:]
    assert ada.points(tuned, after=19) == []


def test_a_refresh_is_status_and_points_at_once(ada, tuned):
    assert ada.refresh(tuned, after=5) == (ada.status(tuned), ada.points(tuned, after=5))


def test_points_can_be_seen_while_the_job_runs(ada, long_job):
    status, points = wait_until(lambda: (seen := ada.refresh(long_job))[1] and seen)
    assert status.state is JobState.RUNNING
    assert 0 < len(points) < status.total_steps == 15_000


def test_creating_twice_with_one_key_gives_one_job(ada, dataset, tuned):
    assert ada.create(job(dataset, "tuned")) == tuned
    other = ada.create(job(dataset, "another"))
    assert other != tuned
    ada.delete(other)


def test_jobs_that_wait_know_their_place(ada, dataset, long_job):
    wait_until(lambda: ada.status(long_job).state is JobState.RUNNING)
    waiting = ada.create(job(dataset, "waiting"))
    status = ada.status(waiting)
    assert (status.state, status.queue_place, status.started) == (JobState.QUEUED, 1, None)
    ada.delete(waiting)


def test_a_job_can_be_cancelled_while_it_runs(ada, long_job):
    if not ada.capabilities.cancel:
        pytest.skip("this service cannot cancel")
    wait_until(lambda: ada.points(long_job))
    ada.cancel(long_job)
    wait_until(lambda: ended(ada, long_job))
    assert ada.status(long_job).state is JobState.CANCELLED
    ada.cancel(long_job)


def test_cancelling_a_job_that_ended_changes_nothing(ada, tuned):
    ada.cancel(tuned)
    assert ada.status(tuned).state is JobState.SUCCEEDED


def test_a_tuned_and_a_base_model_answer(ada, tuned):
    for model in (ada.status(tuned).model, BASE):
        answer = asked(ada, model, Prompt(text="3", temperature=0, max_output_tokens=8))
        assert answer.finish_reason in {"STOP", "MAX_TOKENS"}
        assert answer.prompt_tokens > 0
        assert 0 <= answer.answer_tokens <= 8


def asked(provider: Provider, model: str, prompt: Prompt):
    """The answer, once the model is loaded."""

    def answer():
        with suppress(Unavailable):
            return provider.generate(model, prompt)

    return wait_until(answer)


def test_greedy_answers_are_the_same_each_time(ada, tuned):
    prompt = Prompt(text="7", temperature=0, max_output_tokens=8)
    model = ada.status(tuned).model
    assert asked(ada, model, prompt).text == asked(ada, model, prompt).text


def test_a_model_nobody_has_gives_no_answer(ada):
    with pytest.raises((NotFound, PermissionDenied)):
        ada.generate("tunedModels/nobody", Prompt(text="1"))


def test_somebody_elses_job_is_not_there(bob, tuned, ada):
    for look in (bob.status, bob.points, bob.refresh):
        with pytest.raises(NotFound):
            look(tuned)
    for change in (bob.cancel, bob.delete):
        with pytest.raises((NotFound, PermissionDenied)):
            change(tuned)
    with pytest.raises((NotFound, PermissionDenied)):
        bob.generate(ada.status(tuned).model, Prompt(text="1"))


def test_a_deleted_job_is_gone_and_may_be_deleted_again(ada, dataset):
    ref = ada.create(job(dataset, "deleted"))
    ada.delete(ref)
    with pytest.raises(NotFound):
        ada.status(ref)
    ada.delete(ref)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_service_that_is_not_there_is_named_so(kind, dataset, operation):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings = ConnectionSettings(base_url=f"http://127.0.0.1:{closed.getsockname()[1]}", secret="s" * 32)
        with pytest.raises(Unreachable):
            OPERATIONS[operation](open_provider(kind, settings, ADA), job(dataset, "unreachable"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_secret_is_refused(kind, settings, dataset, operation):
    forged = ConnectionSettings(base_url=settings.base_url, secret="wrong" * 8)
    with pytest.raises(Unauthenticated):
        OPERATIONS[operation](open_provider(kind, forged, ADA), job(dataset, "forged"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_service_errors_are_raised_for_what_is_not_there(ada, dataset, operation):
    with suppress(ServiceError):
        OPERATIONS[operation](ada, job(dataset, operation))
