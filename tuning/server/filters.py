"""The ``filter`` of ``tunedModels.list``: words, and the operators of the service.

``number "next one" owner:me`` finds what the caller owns and what has each of the words in its display name or
description, large and small letters alike. ``owner:me``, ``writers:me`` and ``readers:me`` ask for exactly that role
of the caller; ``readers:everyone`` for what is shared with everyone, which no other listing shows
(https://ai.google.dev/api/tuning#method:-tunedmodels.list). All terms must hold.
"""

import re

from django.db.models import Q

from tuning.assertions import Identity
from tuning.errors import InvalidRequest
from tuning.resources import Role
from tuning.server import access

CHARACTERS = 500
ROLES = {"owner": Role.OWNER, "writers": Role.WRITER, "readers": Role.READER}
EVERYONE = "readers:everyone"

_TERM = re.compile(r'"([^"]*)"|(\S+)')


def listed(identity: Identity, text: str) -> Q:
    """The jobs that a listing with the filter ``text`` shows to ``identity``. Raises ``InvalidRequest``."""
    if len(text) > CHARACTERS:
        raise InvalidRequest("too_long", field="filter", limit=CHARACTERS, length=len(text))
    if "\0" in text:
        raise InvalidRequest("out_of_range", field="filter", value="a NUL character", rule="text")
    terms = [(phrase, word) for phrase, word in _TERM.findall(text)]
    shared = any(word.lower() == EVERYONE for _, word in terms)
    found = access.visible_to(identity) if shared else access.listed_for(identity)
    for phrase, word in terms:
        found &= _operator(identity, word.lower()) or _contains(phrase or word)
    return found


def _operator(identity: Identity, word: str) -> Q | None:
    """What ``word`` asks for, if it is an operator."""
    name, colon, value = word.partition(":")
    if not colon or name not in ROLES:
        return None
    if word == EVERYONE:
        return access.shared_with_everyone()
    if value != "me":
        rule = "owner:me, writers:me, readers:me or readers:everyone"
        raise InvalidRequest("out_of_range", field="filter", value=word[:80], rule=rule)
    return access.held_by(identity, ROLES[name])


def _contains(text: str) -> Q:
    # A regular expression, for SQLite's LIKE knows the case of ASCII letters alone.
    pattern = re.escape(text)
    return Q(display_name__iregex=pattern) | Q(description__iregex=pattern)
