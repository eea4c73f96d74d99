"""Evaluations of the same examples, beside each other."""

from collections.abc import Sequence

from dashboard.accounts.models import User
from dashboard.datasets.models import DatasetVersion
from dashboard.evaluations.models import Evaluation, EvaluationQuerySet
from dashboard.library.models import TunedModel

MOST = 50


def others(evaluation: Evaluation, user: User) -> Sequence[Evaluation]:
    """The same and what other models answered to the same examples, the best first; none where it stands alone.

    The same examples: versions of equal contents, and as many of them.
    """
    if evaluation.dataset_version is None:
        return []
    same = {"dataset_version__sha256": evaluation.dataset_version.sha256, "total": evaluation.total}
    found = _ranked(Evaluation.objects.filter(**same), user)
    return found if [one for one in found if one.pk != evaluation.pk] else []


def of_version(version: DatasetVersion, user: User) -> Sequence[Evaluation]:
    """What models answered to the examples of ``version``, the best first."""
    return _ranked(Evaluation.objects.filter(dataset_version=version), user)


def of_model(model: TunedModel) -> Sequence[Evaluation]:
    """The last evaluations of ``model``, the newest first."""
    return list(model.evaluations.select_related("dataset_version__dataset", "by", "model")[:MOST])


def _ranked(evaluations: EvaluationQuerySet, user: User) -> Sequence[Evaluation]:
    found = evaluations.visible_to(user).done().select_related("model", "dataset_version")[:MOST]
    return sorted(found, key=lambda one: (-one.as_expected.value, -(one.similarity or 0), one.pk))
