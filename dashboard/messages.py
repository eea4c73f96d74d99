"""Sentences for people: one for each code of :mod:`tuning.errors`, and the words for states.

Every entry says what happened; advice says what to do. ``%(name)s`` is filled from the error's parameters.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from tuning.errors import TuningError
from tuning.jobs import JobState

STATES = {
    JobState.QUEUED: _("Queued"),
    JobState.RUNNING: _("Tuning"),
    JobState.SUCCEEDED: _("Done"),
    JobState.FAILED: _("Failed"),
    JobState.CANCELLED: _("Cancelled"),
}

FINISH_REASONS = {
    "STOP": _("the model ended its answer"),
    "MAX_TOKENS": _("cut off at the most tokens allowed"),
    "OTHER": _("the service gave no reason"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, and what to do about it."""

    title: str
    advice: str


SERVICE_ERRORS = {
    "unreachable": (
        _("The tuning server does not answer"),
        _("Check that it runs: “make run” starts it with the dashboard. Jobs already sent go on by themselves."),
    ),
    "timed_out": (
        _("The tuning server took too long to answer"),
        _("It may be busy. Wait a moment and try again; nothing was lost."),
    ),
    "bad_answer": (
        _("The service’s answer could not be read"),
        _("The address of the connection may belong to something else, or a proxy stands between. Check its base URL."),
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
        _("Dashboard and tuning server must share one secret: start both with the same VAR_DIR or TUNING_SECRET."),
    ),
    "permission_denied": (
        _("Not found, or not yours"),
        _("The model may have been deleted, or its owner has not shared it with you."),
    ),
    "not_found": (
        _("Not found, or not yours"),
        _("The model may have been deleted, or its owner has not shared it with you."),
    ),
    "already_exists": (_("A model of that name exists already"), _("Choose another name.")),
    "failed_precondition": (
        _("The model is not ready for that"),
        _("Wait until its tuning job is done, then try again."),
    ),
    "exhausted": (_("The service’s quota is used up for now"), _("Wait a minute and try again.")),
    "invalid_request": (
        _("The service refused the request"),
        _("The technical detail says which value it did not accept."),
    ),
    "unimplemented": (_("The service cannot do that"), _("It offers no such method.")),
    "internal": (_("The service broke down over this"), _("Try again; if it happens again, its log says why.")),
    "service_failed": (_("The service failed"), _("The technical detail holds its own words.")),
}

FAILURES = {
    "out_of_memory": (
        _("The machine ran out of memory"),
        _("Start it again with a smaller batch size, or shorter examples."),
    ),
    "diverged": (
        _("The loss stopped being a number"),
        _("The learning rate is too high for these examples: try a tenth of it."),
    ),
    "disk_full": (_("The disk is full"), _("Free some space where VAR_DIR lies, then start the job again.")),
    "example_too_long": (
        _("An example is longer than the base model can read"),
        _("Shorten the example that the technical detail names."),
    ),
    "no_labels": (_("The examples left nothing to learn"), _("Every output is empty once cut to the model’s limit.")),
    "base_model_missing": (
        _("The base model is not on this machine"),
        _("Run “make run” again: it fetches and prepares the model."),
    ),
    "killed": (
        _("The tuning process was killed twice"),
        _("Often the system does so when memory runs out. Try a smaller batch size, or close other programs."),
    ),
    "refused": (
        _("The service refused the job"),
        _("The technical detail says which value it did not accept. Start it again with another one."),
    ),
    "gone": (
        _("The service no longer knows this job"),
        _("Somebody deleted it there. What was seen of it is kept here."),
    ),
    "failed": (_("Tuning ended with an error"), _("The technical detail says which; the job can be started again.")),
}

UNKNOWN = (_("Something went wrong"), _("The technical detail says what."))


def explain(error: TuningError) -> Message:
    """The sentence for ``error``: by its own code, else by that of its class."""
    codes = [error.code, *(getattr(kind, "code", "") for kind in type(error).__mro__)]
    title, advice = next((SERVICE_ERRORS[code] for code in codes if code in SERVICE_ERRORS), UNKNOWN)
    return Message(str(title) % error.params, str(advice) % error.params)


def explain_failure(code: str) -> Message:
    """The sentence for a job that failed with ``code``."""
    title, advice = FAILURES.get(code, FAILURES["failed"])
    return Message(str(title), str(advice))
