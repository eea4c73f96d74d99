"""PATCH of a tuned model: its names and how its answers are sampled may be changed; everything else is history."""

from collections.abc import Set
from typing import Any

from django.db.models.functions import Now

from tuning.errors import NotFound
from tuning.resources import TunedModel
from tuning.server import base_models
from tuning.server.creation import check_presentation, check_sampling
from tuning.server.models import Job

CHANGEABLE = frozenset({"display_name", "description", "temperature", "top_p", "top_k", "reader_project_numbers"})
SAMPLING = frozenset({"temperature", "top_p", "top_k"})


def change(job: Job, model: TunedModel, fields: Set[str]) -> None:
    """Give ``job`` the values of ``model`` for ``fields``, out of :data:`CHANGEABLE`.

    One that ``model`` lacks becomes what a new model would have. Raises ``InvalidRequest``.
    """
    values: dict[str, Any] = {name: getattr(model, name) for name in fields}
    chosen = TunedModel(**values)  # what else the body holds is not looked at
    check_presentation(chosen)
    check_sampling(chosen)
    if cleared := {name for name in fields & SAMPLING if values[name] is None}:
        offer = base_models.find(job.base_asked)
        values |= {name: getattr(offer, name) for name in cleared}
    if values and not Job.objects.filter(pk=job.pk).update(**values, updated=Now()):
        raise NotFound("tuned_model_missing", name=job.name)
