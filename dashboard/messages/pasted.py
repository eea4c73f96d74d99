"""Why pasted text is no job (codes: :mod:`tuning.pasted`)."""

from django.utils.translation import gettext_lazy as _

PASTED = {
    "paste_empty": (_("There is nothing to read"), _("Paste a curl command, or its JSON.")),
    "paste_not_a_request": (
        _("This is neither a curl command nor a JSON object"),
        _("Paste the whole command, from “curl” on, or all of its JSON from brace to brace."),
    ),
    "paste_quotes": (
        _("A quotation mark of the command is never closed"),
        _("Its end may be missing: copy the whole command."),
    ),
    "paste_without_body": (
        _("The command sends nothing that describes a job"),
        _("Look for the one that creates the model: it has -d and JSON behind it."),
    ),
    "paste_from_file": (
        _("The command sends a file, which is not in the text"),
        _("Paste what the file holds."),
    ),
    "paste_bad_json": (_("The JSON cannot be read: %(reason)s"), _("Copy all of it, from brace to brace.")),
    "paste_bad_value": (
        _("“%(path)s” is %(value)s where %(expected)s is expected"),
        _("Correct it there and paste again."),
    ),
    "paste_contradiction": (_("“%(path)s” contradicts another field"), _("Only one of the two may be there.")),
    "paste_too_many": (_("“%(path)s” has more than %(limit)s items"), _("Upload them as a dataset instead.")),
}
