"""How often one may try: bounds on guessing passwords, per e-mail and per network address.

A try is written down before the password is looked at, so that many at once do not slip through, and counts
until it is forgiven by success or :data:`WINDOW` has passed.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_network

from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from dashboard import audit
from dashboard.accounts.models import SignInTry, User
from dashboard.http import network_address
from tuning.assertions import same_in_any_spelling

WINDOW = timedelta(minutes=15)
TRIES_FROM_ONE_ADDRESS = 10
"""For one e-mail."""
TRIES_PER_EMAIL = 100
"""From anywhere: strangers' guesses must not keep the person out so easily."""
TRIES_PER_ADDRESS = 50
"""For any e-mail: a whole office may share an address."""


class TooManyTries(Exception):
    """``wait`` is how long until the next try is allowed."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(f"{wait.total_seconds():.0f} s")


def begin(request: HttpRequest, email: str, purpose: str = "sign-in") -> None:
    """Count a try of ``purpose`` for ``email``. Raises ``TooManyTries``; a try refused is not counted."""
    now = timezone.now()
    SignInTry.objects.filter(time__lte=now - WINDOW).delete()
    this = SignInTry.objects.create(email_digest=digest(email, purpose), address=address_of(request), time=now)
    earlier = SignInTry.objects.filter(pk__lt=this.pk).order_by("-pk")
    free = max(
        _free_again(earlier.filter(email_digest=this.email_digest, address=this.address), TRIES_FROM_ONE_ADDRESS, now),
        _free_again(earlier.filter(email_digest=this.email_digest), TRIES_PER_EMAIL, now),
        _free_again(earlier.filter(address=this.address), TRIES_PER_ADDRESS, now),
    )
    if free > now:
        this.delete()
        raise TooManyTries(free - now)


def forgive(email: str, purpose: str = "sign-in") -> None:
    """Forget the tries for ``email`` after one that succeeded."""
    SignInTry.objects.filter(email_digest=digest(email, purpose)).delete()


def note(request: HttpRequest, event: str, email: str) -> None:
    """Tell the audit log of a try. Only an e-mail that is somebody's stands there; of others, which may be
    passwords, some of the digest.
    """
    if person := User.objects.filter(email=email).first():
        audit.record(request, event, person)
    else:
        audit.record(request, event, typed=digest(email)[:12])


def note_once(request: HttpRequest, email: str, refusal: TooManyTries) -> None:
    """Tell the audit log that tries are refused, once until one is allowed again: there may be thousands."""
    if cache.add(f"blocked:{digest(email)}:{address_of(request)}", True, refusal.wait.total_seconds()):
        note(request, "person.sign_in_blocked", email)


def address_of(request: HttpRequest) -> str:
    """The network address that ``request`` comes from; for IPv6 its /64 network, which one machine has whole."""
    address = network_address(request)
    if address is None:
        return "0.0.0.0"  # noqa: S104 - "unknown"; nothing is bound
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def _free_again(earlier: QuerySet[SignInTry], limit: int, now: datetime) -> datetime:
    """When the ``limit`` latest tries are no longer all within the window."""
    oldest = earlier[limit - 1 : limit].first()
    return oldest.time + WINDOW if oldest else now


def digest(email: str, purpose: str = "sign-in") -> str:
    """What stands for ``email``, or for whatever was typed in its place."""
    email = same_in_any_spelling(email)
    return salted_hmac(f"dashboard.accounts.tries.{purpose}", email, algorithm="sha256").hexdigest()
