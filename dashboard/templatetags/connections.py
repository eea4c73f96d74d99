"""What a page says where somebody's account is wanting."""

from typing import Any

from django import template

from dashboard.accounts.models import User
from dashboard.connections import tokens
from dashboard.connections.models import Connection
from tuning.errors import Unauthenticated

register = template.Library()


@register.inclusion_tag("connections/_wanted.html", takes_context=True)
def account_wanted(context: template.Context, connection: Connection, owner: User) -> dict[str, Any]:
    """That ``owner`` must connect an account before ``connection`` can be asked; nothing where that is not so."""
    try:
        tokens.needed(connection, owner)
    except Unauthenticated as error:
        return {"wanting": error.params, "code": error.code, "owner": owner, "mine": owner == context["user"]}
    return {}
