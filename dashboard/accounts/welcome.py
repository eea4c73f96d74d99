"""The link by which the first person comes in, as administrator, on a machine where nobody can sign in yet.

Tuneboard prints it when it starts. It works once, for a day, and only while there is no person; each start
makes a new one and ends the last. Opening the page uses nothing up (mail and chat programs open links to show
a preview): only the form's POST does.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from dashboard.accounts.models import User, WelcomeLink

LIFETIME = timedelta(days=1)


def issue_link() -> str | None:
    """A new welcome link in place of any earlier one; ``None`` once there is a person who can sign in."""
    if User.objects.exists():
        return None
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        WelcomeLink.objects.all().delete()
        WelcomeLink.objects.create(digest=_digest(token), expires=timezone.now() + LIFETIME)
    # The room's own addresses suffice, so that the launcher need not load every page.
    return settings.SITE_URL + reverse("welcome", urlconf="dashboard.accounts.urls", args=[token])


def find_link(token: str) -> WelcomeLink | None:
    """The link that ``token`` belongs to, while it is good."""
    link = WelcomeLink.objects.filter(expires__gt=timezone.now()).first()
    if link is None or not constant_time_compare(link.digest, _digest(token)) or User.objects.exists():
        return None
    return link


@transaction.atomic
def redeem(link: WelcomeLink, make: Callable[[], User]) -> User | None:
    """The first person, as ``make`` makes them; ``None`` when somebody else was quicker."""
    used, _rows = WelcomeLink.objects.filter(pk=link.pk).delete()
    if not used or User.objects.exists():
        return None
    first = make()
    first.is_administrator = True
    first.save(update_fields=["is_administrator"])
    return first


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
