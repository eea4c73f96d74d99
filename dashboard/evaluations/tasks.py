"""What the worker does for evaluations. Rows say what is still to be asked: a task that is lost, or run twice, changes
nothing.

One thread at a time does so, a while each: the worker's others are there for jobs and notices.
"""

import time
from threading import Lock

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.evaluations.asking import next_turn
from dashboard.evaluations.models import Evaluation

A_WHILE = 10.0
"""Seconds, after which another task goes on: a worker that is to end waits no longer for this one."""

asking = Lock()


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each minute, have what is due be asked."""
    if Evaluation.objects.due().exists():
        ask.enqueue()


@task()
def ask() -> None:
    """Ask for a while, those who wait in turns; leave it to who is at it already."""
    if not asking.acquire(blocking=False):
        return
    until = time.monotonic() + A_WHILE
    try:
        while time.monotonic() < until and (is_more := next_turn()):
            pass
    finally:
        asking.release()
    if is_more:
        ask.enqueue()
