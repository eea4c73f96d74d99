"""The use of API keys, as far as the tuning server tells of it, for the audit log."""

import logging

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from tuning.errors import ServiceError
from tuning.providers import ApiKey, KeyIssuer

logger = logging.getLogger(__name__)


def note() -> None:
    """Write down, for each key, that it was used since this was last written down."""
    connection = Connection.objects.local()
    for person in User.objects.filter(is_active=True):
        issuer = connection.open_for(person)
        if not isinstance(issuer, KeyIssuer):  # they may not use it any more
            continue
        try:
            keys = issuer.api_keys()
        except ServiceError as error:
            logger.info("nothing is known of the use of keys: %s", error.code)
            return
        for key in keys:
            _note(person, key)


def thing(key: ApiKey) -> audit.Thing:
    """What the audit log calls ``key``."""
    return audit.Thing("key", key.id, key.name)


def _note(person: User, key: ApiKey) -> None:
    if key.last_used is None:
        return
    at = key.last_used.isoformat(timespec="minutes")
    last = Entry.objects.about(thing(key)).filter(event="key.used").first()
    if last is None or str(last.facts["at"]) < at:
        audit.record(person, "key.used", thing(key), at=at)
