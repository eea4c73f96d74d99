"""The bell in the rail, and the words of deliveries."""

from typing import Any

from django import template

from dashboard.messages import DELIVERIES
from dashboard.notices.models import Notice

register = template.Library()


@register.inclusion_tag("notices/_bell.html", takes_context=True)
def notices_bell(context: dict[str, Any]) -> dict[str, Any]:
    """A link to one's notices, with how many of them are unread."""
    request = context["request"]
    match = request.resolver_match
    room = "notices" if match and match.namespace == "notices" else ""
    return {"unread": Notice.objects.shown_to(request.user).unread().count(), "room": room}


@register.filter
def delivery_problem(code: str) -> str:
    """Why a delivery failed."""
    return str(DELIVERIES.get(code, code))
