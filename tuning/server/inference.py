"""Asking the inference child, no more at once than leave threads for what is quick, and others their turn."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Condition
from time import monotonic

from django.conf import settings

from tuning.engine import AnswerSpec, CountSpec, Ending, EngineAnswer, Piece, Tally, TallySpec
from tuning.engine.answering import answers
from tuning.errors import TimedOut, Unavailable
from tuning.server.models import InferenceChild

PLACES, PLACES_EACH = 12, 8
"""Requests of this process, and of one person, that may wait for answers at once: threads stay free for what is
quick, and places for others. Eight questions at once fill a batch of the inference child's.
"""
PATIENCE_SECONDS = 2.0
"""How long a request waits for a place; then the caller is told to come again."""
COUNTING_SECONDS = 10.0
COUNTING = ""
"""Stands for whoever has a dataset's tokens counted."""


class Places:
    """Places that people take and leave; safe for use by many threads."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._changed = Condition()

    @contextmanager
    def of(self, person: str) -> Iterator[None]:
        """A place of ``person``'s. Raises ``Unavailable("overloaded")``."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free_for(person), PATIENCE_SECONDS):
                raise Unavailable("overloaded")
            self._taken[person] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[person] -= 1
                self._taken += Counter()  # forgets who has none
                self._changed.notify_all()

    def _is_free_for(self, person: str) -> bool:
        return self._taken.total() < PLACES and self._taken[person] < PLACES_EACH


PLACES_TAKEN = Places()


def whole(specs: Sequence[AnswerSpec]) -> list[EngineAnswer]:
    """The answers to ``specs``, one after the other, together in ``settings.GENERATION_SECONDS``.

    Raises ``Unavailable`` (``inference_starting``, ``overloaded``), or what ``answers.ask`` does.
    """
    with _place(specs[0].asker) as (child, deadline):
        return [answers.ask(child.address, child.key, spec, _left(deadline)) for spec in specs]


def pieces(specs: Sequence[AnswerSpec]) -> Generator[tuple[int, Piece | Ending], None, None]:
    """The same answers as they are made, each piece with the number of its answer. To be closed by who stops early."""
    with _place(specs[0].asker) as (child, deadline):
        for index, spec in enumerate(specs):
            with closing(answers.stream(child.address, child.key, spec, _left(deadline))) as stream:
                for said in stream:
                    yield index, said


def tokens(base: str, prompt: str) -> int:
    """How many tokens ``prompt`` has for the base model; quick, so that it needs no place."""
    child = _child()
    return answers.count(child.address, child.key, CountSpec(base=base, prompt=prompt), COUNTING_SECONDS)


def tally(base: str, examples: Path) -> Tally:
    """The tokens of a file of examples, as tuning ``base`` on them would see them."""
    with _place(COUNTING) as (child, deadline):
        return answers.tally(child.address, child.key, TallySpec(base=base, examples=examples), _left(deadline))


@contextmanager
def _place(person: str) -> Iterator[tuple[InferenceChild, float]]:
    """The child to be asked, and until when it must have answered."""
    child = _child()
    with PLACES_TAKEN.of(person):
        yield child, monotonic() + settings.GENERATION_SECONDS


def _child() -> InferenceChild:
    child = InferenceChild.objects.current()
    if child is None:
        raise Unavailable("inference_starting")
    return child


def _left(deadline: float) -> float:
    if (seconds := deadline - monotonic()) <= 0:
        raise TimedOut
    return seconds
