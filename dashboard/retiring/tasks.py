"""What the worker does for models that are done with. Rows say what is still to do: a task that is lost, or run twice,
changes nothing.
"""

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.retiring import cleaning, expiring, removing
from dashboard.retiring.models import Cleanup, Removal


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each minute: what has expired, what was left of clean-ups, and what the bin holds no longer."""
    expiring.warn()
    expiring.expire()
    for pk in Cleanup.objects.unfinished().values_list("pk", flat=True):
        clean.enqueue(pk)
    for model in Removal.objects.due().values_list("model", flat=True):
        purge.enqueue(model)


@task()
def purge(model: int) -> None:
    """Delete ``model`` for good, if its grace is over and nobody is at it."""
    due = Removal.objects.due().filter(model=model).values_list("pk", flat=True).first()
    if due is None or not Removal.objects.claim(due):
        return
    removing.finish(Removal.objects.select_related("model__connection", "model__owner", "model__job").get(pk=due))


@task()
def clean(pk: int) -> None:
    """Do what is left of clean-up ``pk``."""
    if cleanup := Cleanup.objects.unfinished().filter(pk=pk).first():
        cleaning.go_on(cleanup)
