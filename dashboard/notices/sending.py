"""Sending what is due.

One thread at a time does so: the worker's other thread is there for jobs, however long receivers take.
"""

import logging
import time
from threading import Lock

from django_tasks import task

from dashboard.notices import mail, webhook
from dashboard.notices.delivering import NotDelivered
from dashboard.notices.models import Delivery, Way

logger = logging.getLogger(__name__)

SENDERS = {Way.MAIL: mail.send, Way.WEBHOOK: webhook.send}
sending = Lock()


@task()
def deliver() -> None:
    """Make one try for each delivery that is due. Leaves them to who is at it already, or to the next sweep."""
    if not sending.acquire(blocking=False):
        return
    try:
        while _sent_some():  # what comes to be due meanwhile, too
            pass
    finally:
        sending.release()


def _sent_some() -> bool:
    """Whether there was anything to try."""
    tried = False
    held_up = set()
    for pk in list(Delivery.objects.due().order_by("next_try", "pk").values_list("pk", flat=True)):
        delivery = Delivery.objects.due().filter(pk=pk).select_related("person", "notice__job__owner").first()
        if delivery is None or (where := (delivery.person_id, delivery.way)) in held_up:
            continue
        if delivery.is_held_up:
            held_up.add(where)
        elif Delivery.objects.claim(delivery):
            tried = True
            _try(delivery)
    return tried


def _try(delivery: Delivery) -> None:
    delivery.refresh_from_db(fields=["tries", "next_try"])
    started = time.monotonic()
    status, problem = None, ""
    try:
        status = SENDERS[Way(delivery.way)](delivery)
    except NotDelivered as failure:
        status, problem = failure.status, failure.code
    except Exception:
        logger.exception("delivery %s cannot be made", delivery.pk)
        problem = "broken"
    if problem == "nowhere":
        delivery.drop()
    else:
        delivery.note(time.monotonic() - started, status, problem)
