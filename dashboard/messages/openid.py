"""Why a round to a provider of accounts brought nothing (codes: :mod:`dashboard.openid.errors`)."""

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
        _("Something that is needed was not granted: %(missing)s"),
        _("Grant again, and leave every box ticked."),
    ),
    "consent_failed": (
        _("The provider’s answer cannot be believed"),
        _("Nothing was changed. Begin again; if it stays so, the settings of the provider or of its client are wrong."),
    ),
    "consent_unreachable": (
        _("The provider does not answer"),
        _("Wait a moment and begin again. If it stays so, look whether it can be reached from this machine."),
    ),
}
