"""Beginning an evaluation: which examples, and whether the model knows them already."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.datasets.models import DatasetVersion
from dashboard.evaluations.models import Evaluation
from dashboard.library.models import TunedModel
from tuning.errors import Exhausted

GENERATIONS = 50
"""How far back it is looked for what a model was tuned on."""
SHORTEST, LONGEST = 32, 1_024
"""Tokens that an answer may have where nobody says otherwise: within these, as many as the longest expected output has
characters. What goes on after that is not what was expected.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be asked. ``with_base``: the same of the base model, to compare with."""

    version: DatasetVersion
    examples: int
    max_output_tokens: int
    with_base: bool = False


def start(user: User, model: TunedModel, plan: Plan) -> Evaluation:
    """The evaluation, entered: the worker asks. Raises ``Exhausted`` where ``user`` has one of the model under way."""
    try:
        with transaction.atomic():
            begun = _entered(user, model, plan)
            if plan.with_base:
                _entered(user, model, plan, baseline=True)
            audit.record(user, "evaluation.started", begun, examples=begun.total)
    except IntegrityError:
        raise Exhausted("evaluation_under_way") from None
    return begun


def usual_tokens(version: DatasetVersion) -> int:
    longest = int(version.facts.get("outputs", {}).get("longest", LONGEST))
    return min(max(longest, SHORTEST), LONGEST)


def learnt_by(model: TunedModel) -> set[str]:
    """The hashes of the versions that ``model``, and those that it was tuned from, were tuned on."""
    found, seen, here = set[str](), set[int](), model.pk
    while here and here not in seen and len(seen) < GENERATIONS:
        seen.add(here)
        rows = TunedModel.objects.filter(pk=here).values_list("dataset_version__sha256", "tuned_from_id")
        sha256, here = rows.first() or (None, 0)
        found |= {sha256} if sha256 else set()
    return found


def _entered(user: User, model: TunedModel, plan: Plan, *, baseline: bool = False) -> Evaluation:
    return Evaluation.objects.create(
        model=model,
        baseline=baseline,
        dataset_version=plan.version,
        examples_of=str(plan.version),
        in_training=not baseline and plan.version.sha256 in learnt_by(model),
        total=min(plan.examples, plan.version.examples),
        max_output_tokens=plan.max_output_tokens,
        by=user,
    )
