"""What the form of a new job begins with, as its address says:

=====================  ============================================================================================
``?dataset=3``         a dataset, which lends the job its name and what is usual for its size
``?version=8``         one version of a dataset, be it an older one
``?again=7``           the settings of an earlier job
``?further=7``         those, and its tuned model to go on from
``?preset=2``          the settings of a preset
``?epoch_count=4``     any field of the form, over all of these
=====================  ============================================================================================

What does not exist, or is not to be seen by this person, is as if it had not been named.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.forms import NewJob
from dashboard.jobs.models import Job
from dashboard.jobs.queryset import JobQuerySet
from dashboard.jobs.recipes import said_by
from dashboard.listing.fields import is_key
from dashboard.presets.models import Preset
from tuning.recipes import assumed

Row = TypeVar("Row", bound=Model)

NAME_LENGTH = 40
OVER_ALL = frozenset(NewJob.base_fields) - {"key", "again", "further", "dataset", "version"} | {"base_model"}
"""What an address may say besides."""


def initial(asked: Mapping[str, str], user: User) -> dict[str, Any]:
    """What to fill in for ``user``."""
    over = {name: asked[name] for name in OVER_ALL if name in asked}
    jobs = Job.objects.visible_to(user).select_related("dataset_version__dataset", "validation_version")
    chosen = _version(asked, user)
    if source := _named(jobs.finished_well().exclude(model=""), asked, "further"):
        began = _like(source, chosen, user) | {"further": source.pk, "display_name": _further(source)}
    elif earlier := _named(jobs, asked, "again"):
        began = _like(earlier, chosen, user) | {"again": earlier.pk} | _start_of(earlier, jobs)
    else:
        began = _usual(chosen or _newest(user))
        if preset := _named(Preset.objects.visible_to(user), asked, "preset"):
            began |= said_by(preset.recipe) | {"base_model": preset.base_model}
    return began | over


def _like(job: Job, chosen: DatasetVersion | None, user: User) -> dict[str, Any]:
    """All of ``job``, on the version that was ``chosen`` or its own; where its examples are not here, or another's, on
    the newest.
    """
    mine = Dataset.objects.visible_to(user)
    seen = mine.filter(pk=job.dataset_version.dataset_id).exists()
    apart = job.validation_version if seen else None
    version = chosen or (job.dataset_version if seen else _newest(user))
    return {
        "display_name": job.display_name,
        "target": f"{job.connection_id}:{job.base_model}",
        "base_model": job.base_model,
        **(_place(version) if version else {}),
        **said_by(job.recipe),
        **({"validation_dataset": apart.dataset_id} if apart else {}),
    }


def _start_of(job: Job, jobs: JobQuerySet) -> dict[str, Any]:
    """Where ``job`` went on from a tuned model, the job that made this."""
    source = jobs.finished_well().filter(model=job.tuned_from).first() if job.tuned_from else None
    return {"further": source.pk} if source else {}


def _further(source: Job) -> str:
    end = gettext(", further")
    return source.display_name[: NAME_LENGTH - len(end)].rstrip() + end


def _usual(version: DatasetVersion | None) -> dict[str, Any]:
    if version is None:
        return {}
    usual = assumed(version.examples)
    said = {name: getattr(usual, name) for name in NewJob.FIRST}
    return {"display_name": version.dataset.name[:NAME_LENGTH], **_place(version), **said}


def _place(version: DatasetVersion) -> dict[str, Any]:
    """The two fields that say which version; the newest is not named by its number, for it goes along with the data."""
    newest = not DatasetVersion.objects.filter(dataset=version.dataset_id, number__gt=version.number).exists()
    return {"dataset": version.dataset_id, "version": "" if newest else version.pk}


def _version(asked: Mapping[str, str], user: User) -> DatasetVersion | None:
    """The version that the address names, or the newest of the dataset that it names."""
    visible = DatasetVersion.objects.filter(dataset__in=Dataset.objects.visible_to(user)).select_related("dataset")
    if version := _named(visible, asked, "version"):
        return version
    pk = asked.get("dataset", "")
    return visible.filter(dataset__pk=pk).first() if is_key(pk) else None


def _newest(user: User) -> DatasetVersion | None:
    dataset = Dataset.objects.visible_to(user).order_by("-created").first()
    return dataset.latest if dataset else None


def _named(rows: QuerySet[Row], asked: Mapping[str, str], name: str) -> Row | None:
    """The one of ``rows`` that the address names, if it does."""
    pk = asked.get(name, "")
    return rows.filter(pk=pk).first() if is_key(pk) else None
