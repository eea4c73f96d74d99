"""Words of the bin's and the clean-ups' pages."""

from collections.abc import Mapping
from typing import TypeVar

from django import template
from django.utils import timezone

from dashboard.retiring.models import Removal

register = template.Library()

V = TypeVar("V")


@register.filter
def is_over(removal: Removal) -> bool:
    """Whether the grace is over."""
    return removal.due <= timezone.now()


@register.filter
def of(found: Mapping[int, V], key: int) -> V | None:
    """What is found under ``key``."""
    return found.get(key)
