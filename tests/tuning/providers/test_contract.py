"""What :class:`tuning.providers.base.Provider` promises, held against every kind of service that can be connected.

A kind that is new in ``PROVIDERS`` needs a running service in ``SERVICES``; the tests are there already. A method that
is new in a Protocol needs a line in ``OPERATIONS``.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests import tiny_llama
from tests.google.cloud import google_cloud
from tests.processes import tuning_server, wait_until
from tuning import datasets, providers
from tuning.errors import NotFound, PermissionDenied, ServiceError, Unauthenticated, Unavailable, Unreachable
from tuning.jobs import JobState
from tuning.providers import (
    PROVIDERS,
    Checker,
    ConnectionSettings,
    Editor,
    Export,
    Grantee,
    Identity,
    Importer,
    JobRef,
    JobSpec,
    Prompt,
    Provider,
    Queue,
    Role,
    Sharer,
    Streamer,
    open_provider,
)
from tuning.recipes import Recipe
from tuning.resources import Example

pytestmark = pytest.mark.engine

ADA = Identity(email="ada@example.com", teams=("engines",))
BOB = Identity(email="bob@example.com")
NO_JOB = JobRef("tunedModels/nobody/operations/nothing")
NUMBERS = [Example(text_input=str(number), output=str(number + 1)) for number in range(15)]


@dataclass(frozen=True)
class Service:
    """A running service. ``settings_of`` gives the settings by which it knows who asks, ``forged`` ones it refuses;
    ``base`` is a base model of it that can be tuned and asked, ``no_job`` and ``no_model`` are names of nothing.
    """

    settings_of: Callable[[Identity], ConnectionSettings]
    forged: ConnectionSettings
    base: str = f"models/{tiny_llama.NAME}"
    no_job: JobRef = NO_JOB
    no_model: str = "tunedModels/nobody"
    refusal: type[ServiceError] = NotFound
    """What a stranger is answered who asks for a job."""
    keeps_records: bool = False
    """Whether the record of a job outlives the job: then what was deleted is over and has no model."""


@contextmanager
def local(folder: Path) -> Iterator[Service]:
    with tuning_server(folder) as server:
        settings = ConnectionSettings(base_url=server.url, secret=server.secret)
        yield Service(lambda who: settings, replace(settings, secret="wrong" * 8))


@contextmanager
def gemini(folder: Path) -> Iterator[Service]:
    """A tuning server of ours, of whose own paths this provider knows nothing; a person is known by their API key."""
    with tuning_server(folder) as server:
        keys = {who: server.api_key(who.email) for who in (ADA, BOB)}
        settings = ConnectionSettings(base_url=server.url)
        yield Service(lambda who: replace(settings, secret=keys[who]), replace(settings, secret="wrong" * 8))


@contextmanager
def vertex(folder: Path) -> Iterator[Service]:
    """The strict stand-in for Google Cloud. It gets on a little whenever it is asked about a job."""
    with google_cloud() as cloud:
        cloud.vertex.hurry = 5
        cloud.strangers.add(BOB.email)
        tokens = {who: cloud.tokens.access(who.email) for who in (ADA, BOB)}
        where = ConnectionSettings(
            base_url=cloud.url, project=cloud.project, location=cloud.location, bucket=cloud.bucket
        )
        yield Service(
            lambda who: replace(where, token=lambda: tokens[who]),
            replace(where, token=lambda: "forged"),
            base="gemini-2.5-flash",
            no_job=JobRef(f"{cloud.parent}/tuningJobs/1"),
            no_model=f"{cloud.parent}/tuningJobs/1",
            refusal=PermissionDenied,
            keeps_records=True,
        )


SERVICES: dict[str, Callable[[Path], AbstractContextManager[Service]]] = {
    "local": local,
    "gemini": gemini,
    "vertex": vertex,
}
"""A real service of each kind, running over the tiny Llama; Google's own cannot be had."""

OPERATIONS: dict[str, Callable[[Any, JobSpec, Service], object]] = {
    "base_models": lambda provider, spec, service: provider.base_models(),
    "create": lambda provider, spec, service: provider.create(spec),
    "status": lambda provider, spec, service: provider.status(service.no_job),
    "points": lambda provider, spec, service: provider.points(service.no_job),
    "refresh": lambda provider, spec, service: provider.refresh(service.no_job),
    "cancel": lambda provider, spec, service: provider.cancel(service.no_job),
    "delete": lambda provider, spec, service: provider.delete(service.no_job),
    "generate": lambda provider, spec, service: provider.generate(spec.base_model, Prompt(text="1")),
    "stream": lambda provider, spec, service: list(provider.stream(spec.base_model, Prompt(text="1"))),
    "existing": lambda provider, spec, service: list(provider.existing()),
    "found": lambda provider, spec, service: provider.found(service.no_model),
    "permissions": lambda provider, spec, service: provider.permissions(service.no_model),
    "share": lambda provider, spec, service: provider.share(service.no_model, Grantee.EVERYONE, "", Role.READER),
    "change_role": lambda provider, spec, service: provider.change_role(
        f"{service.no_model}/permissions/1", Role.WRITER
    ),
    "unshare": lambda provider, spec, service: provider.unshare(f"{service.no_model}/permissions/1"),
    "transfer": lambda provider, spec, service: provider.transfer(service.no_model, "bob@example.com"),
    "presentation": lambda provider, spec, service: provider.presentation(service.no_model),
    "present": lambda provider, spec, service: provider.present(service.no_model, {"display_name": "Anew"}),
    "log": lambda provider, spec, service: provider.log(service.no_job),
    "samples": lambda provider, spec, service: provider.samples(service.no_job),
    "conditions": lambda provider, spec, service: provider.conditions(service.no_job),
    "export": lambda provider, spec, service: provider.export(service.no_job, Export.ADAPTER),
    "particulars": lambda provider, spec, service: provider.particulars(service.no_job),
    "tally": lambda provider, spec, service: provider.tally(spec.base_model, spec.dataset),
    "api_keys": lambda provider, spec, service: provider.api_keys(),
    "create_api_key": lambda provider, spec, service: provider.create_api_key("script"),
    "revoke_api_key": lambda provider, spec, service: provider.revoke_api_key("1"),
}
"""Each method of the Protocols, called as simply as it can be, mostly for what is not there."""
TELLS_WITHOUT_RAISING = {
    "check": "says what is wrong line by line",
    "training_data": "None where there is none",
    "link": "asks nobody",
    "deployment": "asks nobody",
}
ADMINISTRATORS = {"EngineRoom", "Keeper", "Queue", "Retrier", "UsageTeller"}
"""Protocols of machines of one's own; ``tests/tuning/server`` and the rooms of the dashboard hold them."""


@pytest.fixture(scope="module", params=PROVIDERS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def service(kind, tmp_path_factory) -> Iterator[Service]:
    with SERVICES[kind](tmp_path_factory.mktemp(kind)) as running:
        yield running


@pytest.fixture(scope="module")
def ada(kind, service) -> Any:
    return open_provider(kind, service.settings_of(ADA), ADA)


@pytest.fixture(scope="module")
def bob(kind, service) -> Any:
    return open_provider(kind, service.settings_of(BOB), BOB)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / "numbers.jsonl"
    datasets.from_examples(NUMBERS).write_jsonl(path)
    return path


@pytest.fixture(scope="module")
def job(service, dataset) -> Callable[..., JobSpec]:
    def described(key: str, *, epochs: int = 5, batch: int = 4) -> JobSpec:
        return JobSpec(
            key=key,
            display_name="Numbers",
            base_model=service.base,
            dataset=dataset,
            recipe=Recipe(epoch_count=epochs, batch_size=batch, learning_rate=0.001),
        )

    return described


def ended(provider: Provider, ref: JobRef) -> bool:
    return provider.status(ref).state.is_final


@pytest.fixture(scope="module")
def tuned(ada, job) -> JobRef:
    """A job that succeeded."""
    ref = ada.create(job("tuned"))
    wait_until(lambda: ended(ada, ref))
    return ref


def takes_batch_size(ada) -> bool:
    used = ada.capabilities.recipe
    return used is None or "batch_size" in used


@pytest.fixture
def long_job(ada, job, request) -> Iterator[JobRef]:
    """A job that goes on for as long as a test needs it."""
    ref = ada.create(job(request.node.name, epochs=1000, batch=1))
    yield ref
    ada.delete(ref)


def test_base_models_are_offered_tunable_ones_first(ada, service):
    models = ada.base_models()
    assert service.base in [model.name for model in models if model.tunable]
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
    if takes_batch_size(ada):
        assert [point.epoch for point in points] == [step * 4 // 15 for step in range(1, 20)]
    assert [point.epoch for point in points] == sorted(point.epoch for point in points)
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
    assert 0 < len(points) < status.total_steps
    assert status.total_steps == (15_000 if takes_batch_size(ada) else 3_750)


def test_creating_twice_with_one_key_gives_one_job(ada, job, tuned):
    assert ada.create(job("tuned")) == tuned
    other = ada.create(job("another"))
    assert other != tuned
    ada.delete(other)


def test_jobs_that_wait_know_their_place(ada, job, long_job):
    wait_until(lambda: ada.status(long_job).state is JobState.RUNNING)
    waiting = ada.create(job("waiting"))
    status = ada.status(waiting)
    assert (status.state, status.started) == (JobState.QUEUED, None)
    assert status.queue_place == (1 if isinstance(ada, Queue) else None)
    ada.delete(waiting)


def test_a_job_can_be_cancelled_while_it_runs(ada, long_job):
    if not ada.capabilities.cancel:
        return
    wait_until(lambda: ada.points(long_job))
    ada.cancel(long_job)
    wait_until(lambda: ended(ada, long_job))
    assert ada.status(long_job).state is JobState.CANCELLED
    ada.cancel(long_job)


def test_cancelling_a_job_that_ended_changes_nothing(ada, tuned):
    ada.cancel(tuned)
    assert ada.status(tuned).state is JobState.SUCCEEDED


def test_a_tuned_and_a_base_model_answer(ada, service, tuned):
    for model in (ada.status(tuned).model, service.base):
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


def test_an_answer_can_be_read_while_it_is_made(ada, tuned):
    if not isinstance(ada, Streamer):
        return
    assert ada.capabilities.streaming
    model, prompt = ada.status(tuned).model, Prompt(text="7", temperature=0, max_output_tokens=8)
    whole = asked(ada, model, prompt)
    pieces = list(ada.stream(model, prompt))
    assert "".join(piece.text for piece in pieces) == whole.text
    assert pieces[-1].finish_reason == whole.finish_reason
    assert (pieces[-1].prompt_tokens, pieces[-1].answer_tokens) == (whole.prompt_tokens, whole.answer_tokens)


def test_greedy_answers_are_the_same_each_time(ada, tuned):
    prompt = Prompt(text="7", temperature=0, max_output_tokens=8)
    model = ada.status(tuned).model
    assert asked(ada, model, prompt).text == asked(ada, model, prompt).text


def test_a_model_nobody_has_gives_no_answer(ada):
    with pytest.raises((NotFound, PermissionDenied)):
        ada.generate("tunedModels/nobody", Prompt(text="1"))


def test_somebody_elses_job_is_not_there(bob, tuned, ada, service):
    for look in (bob.status, bob.points, bob.refresh):
        with pytest.raises(service.refusal):
            look(tuned)
    for change in (bob.cancel, bob.delete):
        with pytest.raises((NotFound, PermissionDenied)):
            change(tuned)
    with pytest.raises((NotFound, PermissionDenied)):
        bob.generate(ada.status(tuned).model, Prompt(text="1"))


def test_a_deleted_job_is_gone_and_may_be_deleted_again(ada, job, service):
    ref = ada.create(job("deleted"))
    ada.delete(ref)
    if service.keeps_records:
        status = ada.status(ref)
        assert (status.state, status.model) == (JobState.CANCELLED, "")
    else:
        with pytest.raises(NotFound):
            ada.status(ref)
    ada.delete(ref)


def test_a_job_that_is_there_can_be_brought_in_with_its_curve(ada, bob, service, tuned):
    if not isinstance(ada, Importer):
        return
    model = next(one.model for one in ada.existing() if one.state is JobState.SUCCEEDED)
    found = ada.found(model)
    assert (found.ref, found.status, found.points) == (tuned, ada.status(tuned), ada.points(tuned))
    assert (found.job.display_name, found.job.base_model) == ("Numbers", service.base)
    assert (found.recipe.epoch_count, found.recipe.batch_size, found.recipe.learning_rate) == (5, 4, 0.001)
    assert found.examples == 15
    with suppress(PermissionDenied):
        assert model not in [one.model for one in bob.existing()]
    with pytest.raises(service.refusal):
        bob.found(model)


def test_a_model_is_shared_and_no_longer(ada, bob, tuned):
    if not isinstance(ada, Sharer):
        return
    assert ada.capabilities.permissions
    model = ada.status(tuned).model
    given = ada.share(model, Grantee.PERSON, BOB.email, Role.READER)
    assert {(one.address, one.role) for one in ada.permissions(model)} == {
        (ADA.email, Role.OWNER),
        (BOB.email, Role.READER),
    }
    assert bob.status(tuned).state is JobState.SUCCEEDED
    assert ada.change_role(given.ref, Role.WRITER).role is Role.WRITER
    ada.unshare(given.ref)
    ada.unshare(given.ref)
    with pytest.raises(NotFound):
        bob.status(tuned)


def test_a_model_is_presented_anew_and_otherwise_as_it_was(ada, tuned):
    if not isinstance(ada, Editor):
        return
    model = ada.status(tuned).model
    before = ada.presentation(model)
    changed = ada.present(model, {"display_name": "Anew", "temperature": 0.5})
    assert changed == ada.presentation(model) == replace(before, display_name="Anew", temperature=0.5)
    assert ada.present(model, {"display_name": before.display_name, "temperature": None}) == before


def test_a_service_that_works_is_said_to(ada):
    if not isinstance(ada, Checker):
        return
    checks = ada.check()
    assert checks
    assert all(check.ok for check in checks)


def test_what_is_wrong_with_a_connection_is_a_check_that_is_not_ok(kind, service):
    for settings in (service.forged, replace(service.forged, base_url=nobody_there())):
        provider = open_provider(kind, settings, ADA)
        if isinstance(provider, Checker):
            assert not all(check.ok for check in provider.check())


def methods(protocol: type) -> set[str]:
    return {name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")}


def test_every_method_of_the_protocols_is_walked():
    optional = {name: one for name, one in vars(providers).items() if getattr(one, "_is_protocol", False)}
    walked = [Provider, *(one for name, one in optional.items() if name not in {*ADMINISTRATORS, "ProviderFactory"})]
    known = OPERATIONS.keys() | TELLS_WITHOUT_RAISING.keys()
    assert {name for one in walked for name in methods(one)} == known


def nobody_there() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


# A service need not have every method; of those it has, each is walked. (What is left out fails in CI, so that these
# tests skip nothing.)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_service_that_is_not_there_is_named_so(kind, service, job, operation):
    provider = open_provider(kind, replace(service.settings_of(ADA), base_url=nobody_there()), ADA)
    if hasattr(provider, operation):
        with pytest.raises(Unreachable):
            OPERATIONS[operation](provider, job("unreachable"), service)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_forged_credentials_are_refused(kind, service, job, operation):
    provider = open_provider(kind, service.forged, ADA)
    if hasattr(provider, operation):
        with pytest.raises(Unauthenticated):
            OPERATIONS[operation](provider, job("forged"), service)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_service_errors_are_raised_for_what_is_not_there(ada, service, job, operation):
    if hasattr(ada, operation):
        with suppress(ServiceError):
            OPERATIONS[operation](ada, job(operation), service)
