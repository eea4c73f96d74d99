"""Fields by which rows of a list are named."""

from typing import Any

from django import forms


def is_key(text: str) -> bool:
    """Whether ``text``, which may be anything, can be a row's key."""
    return text.isascii() and text.isdecimal() and len(text) < 16


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several rows; a number that no row can have is none of them, as one is that has gone."""

    def clean(self, value: Any) -> Any:
        return super().clean([pk for pk in value or () if is_key(str(pk))])
