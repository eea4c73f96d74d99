"""Putting a tuned model together as one GGUF file: ``python -m tuning.engine.merging``, a :class:`MergeSpec` on
standard input.
"""

import os
from collections.abc import Iterator

from tuning.engine import Event, MergeSpec, Progress, child

YIELDING = 10
"""Of niceness: answers and jobs go first."""


def merge(spec: MergeSpec) -> Iterator[Event]:
    """Write ``spec.target``; it is there as a whole or not at all. What a killed process left is written anew.

    Raises ``OSError`` when the disk is full or the base model is gone.
    """
    os.nice(YIELDING)
    # gguf takes a moment to load; the supervisor's closing pipe must be heard meanwhile.
    from tuning.engine.bases import exports  # noqa: PLC0415

    aside = spec.target.with_suffix(".part")
    spec.target.parent.mkdir(parents=True, exist_ok=True)
    for share in exports.writing(spec.base, aside, exports.Adapter(spec.adapter)):
        yield Progress(int(99 * share))
    aside.rename(spec.target)
    yield Progress(100)


if __name__ == "__main__":
    child.run(MergeSpec, merge)
