"""Who is asking, and what they may do. One place decides: :func:`permit`, and its twin for lists."""

from enum import StrEnum

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest

from tuning import assertions
from tuning.assertions import Identity
from tuning.errors import InvalidRequest, PermissionDenied, Unauthenticated
from tuning.server.models import ApiKey, Job


class Action(StrEnum):
    """What somebody may want to do with a tuned model."""

    READ = "read"
    ASK = "ask"
    CHANGE = "change"
    DELETE = "delete"


def caller(request: HttpRequest) -> Identity:
    """The person behind ``request``: by ``Authorization: Bearer`` or ``?access_token=``, else by an API key in
    ``x-goog-api-key`` or ``?key=``. A bearer is an API key or the dashboard's assertion.

    Raises ``PermissionDenied`` without credentials, ``Unauthenticated`` or ``InvalidRequest`` with wrong ones, each
    as the service does.
    """
    if authorization := request.headers.get("Authorization"):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        return _bearer(token.strip())
    if access_token := request.GET.get("access_token"):
        return _bearer(access_token)
    if key := request.headers.get("X-Goog-Api-Key") or request.GET.get("key"):
        return _key_holder(key) or _refuse_key()
    raise PermissionDenied("unregistered")


def permit(identity: Identity, job: Job, action: Action) -> None:
    """Raise ``PermissionDenied`` unless ``identity`` may do ``action``: owners and administrators may do all."""
    if not (identity.administrator or job.owner == identity.email.lower()):
        raise PermissionDenied("not_yours", name=job.name, action=action)


def visible_to(identity: Identity) -> Q:
    """The jobs whose READ :func:`permit` allows."""
    return Q() if identity.administrator else Q(owner=identity.email.lower())


def _bearer(token: str) -> Identity:
    if token.count(".") == 2:  # a JWT; our keys hold no dot
        return assertions.verify(token, settings.TUNING_SECRET)
    if found := _key_holder(token):
        return found
    raise Unauthenticated


def _key_holder(key: str) -> Identity | None:
    found = ApiKey.objects.find(key)
    if found is None:
        return None
    found.touch()
    return Identity(email=found.owner)


def _refuse_key() -> Identity:
    raise InvalidRequest("api_key_invalid", service="generativelanguage.googleapis.com")
