"""What happened to a job, as a notice has it, and why one could not be delivered (codes: ``dashboard/notices``)."""

from django.utils.translation import gettext_lazy as _

NOTICES = {
    "ended": _("“%(name)s” is done"),
    "failed": _("“%(name)s” failed"),
    "stalled": _("“%(name)s” stands still"),
    "diverged": _("The loss of “%(name)s” turned up"),
    "expires": _("“%(name)s” is kept not much longer"),
}

DELIVERIES = {
    "bad_address": _("The address cannot be read. Write it like https://example.com/path."),
    "not_https": _("The address begins with http://. Only https:// is posted to."),
    "no_such_host": _("There is no host of this name."),
    "internal_address": _(
        "No public host has this name. Administrators can allow one of an internal network: WEBHOOK_INTERNAL_HOSTS."
    ),
    "timed_out": _("The receiver took too long to answer."),
    "untrusted": _("The receiver’s certificate is not trusted, or is another host’s."),
    "unreachable": _("Nobody answered at the address."),
    "bad_answer": _("What answered does not speak HTTP."),
    "redirected": _("The receiver wants to be called elsewhere. Redirects are not followed: give its last address."),
    "turned_down": _("The receiver did not accept it."),
    "secret_lost": _("The secret cannot be read any more, since SECRET_KEY changed. Make a new one."),
    "mail_refused": _("The mail server did not take it."),
    "broken": _("Tuneboard could not put the notice together. The worker’s log says why."),
}
