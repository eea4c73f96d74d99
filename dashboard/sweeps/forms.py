"""The form of a sweep: that of a job, in which some fields take several values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from dashboard.jobs.forms import NewJob, Sketch
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import RecipeForm
from dashboard.people import quotas
from dashboard.sweeps import grid, values
from dashboard.sweeps.models import Sweep
from dashboard.sweeps.totals import Total, total
from dashboard.sweeps.values import Spacing, Unreadable
from tuning.recipes import ABOVE_ZERO, LIMITS

SENTENCES = {
    "empty": _("Write at least one value."),
    "not_a_number": _("“%(found)s” is no number. Part values by commas, or write a range: 2..10."),
    "not_whole": _("“%(found)s” is no whole number."),
    "not_positive": _("A range like “%(found)s” must begin above 0."),
    "too_many": _("At most %(most)s values."),
}


class ValuesField(forms.CharField):
    """Several values of a hyperparameter. Cleaned, they are a tuple of numbers."""

    def __init__(self, name: str, spacing: Spacing, help_text: str) -> None:
        usual = RecipeForm.base_fields[name]
        super().__init__(label=usual.label, help_text=help_text, required=usual.required, max_length=500)
        self.initial = usual.initial
        self.setting, self.spacing = name, spacing

    def prepare_value(self, value: Any) -> Any:
        """A number that a job or a dataset lends is shown as a person would write it."""
        return values.written((value,)) if isinstance(value, int | float) else value

    def clean(self, value: Any) -> tuple[float, ...]:
        text = super().clean(value)
        try:
            found = values.read(text or f"{self.initial}", self.spacing)
        except Unreadable as error:
            raise ValidationError(SENTENCES[error.code] % error.params, error.code) from None
        self._check_bounds(found)
        return found

    def _check_bounds(self, found: tuple[float, ...]) -> None:
        lowest, highest = LIMITS[self.setting]
        outside = [value for value in found if not lowest <= value <= highest]
        outside += [value for value in found if value == 0 and self.setting in ABOVE_ZERO]
        if not outside:
            return
        said = {"found": f"{outside[0]:.6g}", "lowest": f"{lowest:.10g}", "highest": f"{highest:.10g}"}
        above = _("%(found)s is out of bounds: more than %(lowest)s, at most %(highest)s.")
        within = _("%(found)s is out of bounds: %(lowest)s to %(highest)s.")
        raise ValidationError((above if self.setting in ABOVE_ZERO else within) % said)


LISTED = {
    "learning_rate": (Spacing.RATIOS, _("A list, 0.0005, 0.001, 0.002, or a range, 0.0001..0.01 x5.")),
    "epoch_count": (Spacing.WHOLE, _("A list, 3, 5, 8, or a range: 2..6, or 2..10 x3.")),
    "batch_size": (Spacing.DOUBLINGS, _("A list, or a range that doubles: 4..16 is 4, 8, 16.")),
    "rank": (Spacing.DOUBLINGS, _("A list, or a range that doubles. Alpha follows it if left empty.")),
    "seed": (Spacing.WHOLE, _("Several seeds, 1..3, show how much of a difference is chance alone.")),
}
"""The settings that take several values, how their ranges are filled, and what stands below their fields."""


class NewSweep(NewJob):
    """Dataset, base model, and lists or ranges of hyperparameters: a job for each combination."""

    stop_on_failure = forms.TypedChoiceField(
        label=_("When a job fails"),
        required=False,
        initial="",
        coerce=bool,
        choices=[("", _("go on with the others")), ("stop", _("stop the others"))],
    )

    HINTED: frozenset[str] = frozenset()
    SINGLE = ("schedule", "warmup", "weight_decay", "gradient_norm", "alpha", "dropout", "longest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (spacing, help_text) in LISTED.items():
            if name in self.fields:
                self.fields[name] = ValuesField(name, spacing, str(help_text))

    def single_fields(self) -> list[forms.BoundField]:
        """Those folded away: one value for all jobs."""
        return [self[name] for name in self.SINGLE if name in self.fields]

    def more_is_wrong(self) -> bool:
        return any(name in self.errors for name in (*self.HELD_OUT, *self.SINGLE))

    def listed(self) -> dict[str, tuple[float, ...]]:
        """The values of each field that takes several. For fields without errors."""
        return {name: self.cleaned_data[name] for name in LISTED if name in self.fields}

    def advise(self) -> None:
        """Of several values there is nothing to say that held for all."""

    def check_against(self, examples: int) -> None:
        """Note what does not fit, of the first combination that does not."""
        if (jobs := grid.size(self.listed())) > grid.MOST_JOBS:
            too_many = _("That makes %(jobs)s jobs; at most %(most)s can be started at once.")
            self.add_error(None, too_many % {"jobs": f"{jobs:,}", "most": grid.MOST_JOBS})
            return
        for combination in grid.combinations(self.listed()):
            with self._as_job(combination):
                super().check_against(examples)
            if self.errors:
                return

    def total(self) -> Total | None:
        """How many jobs, steps and seconds this comes to; ``None`` while the form is not filled in."""
        if not self.is_described("dataset", "version", "target") or self.non_field_errors():
            return None
        recipes = []
        for combination in grid.combinations(self.listed()):
            with self._as_job(combination):
                recipes.append(self.recipe())
        target = self.chosen_target
        return total(self.dataset_version, target.connection, target.base_model, recipes)

    def start(self) -> tuple[Sweep, bool]:
        """The sweep that was described, saved with its jobs, which are still to be sent; and whether it is new: a
        form that is sent twice makes one. Raises ``Exhausted`` where this person may not have so many jobs at once.
        """
        key = self._key()
        if before := Sweep.objects.filter(key=key).first():
            return before, False
        try:
            return self._made(key), True
        except IntegrityError:  # a twin of this request was quicker
            return Sweep.objects.get(key=key), False

    def _made(self, key: str) -> Sweep:
        listed, asked = self.listed(), self.cleaned_data
        varied = grid.varied(listed)
        sweep = Sweep(owner=self.user, name=asked["display_name"], varied=varied, key=key)
        sweep.stop_on_failure = bool(asked["stop_on_failure"])
        if foretold := self.total():
            sweep.estimate = foretold.kept()
        tried = [{name: one[name] for name in varied} for one in grid.combinations(listed)]
        jobs = ((self._job(one, number), one) for number, one in enumerate(tried, start=1))
        with transaction.atomic():
            quotas.admit_jobs(self.user, len(tried))  # for all of them: the first too many would tell of itself alone
            return Sweep.objects.start(sweep, jobs)

    def _job(self, combination: grid.Values, number: int) -> Job:
        name = grid.job_name(self.cleaned_data["display_name"], combination, number)
        with self._as_job(self._single() | combination, display_name=name):
            return self.job()

    def _single(self) -> grid.Values:
        return {name: values[0] for name, values in self.listed().items()}

    @contextmanager
    def _as_job(self, combination: grid.Values, **more: str) -> Iterator[None]:
        """While it lasts, the form reads as the form of the one job with ``combination``."""
        whole = self.cleaned_data
        self.cleaned_data = {**whole, **combination, **more}
        try:
            yield
        finally:
            self.cleaned_data = whole


class SweepSketch(Sketch, NewSweep):
    """The form of a sweep while it is being filled in: no service is asked."""
