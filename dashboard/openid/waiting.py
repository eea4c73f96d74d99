"""An account elsewhere that waits for its person here to say that it is theirs. It waits in the session, so that
nobody else can say so.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.openid.admitting import Claimed
from dashboard.openid.errors import ConsentError

PLACE = "openid waits"
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """``claimed`` waits for ``user``, who then goes on to ``wanted``. Who is not signed in needs the password."""

    claimed: Claimed
    user: User
    wanted: str
    is_needed: bool


def wait(request: HttpRequest, claimed: Claimed, user: User, wanted: str) -> None:
    """Keep what was claimed until ``user`` has said that it is theirs."""
    since = timezone.now().timestamp()
    request.session[PLACE] = {"claimed": claimed.kept(), "user": user.pk, "wanted": wanted, "since": since}


def waiting(request: HttpRequest) -> Waiting:
    """What waits in this session. Raises ``ConsentError`` where nothing does, or for somebody else."""
    kept: dict[str, Any] = request.session.get(PLACE) or {}
    user = User.objects.filter(pk=kept.get("user", 0), is_active=True).first()
    is_other = request.user.is_authenticated and request.user != user
    if user is None or is_other or kept["since"] < (timezone.now() - LIFETIME).timestamp():
        raise ConsentError("consent_stale")
    is_needed = not request.user.is_authenticated
    return Waiting(claimed=Claimed(**kept["claimed"]), user=user, wanted=kept["wanted"], is_needed=is_needed)


def forget(request: HttpRequest) -> None:
    """Nothing waits any more."""
    request.session.pop(PLACE, None)
