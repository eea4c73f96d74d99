"""Why a service cannot be asked, and what the test of a connection found (codes: :mod:`tuning.providers.checking`)."""

from django.utils.translation import gettext_lazy as _

from dashboard.messages.wording import UNKNOWN
from tuning.providers import Check

CONNECTIONS = {
    "connect_account": (
        _("Connect your account first"),
        _("“%(connection)s” is asked in the name of your own Google account."),
    ),
    "reconnect": (
        _("Your account is to be connected anew"),
        _("Google does not accept what you allowed “%(connection)s” any more. Jobs under way go on there."),
    ),
    "connection_closed": (
        _("You may not use this connection"),
        _("Administrators say who may. What is known here stays to be seen."),
    ),
    "oauth_client_missing": (
        _("Nobody can connect an account here yet"),
        _("Administrators name an OAuth client: in the connection, or for all in the settings (OPENID_CLIENT_ID)."),
    ),
    "oauth_client_refused": (
        _("Google does not know the OAuth client any more"),
        _("It was deleted, or its secret was changed. Administrators upload the present client_secret.json."),
    ),
    "service_account_missing": (
        _("The connection has no key of a service account"),
        _("Administrators upload one; a key that SECRET_KEY does not open any more is as good as none."),
    ),
    "service_account_refused": (
        _("Google refuses the service account’s key"),
        _("It was deleted or switched off. Administrators upload another one."),
    ),
}

CHECKS = {
    "reachable": (_("The service answers."), _("The service does not answer.")),
    "signed_in": (_("It knows who is asking: %(detail)s"), _("It does not accept who is asking. %(detail)s")),
    "account": (_("Your account is connected: %(detail)s"), _("Your account is not connected.")),
    "key": (_("The key is accepted."), _("The key is not accepted. %(detail)s")),
    "scope": (_("Granted: %(detail)s"), _("Not granted: %(detail)s")),
    "api": (_("The API is enabled: %(detail)s"), _("The API is not enabled: %(detail)s")),
    "project": (_("The project is there: %(detail)s"), _("The project cannot be used: %(detail)s")),
    "quota_project": (_("The project counts the requests: %(detail)s"), _("The project cannot be used: %(detail)s")),
    "location": (_("The location is there: %(detail)s"), _("The location cannot be used: %(detail)s")),
    "billing": (_("The project is paid for: %(detail)s"), _("Billing is not enabled: %(detail)s")),
    "bucket": (_("The bucket can be written to: %(detail)s"), _("The bucket cannot be written to: %(detail)s")),
    "permission": (_("Allowed: %(detail)s"), _("Not allowed: %(detail)s")),
    "models": (_("Base models that can be tuned: %(detail)s"), _("It offers no base model that can be tuned.")),
}


def explain_check(check: Check) -> str:
    """What was found, in a sentence. A code that nobody knows stands for itself."""
    sentences = CHECKS.get(check.code)
    if sentences is None:
        title = check.code if check.ok else f"{UNKNOWN[0]}: {check.code}"
        return f"{title} {check.detail}".strip()
    return (str(sentences[0] if check.ok else sentences[1]) % {"detail": check.detail}).strip()
