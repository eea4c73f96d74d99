"""What comes into the presets room."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.jobs.recipes import RecipeForm, said_by
from dashboard.presets.models import NAME_LENGTH, Preset


class PresetForm(RecipeForm):
    """A name, who may use it, and every hyperparameter."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, strip=True)
    shared = forms.BooleanField(
        label=_("Shared with everybody"),
        required=False,
        help_text=_("Others can begin jobs with it. Only you change it."),
    )
    base_model = forms.CharField(
        label=_("Base model"),
        required=False,
        max_length=200,
        strip=True,
        help_text=_("Chosen along with the preset. Empty: it fits any."),
    )
    validation_dataset = None  # type: ignore[assignment]  # a person's own, and of one subject: a preset goes with any dataset
    field_order = ("name", "shared", "base_model")
    HINTED: frozenset[str] = frozenset()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.is_described():
            self.check_held_out()
        return cleaned

    def save(self, owner: User, preset: Preset | None = None) -> Preset:
        """The preset with what was said: a new one of ``owner``'s, or the one that is there."""
        kept = preset or Preset(owner=owner)
        kept.name, kept.shared = self.cleaned_data["name"], self.cleaned_data["shared"]
        kept.base_model, kept.recipe = self.cleaned_data["base_model"], self.recipe()
        kept.save()
        return kept


def filled_with(preset: Preset) -> dict[str, Any]:
    """What to fill in to change ``preset``."""
    own = {"name": preset.name, "shared": preset.shared, "base_model": preset.base_model}
    return own | said_by(preset.recipe)
