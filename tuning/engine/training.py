"""The training child: ``python -m tuning.engine.training``. Standard input brings two lines.

The first is a :class:`tuning.engine.WarmSpec`: what will be wanted. The second, a :class:`tuning.engine.TuneSpec`, may
come much later: a child that was started ahead spares its job the seconds in which libraries are loaded.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tuning.engine import Event, TuneSpec, Warmed, WarmSpec, child
from tuning.engine.bases import catalogue

SPIN = "3000"
"""How often a thread of torch's looks for the others before it sleeps, some ten microseconds. Asleep at once, a small
step takes twice as long; without an end, as is the default, everything does where others want the processors, too.
"""

YIELDING = 10
"""Of niceness: pages are drawn and questions answered before the next step is made."""

EXPENDABLE = "500"
"""Linux's ``oom_score_adj``: where memory runs out, what goes on from its checkpoint is ended before anything else."""


def train(warm: WarmSpec) -> Iterator[Event]:
    """Load, await a job and run it, saying what it does."""
    os.nice(YIELDING)
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    with suppress(OSError):  # no Linux
        Path("/proc/self/oom_score_adj").write_text(EXPENDABLE)
    # torch takes seconds to load; the supervisor's closing pipe must be heard meanwhile.
    import torch  # noqa: PLC0415

    from tuning.engine.learning import loop  # noqa: PLC0415

    _read_ahead(warm.models / warm.base / catalogue.WEIGHTS_FILE)
    yield Warmed()
    spec = child.task(TuneSpec)
    if spec.threads:
        torch.set_num_threads(spec.threads)
    yield from loop.tune(spec)


def _read_ahead(weights: Path) -> None:
    """Have the system keep ``weights`` at hand. In this process they would take twice their size, all the time."""
    with suppress(OSError, AttributeError), weights.open("rb") as file:  # not there, or no Linux
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)


if __name__ == "__main__":
    child.run(WarmSpec, train)
