"""What other rooms show of accounts elsewhere."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.urls import reverse

from dashboard.accounts.models import User
from dashboard.openid.client import is_offered

register = template.Library()


@register.inclusion_tag("openid/_button.html")
def openid_button(wanted: str = "", *, alone: str = "") -> dict[str, Any]:
    """The way in by a provider, which leads on to the page ``wanted``; nothing where none is set. Where it stands
    ``alone``, it is what the page is for.
    """
    return {
        "is_offered": is_offered(),
        "provider": settings.OPENID_NAME,
        "address": f"{_ours('openid:sign_in')}?{urlencode({'next': wanted})}",
        "alone": alone,
    }


@register.inclusion_tag("openid/_identities.html", takes_context=True)
def openid_identities(context: template.Context, user: User) -> dict[str, Any]:
    """By which accounts elsewhere ``user`` comes in, and the ways to change that."""
    return {
        "is_offered": is_offered(),
        "provider": settings.OPENID_NAME,
        "address": _ours("openid:add"),
        "identities": user.identities.all(),
        "csrf_token": context.get("csrf_token"),
    }


def _ours(name: str) -> str:
    """In full: the way begins where it ends, at the address that the provider knows."""
    return settings.SITE_URL.rstrip("/") + reverse(name)
