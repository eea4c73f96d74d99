"""From what a request says of hyperparameters to the recipe of a job: the limits, and what is assumed instead.

Google's create says three of them in ``tuningTask.hyperparameters``; ``POST /tuneboard/v1/jobs`` has all in
``recipe``. The rule for what is not said is documented in docs/api.md, under "Hyperparameters".
"""

from dataclasses import asdict, dataclass
from typing import Any

from tuning.errors import InvalidRequest
from tuning.recipes import ABOVE_ZERO, ALPHA_A_RANK, GOOGLES, LIMITS, Recipe, Schedule, assumed
from tuning.resources import Hyperparameters, JobRecipe

GOOGLE_SAYS = "tuned_model.tuning_task.hyperparameters"
OURS = "recipe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What there is to learn from: how many ``examples``, and how many more as a validation set of their own."""

    examples: int
    validation: int = 0


def choose(
    google: Hyperparameters | None, ours: JobRecipe | None, held: Held, *, source: Recipe | None = None
) -> Recipe:
    """Every hyperparameter. One that goes on from a tuned model keeps rank and alpha of its ``source``.

    Raises ``InvalidRequest`` with the path of what is out of bounds, contradictory or said twice.
    """
    said = _said(google, ours)
    for name in LIMITS.keys() & said.keys():
        check(_path(name, ours), name, said[name])
    values = _with_rates(said, held.examples, ours) | _with_rank(said, source) | _with_schedule(said)
    recipe = Recipe(**{name: value for name, value in values.items() if name != "learning_rate_multiplier"})
    _check_validation(recipe, held)
    return recipe


def check(path: str, name: str, value: float) -> None:
    """Raise ``InvalidRequest`` unless ``value`` is within the limits of ``name``; NaN never is."""
    lowest, highest = LIMITS[name]
    if not lowest <= value <= highest:
        raise InvalidRequest("out_of_range", field=path, value=value, rule=f"between {lowest} and {highest}")
    if value == 0 and name in ABOVE_ZERO:
        raise InvalidRequest("out_of_range", field=path, value=value, rule="above 0")


def _said(google: Hyperparameters | None, ours: JobRecipe | None) -> dict[str, Any]:
    """What either says, by its name in :class:`Recipe`."""
    first, second = (
        {name: value for name, value in asdict(part).items() if value is not None} if part else {}
        for part in (google, ours)
    )
    rates = {"learning_rate", "learning_rate_multiplier"}
    if twice := first.keys() & second.keys() or (rates if rates & first.keys() and rates & second.keys() else set()):
        raise InvalidRequest("said_twice", path=f"{OURS}.{min(twice)}", other=GOOGLE_SAYS)
    return first | second


def _path(name: str, ours: JobRecipe | None) -> str:
    return f"{OURS if getattr(ours, name, None) is not None else GOOGLE_SAYS}.{name}"


def _with_rates(said: dict[str, Any], examples: int, ours: JobRecipe | None) -> dict[str, Any]:
    """Epochs, batch size and learning rate; a multiplier multiplies what would be assumed."""
    usual = assumed(examples)
    values = {name: getattr(usual, name) for name in GOOGLES} | said
    if (multiplier := said.get("learning_rate_multiplier")) is not None:
        values["learning_rate"] = usual.learning_rate * multiplier
        check(_path("learning_rate_multiplier", ours), "learning_rate", values["learning_rate"])
    return values


def _with_rank(said: dict[str, Any], source: Recipe | None) -> dict[str, Any]:
    """Rank and alpha: an adapter that is trained further keeps its shape."""
    if source is None:
        return {"alpha": ALPHA_A_RANK * said["rank"]} if "rank" in said and "alpha" not in said else {}
    for name in ("rank", "alpha"):
        kept = getattr(source, name)
        if said.get(name, kept) != kept:
            rule = f"{kept}, as in the model that is tuned further"
            raise InvalidRequest("out_of_range", field=f"{OURS}.{name}", value=said[name], rule=rule)
    return {"rank": source.rank, "alpha": source.alpha}


def _with_schedule(said: dict[str, Any]) -> dict[str, Any]:
    if "schedule" not in said:
        return {}
    try:
        return {"schedule": Schedule(said["schedule"])}
    except ValueError as exc:
        shown, rule = f'"{said["schedule"][:40]}"', "one of " + ", ".join(Schedule)
        raise InvalidRequest("out_of_range", field=f"{OURS}.schedule", value=shown, rule=rule) from exc


def _check_validation(recipe: Recipe, held: Held) -> None:
    """A part can be held out, and what needs held-out examples has them."""
    if recipe.validation and held.validation:
        raise InvalidRequest("said_twice", path=f"{OURS}.validation", other="validation.dataset")
    if recipe.validation and held.examples < 2:
        raise InvalidRequest("too_few_to_hold_out", field=f"{OURS}.validation")
    if not (recipe.validation or held.validation):
        for name in ("patience", "samples"):
            if getattr(recipe, name):
                raise InvalidRequest("validation_needed", field=f"{OURS}.{name}")
