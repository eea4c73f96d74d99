"""A turn of an evaluation: the next few examples, asked at once, each answer stored as it comes."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError, connection

from dashboard.datasets.models import Dataset
from dashboard.evaluations.models import DETAIL, LONGEST_ANSWER, PAUSES, Answer, Evaluation, State
from dashboard.evaluations.scoring import score
from dashboard.library import uses
from dashboard.messages import code_of
from tuning import datasets
from tuning.datasets import Example
from tuning.errors import (
    BadAnswer,
    Exhausted,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    ServiceError,
    TimedOut,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from tuning.providers import Answer as Told
from tuning.providers import Prompt, Provider

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Questions: the local server answers so many together, and lets a person have eight."""
FINAL = (Unauthenticated, PermissionDenied, NotFound, FailedPrecondition, Unimplemented)
"""What says nothing of one example, and would be answered to all."""
LATER = (Unavailable, Exhausted)
"""What may be answered otherwise in a while."""
OF_ONE = (TimedOut, BadAnswer)
"""Of those, what one example alone may bring about."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question."""

    seconds: float
    told: Told | None = None
    error: ServiceError | None = None


def next_turn() -> bool:
    """Take the turn of the evaluation that has waited longest. False where nobody waits."""
    waiting = Evaluation.objects.due().select_related("model__connection", "by", "dataset_version")
    evaluation = waiting.order_by("turn", "pk").first()
    if evaluation is None:
        return False
    if Evaluation.objects.claim(evaluation):
        try:
            take_turn(evaluation)
        except Exception as error:  # whose words may hold texts of examples
            logger.error("evaluation %s broke down: %s", evaluation.pk, type(error).__name__)
            evaluation.end(State.FAILED, ServiceError("evaluation_broke"))
    return True


def take_turn(evaluation: Evaluation) -> None:
    """Ask the next examples; then it rests, is put off, or is at its end."""
    if not _is_allowed(evaluation):
        evaluation.end(State.FAILED, PermissionDenied())
        return
    examples = _next_examples(evaluation)
    if not examples:
        evaluation.end(State.DONE)
        return
    errors = dict[int, ServiceError]()
    for row, outcome in _asked(evaluation, examples):
        if isinstance(outcome.error, FINAL + LATER):
            errors[row] = outcome.error
        elif not _kept(evaluation, row, examples[row], outcome):
            return
    _settle(evaluation, errors, progress=len(errors) < len(examples))


def _settle(evaluation: Evaluation, errors: dict[int, ServiceError], *, progress: bool) -> None:
    """``errors`` are of the examples that were not answered, and may be yet."""
    final = next((error for error in errors.values() if isinstance(error, FINAL)), None)
    if final:
        evaluation.end(State.FAILED, final)
    elif progress:
        if not evaluation.baseline:
            uses.note(evaluation.model.connection, evaluation.model.name)
        evaluation.rest()
    elif _give_up(evaluation, errors):
        evaluation.rest()
    else:
        evaluation.put_off(max(errors.values(), key=lambda error: error.retry_after or 0))


def _give_up(evaluation: Evaluation, errors: dict[int, ServiceError]) -> bool:
    """Whether these examples are left unanswered for good: others were answered, these never in time."""
    hopeless = evaluation.answered and evaluation.tries >= len(PAUSES)
    if not hopeless or not all(isinstance(error, OF_ONE) for error in errors.values()):
        return False
    for row, error in errors.items():
        _kept(evaluation, row, Example(text_input="", output=""), Outcome(0.0, error=error))
    return True


def _is_allowed(evaluation: Evaluation) -> bool:
    """Whether model and examples are still there for whoever began it."""
    version, user = evaluation.dataset_version, evaluation.by
    if version is None or user is None or evaluation.model.role_of(user) is None:
        return False
    return Dataset.objects.visible_to(user).filter(pk=version.dataset_id).exists()


def _next_examples(evaluation: Evaluation) -> dict[int, Example]:
    """By their rows."""
    rows = evaluation.rows_to_ask(AT_ONCE)
    version = evaluation.dataset_version
    return datasets.read_rows(version.path, rows) if version and rows else {}


def _asked(evaluation: Evaluation, examples: dict[int, Example]) -> Iterator[tuple[int, Outcome]]:
    """What came of each question, as the answers come."""
    assert evaluation.by
    service = evaluation.model.connection
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {
            pool.submit(_ask, service.open_for(evaluation.by), evaluation.name, _prompt(evaluation, example)): row
            for row, example in examples.items()
        }
        for answer in as_completed(asked):
            yield asked[answer], answer.result()


def _ask(provider: Provider, model: str, prompt: Prompt) -> Outcome:
    begun = time.monotonic()
    try:
        told = provider.generate(model, prompt)
        return Outcome(time.monotonic() - begun, told)
    except ServiceError as error:
        return Outcome(time.monotonic() - begun, error=error)
    finally:
        connection.close()  # this thread's own: an access token may have been read


def _prompt(evaluation: Evaluation, example: Example) -> Prompt:
    return Prompt(text=example.text_input, temperature=0.0, max_output_tokens=evaluation.max_output_tokens)


def _kept(evaluation: Evaluation, row: int, example: Example, outcome: Outcome) -> bool:
    """Whether the evaluation goes on, with this answer or, where somebody else was quicker, with theirs."""
    answer = Answer(evaluation=evaluation, row=row, seconds=outcome.seconds)
    if outcome.told:
        scored = score(example.output, outcome.told.text)
        answer.text, answer.finish_reason = _storable(outcome.told.text), outcome.told.finish_reason[:40]
        answer.exact, answer.normalised, answer.similarity = scored.exact, scored.normalised, scored.similarity
    elif outcome.error:
        answer.problem, answer.detail = code_of(outcome.error), _storable(outcome.error.detail)[:DETAIL]
    with suppress(IntegrityError):
        return answer.keep()
    return True


def _storable(text: str) -> str:
    """As every database takes it: without NUL and halves of surrogate pairs, and not without end."""
    return text[:LONGEST_ANSWER].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
