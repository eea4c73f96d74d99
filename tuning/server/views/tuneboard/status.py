"""``/tuneboard/v1/status`` and ``/healthz``: whether the server works."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.server.answers import json_answer
from tuning.server.models import InferenceChild, TunerState
from tuning.server.views.tuneboard.fields import present


def status(request: HttpRequest, caller: Identity) -> HttpResponse:
    """Whether jobs are run (``tuner``) and questions answered (``inference``); ``preparing`` is the percentage
    of a base model that is being made ready, ``failure`` why that came to nothing.
    """
    tuner = TunerState.current()
    return json_answer(
        {
            "version": settings.VERSION,
            "tuner": tuner is not None,
            "inference": tuner is not None and InferenceChild.objects.exists(),
            **present(preparing=tuner and tuner.preparing, failure=tuner and tuner.failure_code),
        }
    )


def healthz(request: HttpRequest) -> HttpResponse:
    """For supervisors: the process answers and the database can be read. Needs no credentials and tells nothing."""
    TunerState.objects.exists()
    return json_answer({"status": "ok"})
