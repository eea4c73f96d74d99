"""What the worker does for the library."""

import logging

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.library import uses
from dashboard.library.models import TunedModel
from tuning.errors import ServiceError

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*/5"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Have every service asked, every five minutes, which models are in use."""
    for pk in TunedModel.objects.order_by().values_list("connection", flat=True).distinct():
        hear_uses.enqueue(pk)


@task()
def hear_uses(pk: int) -> None:
    """Hear from one service when its models were last asked. One that does not answer is asked no further."""
    connection = Connection.objects.get(pk=pk)
    for owner in User.objects.filter(tuned_models__connection=connection).distinct():
        try:
            uses.hear(connection, owner)
        except ServiceError as error:
            logger.info("connection %s does not tell of uses: %s", pk, error.code)
            return
