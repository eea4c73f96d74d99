"""Where a model comes from and what came of it: dataset version, job, model, its evaluations and deployment, and the
models tuned from that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.evaluations.models import Evaluation
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.lineage import outcomes

GENERATIONS = 50
"""How far back a line is followed, and how far on."""
MOST = 200
"""Models that are drawn at once."""
NEAR = (
    "name",
    "display_name",
    "base_model",
    "created",
    "last_loss",
    "removed",
    "name",
    "connection_id",
    "tuned_from_id",
    "owner__name",
    "owner__email",
    "job__display_name",
    "job__tuned_from",
    "dataset_version__number",
    "dataset_version__sha256",
    "dataset_version__examples",
    "dataset_version__dataset__name",
    "dataset_version__dataset__absent",
)


@dataclass(frozen=True, slots=True)
class Member:
    """A model in its family. Of one that is not ``seen`` nothing is told but its place.

    ``depth`` is 0 where the drawing begins. ``has_job`` and ``has_dataset`` say which pages the person may open.
    """

    model: TunedModel
    depth: int
    seen: bool
    here: bool
    has_job: bool
    has_dataset: bool
    evaluations: Sequence[Evaluation] = ()
    deployment: str = ""
    """Its page at the service."""


@dataclass(frozen=True, slots=True)
class Family:
    """``members`` in the order in which they are drawn, each after the one it was tuned from; ``cut`` says that there
    are more.
    """

    members: Sequence[Member]
    cut: bool = False


def of_model(user: User, model: TunedModel) -> Family:
    """The line that ``model`` comes from, and all that came of it."""
    line = _line(model)
    return _drawn(user, [*line, *_descendants([model.pk])], {model.pk})


def of_dataset(user: User, dataset: Dataset) -> Family:
    """The models tuned on any version of ``dataset``, and all that came of them."""
    tuned = TunedModel.objects.filter(dataset_version__dataset=dataset).order_by("-pk")
    first = list(tuned.values_list("pk", flat=True)[:MOST])
    return _drawn(user, [*first, *_descendants(first)], set())


def _line(model: TunedModel) -> list[int]:
    """The keys of ``model`` and of those it was tuned from, each from the next."""
    line, source = [model.pk], model.tuned_from_id
    while source and source not in line and len(line) < GENERATIONS:
        line.append(source)
        source = TunedModel.objects.filter(pk=source).values_list("tuned_from_id", flat=True).first()
    return line


def _descendants(keys: Sequence[int]) -> list[int]:
    """The keys of what was tuned from those of ``keys``, generation by generation."""
    found = dict.fromkeys(keys)
    level: Sequence[int] = keys
    for _generation in range(GENERATIONS):
        further = TunedModel.objects.filter(tuned_from__in=level).order_by("pk").values_list("pk", flat=True)
        level = [pk for pk in further[: MOST + 1] if pk not in found]
        found |= dict.fromkeys(level)
        if not level or len(found) > MOST:
            break
    return list(found)


def _drawn(user: User, keys: Iterable[int], here: set[int]) -> Family:
    chosen = list(dict.fromkeys(keys))
    rows = TunedModel.objects.filter(pk__in=chosen[:MOST])
    models = {row.pk: row for row in rows.select_related("owner", "job", "dataset_version__dataset").only(*NEAR)}
    told = _Told(user, models.values())
    members = [told.member(models[pk], depth, here=pk in here) for pk, depth in _in_order(models)]
    return Family(members, cut=len(chosen) > MOST)


def _in_order(models: dict[int, TunedModel]) -> list[tuple[int, int]]:
    """Keys and depths: each model right after its source and what came of its elder siblings."""
    children: dict[int | None, list[int]] = {}
    for pk, model in sorted(models.items(), reverse=True):
        source = model.tuned_from_id if model.tuned_from_id in models else None
        children.setdefault(source, []).append(pk)
    found, waiting = dict[int, int](), [(pk, 0) for pk in children.get(None, [])]
    while waiting:
        pk, depth = waiting.pop()
        found[pk] = depth
        waiting += [(child, depth + 1) for child in children.get(pk, []) if child not in found]
    return list(found.items())


class _Told:
    """What a person may be told of some models, at one question for each kind of page."""

    def __init__(self, user: User, models: Iterable[TunedModel]) -> None:
        rows = list(models)
        versions = [row.dataset_version for row in rows if row.dataset_version]
        self._models = _keys(TunedModel.objects.visible_to(user), [row.pk for row in rows])
        self._jobs = _keys(Job.objects.visible_to(user), [row.job_id for row in rows])
        self._datasets = _keys(Dataset.objects.visible_to(user), [version.dataset_id for version in versions])

        seen = [row for row in rows if row.pk in self._models]
        self._evaluations = outcomes.evaluations(self._models)
        self._deployments = outcomes.deployments(user, seen)

    def member(self, model: TunedModel, depth: int, *, here: bool) -> Member:
        version = model.dataset_version
        return Member(
            model,
            depth,
            seen=model.pk in self._models,
            here=here,
            has_job=model.job_id in self._jobs,
            has_dataset=version is not None and version.dataset_id in self._datasets,
            evaluations=self._evaluations.get(model.pk, ()),
            deployment=self._deployments.get(model.pk, ""),
        )


def _keys(visible: "QuerySet[TunedModel] | QuerySet[Job] | QuerySet[Dataset]", among: Iterable[int | None]) -> set[int]:
    return set(visible.filter(pk__in=[pk for pk in among if pk]).order_by().values_list("pk", flat=True))
