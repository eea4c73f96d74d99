"""A link that lets somebody in once, made by who has this machine's command line: the way back where a provider that
people sign in by is broken, and the way in for those who came with a library and have no password.

Nothing is kept of it: it is signed, says what the account was like, and signing in changes that. Opening its page uses
nothing up: only the form's POST does.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard import audit
from dashboard.accounts.models import User

LIFETIME = timedelta(hours=1)
SALT = "dashboard.accounts.ways_in"


def issue(person: User) -> str:
    """The link that lets ``person`` in."""
    token = signing.dumps([person.pk, _likeness(person)], salt=SALT)
    return str(settings.SITE_URL.rstrip("/") + reverse("accounts:way_in", args=[token]))


def find(token: str) -> User | None:
    """Whom the link of ``token`` lets in, while it is good."""
    try:
        pk, likeness = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    person = User.objects.filter(pk=pk, is_active=True).first()
    return person if person and constant_time_compare(likeness, _likeness(person)) else None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def use(request: HttpRequest, token: str) -> HttpResponse:
    """Asks whether to come in; then in."""
    person = find(token)
    if person is None:
        return TemplateResponse(request, "accounts/way_in_over.html", status=410)
    if request.method == "POST":
        with transaction.atomic():
            login(request, person)
            audit.record(request, "person.way_in_used", person)
        return redirect("accounts:account")
    return TemplateResponse(request, "accounts/way_in.html", {"person": person})


def _likeness(person: User) -> str:
    """What signing in, another password and ending all sessions change."""
    state = f"{person.last_login}:{person.password}:{person.session_epoch}"
    return salted_hmac(SALT, state, algorithm="sha256").hexdigest()[:32]
