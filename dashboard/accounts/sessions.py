"""Sessions in the database, where Django keeps them, found by a question that is written already: each request asks it,
and Django takes five times as long to write it as a database to answer it.
"""

from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        sessions = self.get_model_class()._default_manager
        table = sessions.model._meta.db_table
        found = sessions.raw(f"SELECT * FROM {table} WHERE session_key = %s", [self.session_key])  # noqa: S608 - ours
        session = next(iter(found), None)
        if session is None or session.expire_date <= timezone.now():
            self._session_key = None
            return {}
        return self.decode(session.session_data)
