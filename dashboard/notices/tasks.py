"""What the worker does for notices: find out what nobody was told yet, and send what is due.

As for jobs, the rows say what is still to do; a task that is lost, or run twice, changes nothing.
"""

import time

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.notices import events, mail, webhook
from dashboard.notices.delivering import NotDelivered
from dashboard.notices.models import Delivery, Way

SENDERS = {Way.MAIL: mail.send, Way.WEBHOOK: webhook.send}


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each minute."""
    events.sweep()
    for pk in Delivery.objects.due().order_by("next_try").values_list("pk", flat=True):
        deliver.enqueue(pk)


@task()
def deliver(pk: int) -> None:
    """Make one try to send delivery ``pk``, if it is still to be sent and nobody else is at it."""
    delivery = Delivery.objects.due().filter(pk=pk).select_related("person", "notice__job__owner").first()
    if delivery is None or delivery.is_held_up or not Delivery.objects.claim(delivery):
        return
    delivery.refresh_from_db(fields=["tries", "next_try"])
    started = time.monotonic()
    status, problem = None, ""
    try:
        status = SENDERS[Way(delivery.way)](delivery)
    except NotDelivered as failure:
        status, problem = failure.status, failure.code
    if problem == "nowhere":
        delivery.drop()
    else:
        delivery.note(time.monotonic() - started, status, problem)
