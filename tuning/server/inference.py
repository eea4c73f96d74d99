"""Asking the inference child, no more at once than leave threads for what is quick."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic

from django.conf import settings

from tuning.engine import AnswerSpec, CountSpec, Ending, EngineAnswer, Piece, Tally, TallySpec, answers
from tuning.errors import TimedOut, Unavailable
from tuning.server.models import InferenceChild

SLOTS = BoundedSemaphore(5)
"""Requests of this process that may wait for answers at once: the other threads stay free for what is quick."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for a slot; then the caller is told to come again."""
COUNTING_SECONDS = 10.0


def whole(specs: Sequence[AnswerSpec]) -> list[EngineAnswer]:
    """The answers to ``specs``, one after the other, together in ``settings.GENERATION_SECONDS``.

    Raises ``Unavailable`` (``inference_starting``, ``overloaded``), or what :func:`tuning.engine.answers.ask` does.
    """
    with _slot() as (child, deadline):
        return [answers.ask(child.address, child.key, spec, _left(deadline)) for spec in specs]


def pieces(specs: Sequence[AnswerSpec]) -> Generator[tuple[int, Piece | Ending], None, None]:
    """The same answers as they are made, each piece with the number of its answer. To be closed by who stops early."""
    with _slot() as (child, deadline):
        for index, spec in enumerate(specs):
            with closing(answers.stream(child.address, child.key, spec, _left(deadline))) as stream:
                for said in stream:
                    yield index, said


def tokens(base: str, prompt: str) -> int:
    """How many tokens ``prompt`` has for the base model; quick, so that it needs no slot."""
    child = _child()
    return answers.count(child.address, child.key, CountSpec(base=base, prompt=prompt), COUNTING_SECONDS)


def tally(base: str, examples: Path) -> Tally:
    """The tokens of a file of examples, as tuning ``base`` on them would see them."""
    with _slot() as (child, deadline):
        return answers.tally(child.address, child.key, TallySpec(base=base, examples=examples), _left(deadline))


@contextmanager
def _slot() -> Iterator[tuple[InferenceChild, float]]:
    """The child to be asked, and until when it must have answered."""
    child = _child()
    if not SLOTS.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable("overloaded")
    try:
        yield child, monotonic() + settings.GENERATION_SECONDS
    finally:
        SLOTS.release()


def _child() -> InferenceChild:
    child = InferenceChild.objects.current()
    if child is None:
        raise Unavailable("inference_starting")
    return child


def _left(deadline: float) -> float:
    if (seconds := deadline - monotonic()) <= 0:
        raise TimedOut
    return seconds
