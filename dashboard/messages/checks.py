"""What the test of a connection found, a line a check (codes: :mod:`tuning.providers.checking`)."""

from django.utils.translation import gettext_lazy as _

from dashboard.messages.errors import explain
from dashboard.messages.google import LINKS
from dashboard.messages.scopes import name_scopes
from dashboard.messages.wording import UNKNOWN, Message
from tuning.providers import Check

CHECKS = {
    "reachable": (_("The service answers"), _("The service does not answer")),
    "signed_in": (_("It knows who is asking: %(detail)s"), _("It does not accept who is asking: %(detail)s")),
    "account": (_("Your account is connected: %(detail)s"), _("Your account is not connected")),
    "key": (_("The key is accepted"), _("The key is not accepted: %(detail)s")),
    "scope": (_("What it needs is granted: %(detail)s"), _("Not granted: %(detail)s")),
    "api": (_("The API is enabled: %(detail)s"), _("The API is not enabled: %(detail)s")),
    "project": (_("The project is there: %(detail)s"), _("The project cannot be used: %(detail)s")),
    "quota_project": (_("The project counts the requests: %(detail)s"), _("The project cannot be used: %(detail)s")),
    "location": (_("The location is there: %(detail)s"), _("The location cannot be used: %(detail)s")),
    "billing": (_("The project is paid for: %(detail)s"), _("Billing is not enabled: %(detail)s")),
    "bucket": (_("The bucket can be written to: %(detail)s"), _("The bucket cannot be written to: %(detail)s")),
    "bucket_there": (_("The bucket is there: %(detail)s"), _("There is no bucket of that name: %(detail)s")),
    "permission": (_("Allowed: %(detail)s"), _("The account lacks a role in the project: %(detail)s")),
    "models": (
        _("Base models that can be tuned: %(detail)s"),
        _("It offers no base model that can be tuned. What is tuned already can be brought in and asked"),
    ),
}
LINK_CODES = {"account": "connect_account", "api": "api_disabled", "billing": "billing_disabled"}
"""The links that have a name of their own."""
GENERAL = frozenset({"not_found", "permission_denied"})
"""Errors whose sentences speak of models: of a connection, the check's own says more."""


def explain_check(check: Check) -> Message:
    """What was found; of an error, what to do as well. A code that nobody knows stands for itself."""
    error = check.error if check.error and check.error.code not in GENERAL else None
    said = explain(error) if error else Message(_sentence(check), "")
    title = f"{said.title}." if error or not check.detail else said.title
    return Message(title, said.advice, check.link or said.link, str(LINKS[LINK_CODES.get(check.code, "console")]))


def _sentence(check: Check) -> str:
    well, amiss = CHECKS.get(check.code, (check.code, f"{UNKNOWN[0]}: {check.code}"))
    detail = name_scopes(check.detail) if check.code == "scope" else check.detail
    return (str(well if check.ok else amiss) % {"detail": detail}).strip().rstrip(":.")
