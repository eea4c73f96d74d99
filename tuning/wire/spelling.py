"""How the wire spells the fields of a message: in camelCase; both spellings are read."""

from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints


def shape(cls: type) -> dict[str, Any]:
    """The fields of a message as the wire spells them, and their types."""
    return {camel(name): kind for name, kind in kinds(cls).items()}


def attribute(cls: type, spelling: str) -> str | None:
    """The attribute of ``cls`` that ``spelling`` names in a body or a field mask, if any."""
    return attributes(cls).get(spelling)


def given(cls: type, body: dict[str, Any]) -> frozenset[str]:
    """The attributes of ``cls`` that ``body`` sets, be it to their defaults."""
    names = (attribute(cls, key) for key, value in body.items() if value is not None)
    return frozenset(name for name in names if name)


@cache
def camel(name: str) -> str:
    """``mean_loss`` as the wire spells it: ``meanLoss``."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@cache
def attributes(cls: type) -> dict[str, str]:
    """Both spellings of each field -> its attribute."""
    names = [field.name for field in fields(cls)]
    return {spelling: name for name in names for spelling in (name, camel(name))}


@cache
def kinds(cls: type) -> dict[str, Any]:
    """Each attribute -> its type."""
    return get_type_hints(cls)
