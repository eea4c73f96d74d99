"""Why a provider of accounts was asked, or vouches for somebody, in vain (codes: :mod:`dashboard.openid.errors`)."""

from django.utils.translation import gettext_lazy as _

OPENID = {
    "consent_refused": (
        _("You did not agree"),
        _("Nothing was changed. Grant what is asked for, or go another way."),
    ),
    "consent_stale": (
        _("This round is over"),
        _("It was begun too long ago, in another browser, or has been used already. Begin again."),
    ),
    "consent_scopes": (
        _("Something that is needed was not granted"),
        _("Missing: %(missing)s. Grant again, and leave every box ticked."),
    ),
    "consent_failed": (
        _("The provider’s answer cannot be believed"),
        _("Nothing was changed. Begin again; if it stays so, the settings of the provider or of its client are wrong."),
    ),
    "consent_unreachable": (
        _("The provider does not answer"),
        _("Wait a moment and begin again. If it stays so, look whether it can be reached from this machine."),
    ),
    "openid_unverified": (
        _("The provider does not say that the e-mail is yours"),
        _("Confirm your e-mail there, then sign in again, or use another account."),
    ),
    "openid_domain": (
        _("Accounts of %(domain)s do not come in here"),
        _("Use the account of your organisation, or ask an administrator which one that is."),
    ),
    "openid_nobody": (
        _("Nobody has an account here yet"),
        _("Open the welcome link that Tuneboard printed when it started: it makes you the first person."),
    ),
    "openid_unknown": (
        _("There is no account for %(email)s here"),
        _("Ask an administrator for an invitation, or use another account."),
    ),
    "openid_inactive": (
        _("The account of %(email)s is not active"),
        _("Ask an administrator to make it active again."),
    ),
    "openid_elsewhere": (
        _("%(email)s is linked with somebody else’s account here"),
        _("Sign in by it to get there, and unlink it there first."),
    ),
}
