"""The training child: ``python -m tuning.engine.training``, a :class:`tuning.engine.TuneSpec` on standard input."""

import os
from collections.abc import Iterator

from tuning.engine import Event, Log, Step, TuneSpec, child

YIELDING = 10
"""Of niceness: pages are drawn and questions answered before the next step is made."""


def train(spec: TuneSpec) -> Iterator[Event]:
    """Run a job, saying what it does."""
    os.nice(YIELDING)
    # torch takes seconds to load; the supervisor's closing pipe must be heard meanwhile.
    from tuning.engine import loop  # noqa: PLC0415

    corpus = loop.corpus_of(spec)
    yield Log("info", f"{len(corpus)} examples, {len(corpus.tokens)} tokens")
    if corpus.shortened:
        yield Log("warning", f"{corpus.shortened} inputs are longer than the model can read and lost their beginning")
    for snapshot in loop.tune(spec, corpus):
        yield Step(snapshot)


if __name__ == "__main__":
    child.run(TuneSpec, train)
