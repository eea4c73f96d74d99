"""What the test of a connection finds, line by line."""

from collections.abc import Sequence

from dashboard.accounts.models import User
from dashboard.connections import tokens
from dashboard.connections.models import Connection
from dashboard.messages import explain
from tuning.errors import ServiceError, Unauthenticated, Unavailable
from tuning.providers import Check, Checker, Provider


def checks(connection: Connection, user: User) -> Sequence[Check]:
    """Everything that a job of ``user`` there will need, looked at."""
    found = []
    try:
        tokens.needed(connection, user)
        if connection.wants_account and (account := connection.account_of(user)):
            found.append(Check(code="account", ok=True, detail=account.email))
    except Unauthenticated as error:
        return [Check(code="account", ok=False, link=explain(error).link)]
    provider = connection.open_for(user)
    return [*found, *(provider.check() if isinstance(provider, Checker) else _plain(provider))]


def _plain(provider: Provider) -> Sequence[Check]:
    """For a service that says no more than its models."""
    try:
        names = [model.display_name for model in provider.base_models() if model.tunable]
    except Unavailable as error:
        return [Check(code="reachable", ok=False, error=error)]
    except ServiceError as error:
        return [Check(code="reachable", ok=True), Check(code="signed_in", ok=False, error=error)]
    seen = [Check(code="reachable", ok=True), Check(code="key", ok=True)]
    return [*seen, Check(code="models", ok=bool(names), detail=", ".join(names[:5]))]
