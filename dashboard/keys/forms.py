"""What a new key is to be called."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

NAME_CHARACTERS = 100


class NewKeyForm(forms.Form):
    name = forms.CharField(
        label=_("What the key is for"),
        max_length=NAME_CHARACTERS,
        help_text=_("A script, a notebook or a machine: one key each, so that one can go without the others."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError(gettext("A character of this name cannot be shown. Type it anew."))
        return name
