from functools import partial
from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_save


class NoticesConfig(AppConfig):
    name = "dashboard.notices"

    def ready(self) -> None:
        post_save.connect(look_at_job, sender="jobs.Job")


def look_at_job(instance: Any, **_signal: Any) -> None:
    """Tell at once what has happened to a job; what is missed here, the worker's sweep finds."""
    from dashboard.notices import events  # noqa: PLC0415 - models load after apps

    if events.occurred(instance):
        transaction.on_commit(partial(events.take_note, instance), robust=True)
