"""Why a service cannot be asked (codes: :mod:`tuning.errors`)."""

from django.utils.translation import gettext_lazy as _

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
