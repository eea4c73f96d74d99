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
    tuners = list(TunerState.objects.alive())
    preparing = max((tuner.preparing for tuner in tuners if tuner.preparing is not None), default=None)
    return json_answer(
        {
            "version": settings.VERSION,
            "tuner": bool(tuners),
            "inference": InferenceChild.objects.filter(tuner__in=tuners).exists(),
            **present(preparing=preparing, failure=max((tuner.failure_code for tuner in tuners), default="")),
        }
    )


def healthz(request: HttpRequest) -> HttpResponse:
    """For supervisors: the process answers and the database can be read. Needs no credentials and tells nothing."""
    TunerState.objects.exists()
    return json_answer({"status": "ok"})
