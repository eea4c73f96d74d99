"""Words of the library."""

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from dashboard.library.listing import drawn
from dashboard.library.models import TunedModel

register = template.Library()


@register.simple_tag
def star(model: TunedModel) -> SafeString:
    """The button that makes a model a favourite, or one no more."""
    return drawn.star(model, reverse("library:list"))
