"""What a person writes about a model: how it presents itself at its service, and notes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.library.models import TunedModel
from dashboard.library.notes import LENGTH

LINES = forms.Textarea(attrs={"rows": 3, "dir": "auto"})
NUMBER = {"step": "any", "inputmode": "decimal"}
AS_BASE = _("Empty: as the base model has it.")


class PresentationForm(forms.Form):
    """:class:`tuning.providers.Presentation` of a model, as it is now and as it is to be."""

    display_name = forms.CharField(label=_("Name"), max_length=40)
    description = forms.CharField(label=_("Description"), max_length=LENGTH, required=False, widget=LINES)
    temperature = forms.FloatField(
        label=_("Temperature"), required=False, widget=forms.NumberInput(attrs=NUMBER), help_text=AS_BASE
    )
    top_p = forms.FloatField(
        label=_("Top-p"), required=False, widget=forms.NumberInput(attrs=NUMBER), help_text=AS_BASE
    )
    top_k = forms.IntegerField(label=_("Top-k"), required=False, help_text=AS_BASE)

    def __init__(self, model: TunedModel, data: Any = None) -> None:
        super().__init__(data, initial={name: getattr(model, name) for name in self.base_fields})
        for field in self.fields.values():
            field.show_hidden_initial = True  # what the person saw; the record may have changed since

    def clean_description(self) -> str:
        """Browsers send every line's end as CR LF."""
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    def changes(self) -> dict[str, object]:
        """What is to be changed, and only that: what others changed meanwhile stays. Of an invalid form: nothing."""
        return {name: self.cleaned_data[name] for name in self.changed_data} if self.is_valid() else {}


class NotesForm(forms.Form):
    notes = forms.CharField(required=False, max_length=LENGTH, strip=False)

    def clean_notes(self) -> str:
        return str(self.cleaned_data["notes"]).replace("\r\n", "\n")
