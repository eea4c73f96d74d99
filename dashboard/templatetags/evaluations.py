"""Evaluations on the pages of models and datasets."""

from typing import Any

from django import template

from dashboard.accounts.models import User
from dashboard.datasets.models import DatasetVersion
from dashboard.evaluations import comparing
from dashboard.evaluations.models import State
from dashboard.library.models import TunedModel

register = template.Library()


@register.inclusion_tag("evaluations/_of_model.html")
def evaluations_of(model: TunedModel) -> dict[str, Any]:
    """How a model did, the last first; its best, and its last, on whatever examples."""
    found = comparing.of_model(model)
    done = [one for one in found if one.state == State.DONE and not one.baseline and one.answered]
    best = max(done, key=lambda one: one.as_expected.value, default=None)
    return {"model": model, "evaluations": found, "last": next(iter(done), None), "best": best}


@register.inclusion_tag("evaluations/_on_version.html", takes_context=True)
def evaluations_on(context: template.Context, version: DatasetVersion) -> dict[str, Any]:
    """How models did on a dataset's version, the best first; nothing where none was asked."""
    user: User = context["user"]
    return {"evaluations": comparing.of_version(version, user)}
