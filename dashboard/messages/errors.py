"""What a service could not do (codes: :mod:`tuning.errors`)."""

import re
from math import ceil

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dashboard.messages.connections import CONNECTIONS
from dashboard.messages.evaluations import EVALUATIONS
from dashboard.messages.google import GOOGLE, LINKS
from dashboard.messages.openid import OPENID
from dashboard.messages.pasted import PASTED
from dashboard.messages.scopes import name_scopes
from dashboard.messages.wording import UNKNOWN, Message, filled
from tuning.errors import ServiceError, TuningError

SERVICE_ERRORS = {
    "unreachable": (
        _("The service does not answer"),
        _(
            "It is down, or the network is. This machine’s own starts with the dashboard, by “make run”. Jobs already "
            "sent go on by themselves."
        ),
    ),
    "timed_out": (
        _("The service took too long to answer"),
        _("It may be busy. Wait a moment and try again; nothing was lost."),
    ),
    "bad_answer": (
        _("The service’s answer could not be read"),
        _("The connection’s address may belong to something else, or a proxy stands between. Check the address."),
    ),
    "unavailable": (
        _("The service is not ready"),
        _("It is starting or busy. Wait a few seconds and try again."),
    ),
    "inference_starting": (
        _("The model is being loaded"),
        _("The first answer after a start takes a few seconds. Try again in a moment."),
    ),
    "unauthenticated": (
        _("The service does not know who is asking"),
        _(
            "The account, key or secret of the connection is not the one it expects. This machine’s own expects the "
            "dashboard’s: start both with the same VAR_DIR or TUNING_SECRET."
        ),
    ),
    "permission_denied": (
        _("Not found, or not yours"),
        _("The model may have been deleted, or its owner has not shared it with you."),
    ),
    "administrators_only": (
        _("Only administrators may do that"),
        _("Ask an administrator of this dashboard for it."),
    ),
    "not_found": (
        _("Not found, or not yours"),
        _("The model may have been deleted, or its owner has not shared it with you."),
    ),
    "not_yours": (
        _("You may not do that with this model"),
        _("Its owner decides who may. What you may do can have changed since the page was opened: reload it."),
    ),
    "owner_only": (_("Only the model’s owner may do that"), _("Ask them for it, or an administrator.")),
    "owner_fixed": (
        _("The owner’s role stays with the owner"),
        _("Make somebody else the owner first: who was it becomes a writer."),
    ),
    "permission_exists": (
        _("They have a role on this model already"),
        _("The list shows it as it is now. Change their role there."),
    ),
    "already_exists": (_("A model of that name exists already"), _("Choose another name.")),
    "failed_precondition": (
        _("The model is not ready for that"),
        _("Wait until its tuning job is done, then try again."),
    ),
    "base_model_exists": (_("There is a base model of that name already"), _("Choose another name.")),
    "bad_base_name": (
        _("The base model cannot be called that"),
        _("Use lower-case letters, digits, hyphens and points; begin and end with a letter or a digit."),
    ),
    "folder_outside": (
        _("The folder is not in BASES_DIR, or leads out of it"),
        _("Put the files themselves there: links to other places are not followed."),
    ),
    "base_folder_missing": (
        _("The folder is no longer there"),
        _("Put it into BASES_DIR on the tuning server’s machine again."),
    ),
    "base_model_kept": (
        _("This base model cannot be removed"),
        _("It came with Tuneboard, or is the one that TUNING_DEFAULT_BASE_MODEL names."),
    ),
    "base_model_in_use": (
        _("Tuned models need this base model"),
        _("They answer by it. Delete them first."),
    ),
    "job_ended": (_("The job has ended"), _("There is nothing left to be put in another place of the queue.")),
    "archive_unreadable": (
        _("This is no library that can be read"),
        _("Choose a file that the export of a library wrote, as a whole."),
    ),
    "archive_strange": (
        _("The file holds what no library has: %(name)s"),
        _("Nothing of it was believed. Export the library again, and bring in that file as it is."),
    ),
    "archive_damaged": (
        _("A part of the file is damaged: %(name)s"),
        _("Its hash or its size is another than was written down. Copy the file again, or export the library anew."),
    ),
    "archive_newer": (
        _("The file was written by a newer Tuneboard"),
        _("Update this one, then bring the file in."),
    ),
    "archive_gone": (
        _("The file is no longer there"),
        _("Put it into MOVING_DIR again, then bring it in."),
    ),
    "archive_unwritten": (
        _("The file could not be written or read"),
        _("The disk may be full, or the folder not ours to write into. What was half is gone; try again."),
    ),
    "archive_broke": (
        _("Tuneboard broke down over this file"),
        _("Its log says why. What was brought in before that stays."),
    ),
    "archive_unusable": (
        _("The adapter’s file cannot be used"),
        _("The technical detail says what is wrong with it."),
    ),
    "adapter_unfit": (
        _("The adapter does not fit the base model of this installation"),
        _("The technical detail says where. Make the base model ready that it was tuned from, in the engine room."),
    ),
    "adapter_missing": (
        _("The model’s weights are not there"),
        _("Its service has no adapter of it, or the file was written without one."),
    ),
    "base_model_preparing": (
        _("The base model is being made ready"),
        _("That may take a while; the engine room shows how far it is. Then begin again: what is here already stays."),
    ),
    "being_deleted": (
        _("It is being deleted at this moment"),
        _("It left the bin, or the worker is at it. Look into the bin again in a few minutes."),
    ),
    "model_deleted": (
        _("The service does not have the model any more"),
        _("It was deleted there. The bin forgets it at its next try."),
    ),
    "job_forgotten": (
        _("The service cannot find the model without its job"),
        _("The job is not kept here any more. Delete the model at the service itself."),
    ),
    "training_data_gone": (
        _("The examples are no longer kept"),
        _("The tuning server removed them after the time it keeps them. Start a new job with the dataset."),
    ),
    "too_many_keys": (
        _("So many keys are in use that no more are given out"),
        _("Revoke one that is no longer needed, then try again."),
    ),
    "exhausted": (_("The service’s quota is used up for now"), _("Wait a minute and try again.")),
    "jobs_quota": (
        _("No more jobs at once: %(used)s of %(limit)s are queued or running, and %(more)s more would be too many"),
        _("Wait until one has ended, or cancel one. Administrators can raise the limit."),
    ),
    "storage_quota": (
        _("No room for it: %(used)s of %(limit)s MB for datasets are used, and this takes %(more)s MB"),
        _("Delete a dataset that is no longer needed. Administrators can raise the limit."),
    ),
    "invalid_request": (
        _("The service refused the request"),
        _("The technical detail says which value it did not accept."),
    ),
    "unimplemented": (_("The service cannot do that"), _("It offers no such method.")),
    "internal": (_("The service broke down over this"), _("Try again; if it happens again, its log says why.")),
    "service_failed": (_("The service failed"), _("The technical detail holds its own words.")),
}

ERRORS = SERVICE_ERRORS | GOOGLE | CONNECTIONS | OPENID | PASTED | EVALUATIONS
"""Every code that :func:`explain` has a sentence for."""
PATIENCE = frozenset({"exhausted", "rate_limited", "quota_reached", "unavailable"})
"""Codes of services that may say when to come again."""
SCOPES = frozenset({"missing", "scopes"})
"""Parameters that name scopes."""
LINKED_TO = re.compile(
    r"/(?![/\\])[\w./?&=%#-]*|https://console\.(?:cloud|developers)\.google\.com/[^\s\"<>\\]*", re.ASCII
)
"""Pages of ours and of Google's console: nothing else is linked to, whatever a service says."""


def explain(error: TuningError) -> Message:
    """The sentence for ``error``: by its own code, else by that of its class; where it asks to wait, how long."""
    code = code_of(error)
    title, advice = ERRORS.get(code, UNKNOWN)
    waiting = _wait(error) if code in PATIENCE else ""
    params = error.params | {name: name_scopes(str(error.params[name])) for name in SCOPES & error.params.keys()}
    link = str(error.params.get("link") or "")
    return Message(
        filled(title, params),
        waiting or filled(advice, params),
        link if LINKED_TO.fullmatch(link) else "",
        str(LINKS.get(code, LINKS["console"])),
    )


def code_of(error: TuningError) -> str:
    """The code by which ``error`` has its sentence."""
    codes = [error.code, *(getattr(kind, "code", "") for kind in type(error).__mro__)]
    return next((code for code in codes if code in ERRORS), "")


def _wait(error: TuningError) -> str:
    """What a service that says when to come again asks for."""
    seconds = ceil(error.retry_after or 0) if isinstance(error, ServiceError) else 0
    if seconds < 1:
        return ""
    if seconds <= 120:
        said, count = ngettext("Try again in %(count)s second.", "Try again in %(count)s seconds.", seconds), seconds
    else:
        count = ceil(seconds / 60)
        said = ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", count)
    return f"{said % {'count': count}} {gettext('The service asks for that; nothing was lost.')}"
