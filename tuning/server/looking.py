"""What a caller has sent, looked at by a child: what is in its files stays out of this process."""

import time

from tuning.engine import Failed
from tuning.engine.children import Child
from tuning.errors import InvalidRequest, TimedOut


def looks_well(child: Child, patience: float) -> bool:
    """Whether ``child`` came to its end; it is gone then. Raises ``InvalidRequest`` with what it found wrong, and
    ``TimedOut`` after ``patience`` seconds.
    """
    until = time.monotonic() + patience
    try:
        while child.exit_code is None:
            for event in child.events(timeout=0.1):
                if isinstance(event, Failed):
                    raise InvalidRequest(event.code, detail=event.detail)
            if time.monotonic() > until:
                raise TimedOut
    finally:
        child.stop()
    return child.exit_code == 0
