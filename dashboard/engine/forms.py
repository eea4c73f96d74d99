"""Which base model is to be added, and where a job is to stand in the queue."""

import re
from collections.abc import Sequence

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from tuning.providers import NewBase

NAME_CHARACTERS = 64
HIGHEST = 100
"""The highest priority that a job can have."""


class NewBaseForm(forms.Form):
    """A base model from one of ``folders``."""

    folder = forms.ChoiceField(
        label=_("Folder"), help_text=_("What lies in BASES_DIR on the tuning server’s machine: safetensors or GGUF.")
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_CHARACTERS,
        required=False,
        help_text=_("By which scripts ask for it; the folder’s, where you leave this empty."),
        validators=[
            RegexValidator(
                r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
                _("Use lower-case letters, digits, hyphens and points; begin and end with a letter or a digit."),
            )
        ],
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    display_name = forms.CharField(label=_("Name for people"), max_length=100, required=False)
    licence = forms.CharField(
        label=_("Licence"),
        max_length=100,
        required=False,
        help_text=_("Shown beside it, and in what people take away."),
    )

    def __init__(self, folders: Sequence[str], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        choice = self.fields["folder"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(folder, folder) for folder in folders]

    def base(self) -> NewBase:
        """What the service is asked for."""
        asked = self.cleaned_data
        return NewBase(
            name=asked["name"] or _slug(asked["folder"]),
            folder=asked["folder"],
            display_name=asked["display_name"],
            licence=asked["licence"],
        )


class PriorityForm(forms.Form):
    priority = forms.IntegerField(min_value=-HIGHEST, max_value=HIGHEST)


def _slug(folder: str) -> str:
    """``Qwen2.5-0.5B_Instruct`` becomes ``qwen2.5-0.5b-instruct``."""
    return re.sub(r"[^a-z0-9.]+", "-", folder.lower()).strip("-.")[:NAME_CHARACTERS]
