"""The family of a model, and the models of a dataset, on their own pages."""

from typing import Any

from django import template

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.lineage import family, running
from dashboard.lineage.models import Rerun

register = template.Library()


@register.inclusion_tag("lineage/_family.html", takes_context=True)
def lineage(context: template.Context, thing: Dataset | TunedModel) -> dict[str, Any]:
    """Drawn as the person who looks may see it; nothing for a dataset that no model was tuned on."""
    user: User = context["user"]
    drawn = family.of_dataset(user, thing) if isinstance(thing, Dataset) else family.of_model(user, thing)
    return {"family": drawn}


@register.inclusion_tag("lineage/_again.html", takes_context=True)
def run_again(context: template.Context, job: Job) -> dict[str, Any]:
    """What a job runs again, whether it came out the same, and the ways to run it once more."""
    user: User = context["user"]
    rerun = Rerun.objects.filter(job=job).first()
    may_pack = running.service_of(user, job) is not None
    return {
        "job": job,
        "rerun": rerun,
        "original": Job.objects.visible_to(user).filter(reruns=rerun).first() if rerun else None,
        "may_pack": may_pack,
        "may_run": may_pack and running.may_run(user, job),
    }
