"""What the scenarios share. They run in their client's own environment: the standard library only.

A scenario is a client's whole working day in order: each :func:`check` covers one method of the API and may go on
with what an earlier one left in :data:`made`. :func:`run` prints a line of JSON for each::

    {"method": "tunedModels.create", "problem": ""}
"""

import json
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

URL = os.environ["CONFORMANCE_URL"]
KEY = os.environ["CONFORMANCE_KEY"]
OTHER_KEY = os.environ["CONFORMANCE_OTHER_KEY"]
OTHER = os.environ["CONFORMANCE_OTHER"]
"""Somebody else's e-mail address; :data:`OTHER_KEY` is theirs."""

BUSY_URL, BUSY_KEY = os.environ["CONFORMANCE_BUSY_URL"], os.environ["CONFORMANCE_BUSY_KEY"]
"""Another server, which answers three times a minute and cannot tune."""

PAIRS = [("spring", "summer"), ("summer", "autumn"), ("autumn", "winter"), ("winter", "spring")]
EXAMPLES = [{"text_input": one, "output": two} for one, two in PAIRS]
STEPS = 4
"""Of a job with :data:`PAIRS`, 2 epochs and batches of 2."""
LONG = 1000
"""Epochs of a job that is to be stopped before it ends."""

made = SimpleNamespace()
CHECKS: list[tuple[str, Callable[[], None]]] = []


def check(method: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """The function covers ``method``: a row of the conformance table."""

    def add(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS.append((method, function))
        return function

    return add


def run() -> None:
    for method, function in CHECKS:
        problem = ""
        try:
            function()
        except Exception:
            problem = traceback.format_exc()
        print(json.dumps({"method": method, "problem": problem}), flush=True)


@contextmanager
def refused(kind: type[BaseException], *says: str) -> Iterator[None]:
    """The block must raise ``kind``, whose text holds each of ``says``."""
    said = None
    try:
        yield
    except kind as refusal:
        said = str(refusal)
    assert said is not None, f"nothing was refused; {kind.__name__} was expected"
    missing = [words for words in says if words not in said]
    assert not missing, f"{said!r} does not say {missing}"


def wait_until(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """What ``condition`` returns once that is true."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.1)
    return found
