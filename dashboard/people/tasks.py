"""What the worker does about those who leave. The rows say what is still to do: see :class:`Farewell`."""

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.people.farewells import go_on
from dashboard.people.models import Farewell


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Enqueue, each minute, the farewells that nobody works on."""
    for pk in Farewell.objects.due().values_list("pk", flat=True):
        say_farewell.enqueue(pk)


@task()
def say_farewell(pk: int) -> None:
    """Go on with farewell ``pk``, if that is still to be done and nobody else does."""
    if Farewell.objects.claim(pk):
        go_on(Farewell.objects.select_related("person", "by", "heir").get(pk=pk))
