"""``/tuneboard/v1/keys``: the API keys of the person who asks, and of nobody else, whoever asks.

A key cannot make keys: otherwise whoever found one could outlive its being revoked. People make them on the
dashboard's page, which asks by assertion; ``python -m tuning.server apikey`` does so on the server's own machine.
"""

from django.db.models import F
from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.errors import FailedPrecondition, InvalidRequest, NotFound, PermissionDenied
from tuning.server.access import KeyHolder
from tuning.server.answers import answer, json_answer
from tuning.server.creation import check_length
from tuning.server.keys import ApiKey, ApiKeyQuerySet
from tuning.server.routing import read

NAME_CHARACTERS = 100
MOST = 100
"""Keys a person may have in use."""
LISTED = 200
"""Keys a listing shows: all that are in use, and those revoked last."""


def listing(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"keys": [{"id", "name", "ending", "created", "lastUsed", "revoked"}]}``, those in use first, then by age.

    ``ending`` is the key's last four characters; its text is not kept.
    """
    rows = _mine(caller).order_by(F("revoked").desc(nulls_first=True), "-pk")[:LISTED]
    return answer(resources.ApiKeyPage(keys=tuple(map(_rendered, rows))))


def create(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"name": …}`` makes a key. The answer has its text in ``key``, this once."""
    if isinstance(caller, KeyHolder):
        raise PermissionDenied("key_makes_no_key")
    name = _checked(read(resources.NewApiKey, request).name)
    if _mine(caller).filter(revoked=None).count() >= MOST:
        raise FailedPrecondition("too_many_keys", limit=MOST)
    row, text = ApiKey.objects.issue(name, caller.email)
    return answer(_rendered(row, text))


def revoke(request: HttpRequest, caller: Identity, key_id: str) -> HttpResponse:
    """Makes a key useless at once. Revoking it again changes nothing."""
    mine = _mine(caller).filter(pk=key_id) if key_id.isascii() and key_id.isdigit() and len(key_id) < 16 else None
    if mine is None or not mine.exists():
        raise NotFound("key_missing", id=key_id[:40])
    mine.revoke()
    return json_answer({})


def _mine(caller: Identity) -> ApiKeyQuerySet:
    return ApiKey.objects.filter(owner=caller.email.lower())


def _checked(name: str) -> str:
    name = name.strip()
    if not name:
        raise InvalidRequest("nothing_given", field="name")
    check_length("name", name, NAME_CHARACTERS)
    if not name.isprintable():
        raise InvalidRequest("out_of_range", field="name", value="a control character", rule="text on one line")
    return name


def _rendered(row: ApiKey, text: str = "") -> resources.ApiKey:
    return resources.ApiKey(
        id=str(row.pk),
        name=row.name,
        key=text,
        ending=row.ending,
        created=row.created,
        last_used=row.last_used,
        revoked=row.revoked,
    )
