"""The fields by which a person says how a model is tuned. What is left empty is assumed."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dashboard.datasets.models import Dataset
from dashboard.jobs.hints import RULES
from dashboard.jobs.models import Job
from dashboard.messages import written_number
from tuning.jobs import total_steps
from tuning.recipes import ALPHA_A_RANK, GOOGLES, LIMITS, RANK, TOTAL_STEPS, Recipe, Schedule, held_out

SMALLEST = 1e-7
"""What a field whose number must be above 0 takes for that."""

SCHEDULES = {
    Schedule.CONSTANT: _("as it is"),
    Schedule.LINEAR: _("straight down to zero"),
    Schedule.COSINE: _("down to zero, gently at both ends"),
}


class DatasetChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A dataset, shown with how many examples it holds."""

    def label_from_instance(self, dataset: Dataset) -> str:
        return _("%(name)s, %(count)s examples") % {"name": dataset.name, "count": f"{dataset.latest.examples:,}"}


def _whole(name: str, **options: Any) -> forms.IntegerField:
    lowest, highest = LIMITS[name]
    return forms.IntegerField(min_value=int(lowest), max_value=int(highest), **options)


def _number(name: str, **options: Any) -> forms.FloatField:
    lowest, highest = LIMITS[name]
    widget = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(min_value=options.pop("at_least", lowest), max_value=highest, widget=widget, **options)


class HintedField(BoundField):
    """A field with a place for advice under it, which a screen reader reads out with the field."""

    @property
    def hint(self) -> str:
        return cast(RecipeForm, self.form).hints.get(self.name, "")

    @property
    def has_hints(self) -> bool:
        return self.name in cast(RecipeForm, self.form).HINTED

    @property
    def aria_describedby(self) -> str | None:
        described = super().aria_describedby
        return f"{described or ''} {self.auto_id}_hint".strip() if self.has_hints else described


class RecipeForm(forms.Form):
    """Every hyperparameter. The defaults of the first three follow the size of the dataset."""

    bound_field_class = HintedField

    epoch_count = _whole(
        "epoch_count",
        label=_("Epochs"),
        help_text=_("How often each example is read. Stop just before the loss goes flat: more only learns by heart."),
    )
    batch_size = _whole(
        "batch_size",
        label=_("Batch size"),
        help_text=_("Examples a step learns from. Smaller follows rare examples, larger is steadier."),
    )
    learning_rate = _number(
        "learning_rate",
        at_least=SMALLEST,
        label=_("Learning rate"),
        help_text=_("How far each step goes. 0.001 suits most; try 0.0002 when the loss jumps."),
    )
    validation = forms.TypedChoiceField(
        label=_("Share held out"),
        required=False,
        initial="0",
        coerce=float,
        empty_value=None,
        choices=[("0", _("none")), ("0.05", "5 %"), ("0.1", "10 %"), ("0.2", "20 %")],
        help_text=_("Nothing is learnt from these: their loss tells whether the model understands or learns by heart."),
    )
    validation_dataset = DatasetChoice(
        Dataset.objects.none(),
        label=_("Or a dataset"),
        required=False,
        initial="",
        empty_label=_("none"),
        help_text=_("Instead of a share, where you have examples put aside."),
    )
    patience = _whole(
        "patience",
        label=_("Stop early after"),
        required=False,
        initial=0,
        help_text=_("So many epochs in a row without a lower loss on the held-out examples. 0 goes on to the end."),
    )
    samples = _whole(
        "samples",
        label=_("Sample answers"),
        required=False,
        initial=0,
        help_text=_("So many held-out prompts are answered at each epoch’s end, to be read on the job’s page."),
    )
    schedule = forms.ChoiceField(
        label=_("Schedule"),
        required=False,
        initial=Schedule.CONSTANT,
        choices=list(SCHEDULES.items()),
        help_text=_("How the learning rate goes on from the end of the warm-up to the last step."),
    )
    warmup = _number(
        "warmup",
        label=_("Warm-up"),
        required=False,
        initial=0,
        help_text=_("Share of the steps in which the learning rate rises from zero. 0.1 is a tenth."),
    )
    weight_decay = _number(
        "weight_decay",
        label=_("Weight decay"),
        required=False,
        initial=0.01,
        help_text=_("Pulls the weights towards zero, against learning by heart."),
    )
    gradient_norm = _number(
        "gradient_norm",
        label=_("Longest gradient"),
        required=False,
        initial=1,
        help_text=_("A step that would go further is shortened to this. 0 leaves all as they are."),
    )
    rank = _whole(
        "rank",
        label=_("Rank"),
        required=False,
        initial=RANK,
        help_text=_("Width of the matrices that are learnt (LoRA). More room for much to learn, and a larger adapter."),
    )
    alpha = _number(
        "alpha",
        at_least=SMALLEST,
        label=_("Alpha"),
        required=False,
        help_text=_("Alpha divided by rank scales what is learnt. Empty: twice the rank."),
    )
    dropout = _number(
        "dropout",
        label=_("Dropout"),
        required=False,
        initial=0,
        help_text=_("Share of the adapter’s inputs that each step leaves out, against learning by heart."),
    )
    longest = _whole(
        "longest",
        label=_("Longest example"),
        required=False,
        help_text=_("In tokens; a longer one ends the job with its row. Empty: as long as the base model reads."),
    )
    seed = _whole(
        "seed",
        label=_("Seed"),
        required=False,
        initial=0,
        help_text=_("Decides the first values, the order, and what is held out. The same seed gives the same model."),
    )

    HINTED: frozenset[str] = frozenset(RULES)
    FIRST = ("epoch_count", "batch_size", "learning_rate")
    HELD_OUT = ("validation", "validation_dataset", "patience", "samples")
    MORE = ("schedule", "warmup", "weight_decay", "gradient_norm", "rank", "alpha", "dropout", "longest", "seed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hints: dict[str, str] = {}
        self._offer_share(self.said("validation"))

    def said(self, name: str) -> str:
        """What is filled in for a field, be it sent or suggested; not yet looked at."""
        said = self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)
        return "" if said is None else str(said)

    def recipe(self) -> Recipe:
        """What was said, and what is assumed for the rest. For fields without errors."""
        said = {name: self.cleaned_data.get(name) for name in (*GOOGLES, *LIMITS, "schedule")}
        given = {name: value for name, value in said.items() if value not in (None, "")}
        if "schedule" in given:
            given["schedule"] = Schedule(given["schedule"])
        if "rank" in given and "alpha" not in given:
            given["alpha"] = ALPHA_A_RANK * given["rank"]
        return Recipe(**given)

    def held_out_fields(self) -> list[BoundField]:
        return [self[name] for name in self.HELD_OUT if name in self.fields]

    def more_fields(self) -> list[BoundField]:
        return [self[name] for name in self.MORE if name in self.fields]

    def hinted_fields(self) -> list[BoundField]:
        return [self[name] for name in sorted(self.HINTED) if name in self.fields]

    def more_is_wrong(self) -> bool:
        """Whether something is to be mended among the settings that are folded away."""
        return any(name in self.errors for name in (*self.HELD_OUT, *self.MORE))

    def is_described(self, *others: str) -> bool:
        """Whether all that a recipe needs is there and in bounds, and ``others`` too."""
        names: Sequence[str] = (*self.FIRST, *self.HELD_OUT, *self.MORE, *others)
        fields = [name for name in names if name in self.fields]
        return all(name in self.cleaned_data and name not in self.errors for name in fields)

    def check_held_out(self) -> None:
        """Note what needs held-out examples where there are none, beside the field that can mend it."""
        recipe, apart = self.recipe(), self.cleaned_data.get("validation_dataset")
        if recipe.validation and apart:
            self.add_error("validation_dataset", _("Choose a share or a dataset, not both."))
        if not (recipe.validation or apart):
            for name in ("patience", "samples"):
                if getattr(recipe, name):
                    self.add_error(name, _("That needs held-out examples: choose a share, or a dataset."))

    def check_against(self, examples: int) -> None:
        """Note what does not fit a dataset of so many examples, too."""
        recipe = self.recipe()
        self.check_held_out()
        if recipe.validation and examples < 2:
            self.add_error("validation", _("Of one example none can be held out."))
        else:
            self._check_size(recipe, examples - held_out(examples, recipe.validation))

    def _offer_share(self, share: str) -> None:
        """A share that no choice stands for, but a job made by code may have."""
        field = self.fields["validation"]
        try:
            said = float(share or 0)
        except ValueError:
            return
        if 0 < said <= LIMITS["validation"][1] and share not in dict(field.choices):  # type: ignore[attr-defined]
            field.choices = [*field.choices, (share, f"{100 * said:g} %")]  # type: ignore[attr-defined]

    def _check_size(self, recipe: Recipe, examples: int) -> None:
        if recipe.batch_size > examples:
            message = ngettext(
                "There is %(count)s example to learn from: choose that.",
                "There are %(count)s examples to learn from: choose that or less.",
                examples,
            )
            self.add_error("batch_size", message % {"count": examples})
        elif (steps := total_steps(examples, recipe.epoch_count, recipe.batch_size)) > TOTAL_STEPS:
            too_many = gettext("That makes %(steps)s steps; at most %(most)s can be run.")
            self.add_error("epoch_count", too_many % {"steps": f"{steps:,}", "most": f"{TOTAL_STEPS:,}"})


def said_by(recipe: Recipe) -> dict[str, Any]:
    """What to fill in for a job with this recipe, by the names of the fields."""
    return {name: getattr(recipe, name) for name in _order()} | {"validation": f"{recipe.validation:g}"}


def settings_of(job: Job) -> list[tuple[str, str]]:
    """Every hyperparameter of ``job`` by the name that the form has for it, as it was used."""
    shown = shown_recipe(job.recipe)
    if apart := job.validation_version:
        shown[str(RecipeForm.base_fields["validation"].label)] = (
            f"{apart.dataset.name} v{apart.number}, {apart.examples:,}"
        )
    return list(shown.items())


def shown_recipe(recipe: Recipe) -> dict[str, str]:
    """Every hyperparameter as people read it, by the name that the form has for it."""
    return {str(RecipeForm.base_fields[name].label): _shown(name, getattr(recipe, name)) for name in _order()}


def _order() -> list[str]:
    names = (*RecipeForm.FIRST, *RecipeForm.HELD_OUT, *RecipeForm.MORE)
    return [name for name in names if name != "validation_dataset"]


def _shown(name: str, value: Any) -> str:
    if name == "schedule":
        return str(SCHEDULES[Schedule(value)])
    if name == "validation":
        return f"{100 * value:g} %"
    if value is None:
        return gettext("as the base model reads")
    return written_number(value) if isinstance(value, float) else f"{value}"
