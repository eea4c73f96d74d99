"""What the worker does: every example asked once, whatever comes between, and faults told apart."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.evaluations import asking, tasks
from dashboard.evaluations.models import PAUSES, Answer, Evaluation, State
from dashboard.evaluations.starting import Plan, start
from dashboard.library.models import Grant, Role, TunedModel
from tests.dashboard.evaluations.conftest import Counter, Reply, count, refuses, says
from tests.factories import DatasetFactory, TunedModelFactory, UserFactory
from tests.processes import free_port
from tuning.errors import Exhausted

pytestmark = pytest.mark.django_db


def begun(model: TunedModel, by: User | None = None, **plan: object) -> Evaluation:
    said = {"version": model.dataset_version, "examples": 100, "max_output_tokens": 32}
    return start(by or model.owner, model, Plan(**said | plan))  # type: ignore[arg-type]


def worked_off(evaluation: Evaluation) -> Evaluation:
    """What the worker makes of it, in as many turns as it has."""
    while asking.next_turn():
        pass
    evaluation.refresh_from_db()
    return evaluation


def come_round(evaluation: Evaluation) -> Evaluation:
    """The next try, as if its time had come."""
    Evaluation.objects.filter(pk=evaluation.pk).update(next_try=timezone.now())
    return worked_off(evaluation)


def test_every_example_is_asked_once_at_temperature_0(model: TunedModel, counter: Counter) -> None:
    evaluation = worked_off(begun(model))
    assert (evaluation.state, evaluation.answered, evaluation.exact) == (State.DONE, 15, 15)
    assert sorted(counter.prompts, key=int) == [str(number) for number in range(15)]
    assert {path.partition(":")[0] for path in counter.paths} == {f"/v1beta/{model.name}"}
    for body in counter.asked:
        assert body["generationConfig"] == {"temperature": 0, "maxOutputTokens": 32}
    assert evaluation.similarity == 1
    model.refresh_from_db()
    assert model.last_match == 1


def test_scores_are_of_what_was_answered(model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda prompt: says("five." if prompt == "4" else f"{int(prompt) + 1}!" if prompt == "5" else "1")
    evaluation = worked_off(begun(model, examples=10))
    assert (evaluation.total, evaluation.answered, evaluation.exact, evaluation.normalised) == (10, 10, 1, 2)
    assert evaluation.as_expected.value == 0.1
    assert evaluation.answers.get(row=6).text == "6!"


def test_base_model_is_asked_besides(model: TunedModel, counter: Counter) -> None:
    begun(model, with_base=True, examples=4)
    while asking.next_turn():
        pass
    tuned, base = Evaluation.objects.order_by("baseline")
    assert (tuned.state, base.state, base.baseline) == (State.DONE, State.DONE, True)
    assert {path.partition(":")[0] for path in counter.paths} == {f"/v1beta/{model.name}", "/v1beta/models/tiny-llama"}
    assert (tuned.in_training, base.in_training) == (True, False)


def test_refused_example_is_kept_with_its_reason_and_the_rest_goes_on(model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda prompt: refuses(400, "INVALID_ARGUMENT") if prompt == "3" else count(prompt)
    evaluation = worked_off(begun(model))
    assert (evaluation.state, evaluation.answered, evaluation.failed) == (State.DONE, 14, 1)
    refused = evaluation.answers.exclude(problem="").get()
    assert (refused.row, refused.problem, refused.detail) == (4, "invalid_request", "said the service")
    assert evaluation.as_expected.value == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refuses(401, "UNAUTHENTICATED"), "unauthenticated"),
        (refuses(403, "PERMISSION_DENIED"), "permission_denied"),
        (refuses(404, "NOT_FOUND"), "not_found"),
        (refuses(501, "UNIMPLEMENTED"), "unimplemented"),
    ],
)
def test_refusal_of_the_whole_ends_it_and_it_goes_on_from_there(
    model: TunedModel, counter: Counter, reply: Reply, code: str
) -> None:
    counter.reply = lambda prompt: reply if int(prompt) > 5 else count(prompt)
    evaluation = worked_off(begun(model))
    assert (evaluation.state, evaluation.trouble["code"]) == (State.FAILED, code)
    had = evaluation.answered
    assert had >= 4
    counter.reply, before = count, len(counter.asked)
    assert evaluation.go_on()
    assert worked_off(evaluation).state == State.DONE
    assert (evaluation.exact, len(counter.asked) - before) == (15, 15 - had)


def test_busy_service_is_asked_again_later_and_not_before(model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda _prompt: refuses(503, "UNAVAILABLE")
    evaluation = worked_off(begun(model))
    assert (evaluation.state, evaluation.tries, evaluation.trouble["code"]) == (State.RUNNING, 1, "unavailable")
    assert evaluation.next_try > timezone.now() + timedelta(seconds=PAUSES[0] - 2)
    before = len(counter.asked)
    worked_off(evaluation)
    assert len(counter.asked) == before
    counter.reply = count
    assert come_round(evaluation).state == State.DONE
    assert (evaluation.tries, evaluation.trouble, evaluation.exact) == (0, {}, 15)


def test_service_that_never_answers_ends_it_at_last(model: TunedModel, settings: Settings) -> None:
    settings.TUNING_SERVER_URL = f"http://127.0.0.1:{free_port()}"
    evaluation = begun(model)
    for _ in range(len(PAUSES) + 1):
        assert come_round(evaluation).answered == 0
    assert (evaluation.state, evaluation.trouble["code"]) == (State.FAILED, "unreachable")


def test_example_that_alone_is_never_answered_in_time_is_left_out(model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda prompt: (200, {"candidates": 1}) if prompt == "3" else count(prompt)  # cannot be read
    evaluation = worked_off(begun(model))
    for _ in range(len(PAUSES)):
        assert come_round(evaluation).state == State.RUNNING or evaluation.tries == 0
    assert (evaluation.state, evaluation.exact, evaluation.failed) == (State.DONE, 14, 1)
    assert evaluation.answers.get(row=4).problem == "bad_answer"


def test_killed_turn_is_taken_up_again_and_no_answer_is_counted_twice(model: TunedModel, counter: Counter) -> None:
    evaluation = begun(model)
    assert Evaluation.objects.claim(evaluation)  # by a worker that is killed after two answers
    for row in (1, 2):
        Answer(evaluation=evaluation, row=row, text="x", similarity=0.0).keep()
    assert not asking.next_turn()  # as long as the other might live
    Evaluation.objects.update(leased_until=timezone.now())
    worked_off(evaluation)
    assert (evaluation.state, evaluation.answered, evaluation.exact) == (State.DONE, 15, 13)
    assert len(counter.asked) == 13


def test_answer_that_comes_twice_counts_once(model: TunedModel) -> None:
    evaluation = begun(model)
    outcome = asking.Outcome(0.1, told=asking.Told(text="1", finish_reason="STOP"))
    example = evaluation.dataset_version.preview(0, 1)[0]
    assert asking._kept(evaluation, 1, example, outcome)
    assert asking._kept(evaluation, 1, example, outcome)
    evaluation.refresh_from_db()
    assert (evaluation.answered, evaluation.exact, evaluation.answers.count()) == (1, 1, 1)


def test_stopped_evaluation_asks_no_more_and_takes_no_answer(model: TunedModel, counter: Counter) -> None:
    evaluation = begun(model)
    assert asking.next_turn()
    assert evaluation.end(State.STOPPED)
    assert not Answer(evaluation=evaluation, row=15, similarity=1.0).keep()
    assert worked_off(evaluation).state == State.STOPPED
    assert evaluation.answered == asking.AT_ONCE == len(counter.asked)
    model.refresh_from_db()
    assert model.last_match is None


def test_evaluations_take_turns(alice: User, model: TunedModel, counter: Counter) -> None:
    other = TunedModelFactory(owner=alice)
    first, second = begun(model), begun(other)
    for _ in range(4):
        assert asking.next_turn()
    for evaluation in (first, second):
        evaluation.refresh_from_db()
        assert evaluation.answered == 8


def test_one_evaluation_of_a_model_at_once(model: TunedModel, counter: Counter) -> None:
    evaluation = begun(model)
    with pytest.raises(Exhausted, match="evaluation_under_way"):
        begun(model)
    worked_off(evaluation)
    begun(model)


def test_who_lost_the_model_or_the_examples_asks_no_more(model: TunedModel, counter: Counter) -> None:
    bob = UserFactory()
    grant = Grant.objects.create(model=model, person=bob, role=Role.READER)
    version = DatasetFactory(owner=bob, pairs=4).latest
    evaluation = begun(model, bob, version=version)
    grant.delete()
    assert worked_off(evaluation).state == State.FAILED
    assert not counter.asked


def test_nobody_is_asked_for_who_is_inactive_or_while_the_model_is_in_the_bin(
    model: TunedModel, counter: Counter
) -> None:
    evaluation = begun(model)
    TunedModel.objects.update(removed=timezone.now())
    assert worked_off(evaluation).answered == 0
    TunedModel.objects.update(removed=None)
    User.objects.update(is_active=False)
    assert worked_off(evaluation).answered == 0
    User.objects.update(is_active=True)
    assert worked_off(evaluation).state == State.DONE


def test_deleted_examples_take_the_answers_along_and_leave_the_scores(model: TunedModel, counter: Counter) -> None:
    dataset = DatasetFactory(owner=model.owner, name="Others", pairs=4)
    evaluation = worked_off(begun(model, version=dataset.latest))
    under_way = begun(model, version=dataset.latest)
    dataset.delete()
    evaluation.refresh_from_db()
    under_way.refresh_from_db()
    assert (evaluation.dataset_version, evaluation.examples_of, evaluation.exact) == (None, "Others v1", 4)
    assert (under_way.state, under_way.trouble["code"]) == (State.STOPPED, "examples_gone")
    assert not Answer.objects.exists()


def test_strange_answers_are_stored_as_a_database_takes_them(model: TunedModel, counter: Counter) -> None:
    counter.reply = lambda _prompt: says("a\0b")
    evaluation = worked_off(begun(model, examples=1))
    assert evaluation.answers.get().text == "a\N{REPLACEMENT CHARACTER}b"


def test_breakdown_ends_it_without_a_word_of_the_examples(
    model: TunedModel, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    evaluation = begun(model)
    evaluation.dataset_version.path.write_bytes(b'{"secret text"')
    assert worked_off(evaluation).trouble["code"] == "evaluation_broke"
    assert "broke down" in caplog.text
    assert "secret" not in caplog.text


def test_sweep_has_what_is_due_be_asked(model: TunedModel, counter: Counter, settings: Settings) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    evaluation = begun(model)
    tasks.sweep.call_local()
    evaluation.refresh_from_db()
    assert evaluation.state == State.DONE
