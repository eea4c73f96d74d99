"""What the worker does for sweeps: it stops what a sweep's row says is not wanted any more.

Jobs that were not sent are sent by the jobs' own sweep (:mod:`dashboard.jobs.tasks`).
"""

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.sweeps.models import Sweep


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def stop_unwanted() -> None:
    """Enqueue, each minute, the sweeps of which something is to be stopped."""
    for pk in Sweep.objects.to_be_stopped().values_list("pk", flat=True):
        stop.enqueue(pk)


@task()
def stop(pk: int) -> None:
    """Cancel what goes on of sweep ``pk``, if that is still to be done."""
    if sweep := Sweep.objects.to_be_stopped().filter(pk=pk).first():
        sweep.stop_rest()
