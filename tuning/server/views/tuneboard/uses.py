"""``/tuneboard/v1/uses``: which models are in use."""

from datetime import timedelta

from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.resources import Role
from tuning.server import access
from tuning.server.answers import json_answer
from tuning.server.models import Job
from tuning.server.routing import number
from tuning.server.views.tuneboard.fields import moment

EVER = 999_999_999
"""Seconds."""


def uses(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"uses": {MODEL: time}}``: when each of the caller's own models was last asked, by whomever, to the minute;
    those that were in the last ``?within=`` seconds, without it all that ever were.
    """
    since = Now() - timedelta(seconds=number(request, "within", default=EVER))
    asked = Job.objects.filter(access.held_by(caller, Role.OWNER), last_asked__gte=since)
    return json_answer({"uses": {job.name: moment(job.last_asked) for job in asked.only("model_id", "last_asked")}})
