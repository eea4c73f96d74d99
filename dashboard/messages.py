"""Sentences for people: one for each code of :mod:`tuning.errors`, and the words for states.

Every entry says what happened; advice says what to do. ``%(name)s`` is filled from the error's parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tuning.errors import Problem, TuningError
from tuning.jobs import JobState

STATES = {
    JobState.QUEUED: _("Queued"),
    JobState.RUNNING: _("Tuning"),
    JobState.SUCCEEDED: _("Done"),
    JobState.FAILED: _("Failed"),
    JobState.CANCELLED: _("Cancelled"),
    "STALLED": _("Stalled"),
}
"""A job's state as :attr:`Job.shown_state` has it."""

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
    "administrators_only": (
        _("Only administrators may do that"),
        _("Ask an administrator of this dashboard for it."),
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
    "training_data_gone": (
        _("The examples are no longer kept"),
        _("The tuning server removed them after the time it keeps them. Start a new job with the dataset."),
    ),
    "too_many_keys": (
        _("So many keys are in use that no more are given out"),
        _("Revoke one that is no longer needed, then try again."),
    ),
    "exhausted": (_("The service’s quota is used up for now"), _("Wait a minute and try again.")),
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
    "architecture_unknown": (
        _("The base model’s architecture cannot be tuned"),
        _("Choose a base model that is a Llama, Mistral, Qwen2 or Gemma."),
    ),
    "base_model_unreadable": (
        _("The base model’s files are incomplete or damaged"),
        _("The technical detail names what is wrong. Download the files again."),
    ),
    "weights_unsafe": (
        _("The base model’s weights are pickles"),
        _("Such files may hold programs and are never read. Convert them to safetensors, or find the model as a GGUF."),
    ),
    "tokenizer_unknown": (
        _("The base model’s tokenizer cannot be used"),
        _("It must be a byte-pair encoding in a tokenizer.json. The technical detail says what was found."),
    ),
    "chat_template_unusable": (
        _("The base model’s chat template cannot be used"),
        _("List the model in base-models.toml with a prompt_format of its own."),
    ),
    "hash_differs": (
        _("A file of the base model is not the one that was expected"),
        _("Its SHA-256 differs. Download it again, or correct the hash in base-models.toml."),
    ),
    "download_failed": (
        _("The base model could not be downloaded"),
        _("Check the network and the model’s name in base-models.toml, then try again: it goes on where it stopped."),
    ),
    "does_not_fit": (
        _("The base model does not fit on this machine"),
        _("The technical detail has the numbers. Choose a smaller base model, or free memory and disk."),
    ),
    "catalogue_unreadable": (
        _("The list of base models cannot be read"),
        _("The technical detail says which entry of base-models.toml is wrong."),
    ),
    "source_missing": (
        _("The weights to go on from are gone"),
        _("The tuning server lost its copy of the model that this one starts from: start the job again."),
    ),
    "killed": (
        _("The tuning process was killed twice"),
        _("Often the system does so when memory runs out. Try a smaller batch size, or close other programs."),
    ),
    "stalled": (
        _("Tuning stood still twice"),
        _(
            "The log’s last lines say where. Often the machine is overloaded, or a step takes longer than "
            "TUNER_STALL_SECONDS allows: try a smaller batch size, or raise it."
        ),
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

# Datasets: what is wrong with a file, or with a row of it (codes: tuning/datasets).
PROBLEMS = {
    "empty_file": _("The file is empty. Choose one that holds examples."),
    "no_examples": _("The file has no examples: below its header, or in its list, stands nothing."),
    "file_too_large": _("The file is larger than %(limit)s. Split it, or leave rows out."),
    "spreadsheet": _("This is a spreadsheet’s own format. Save it as CSV (UTF-8) there, and upload that."),
    "binary_file": _("This is no text file. Upload CSV, JSONL or JSON."),
    "not_utf8": _("The text is in another encoding than UTF-8. Save it as UTF-8 (in Excel: “CSV UTF-8”)."),
    "too_many_rows": _("There are more than %(limit)s rows. Split the file, or leave rows out."),
    "too_many_columns": _("There are more than %(limit)s columns. Keep the two that matter."),
    "row_too_long": _("A row is longer than %(limit)s characters. A quotation mark may be missing its partner."),
    "cell_too_long": _("A cell is longer than %(limit)s characters. A quotation mark may be missing its partner."),
    "bad_json": _("This is not JSON (line %(line)s, column %(column)s): %(reason)s."),
    "no_list": _("The document holds no list of examples. Write [{“text_input”: …, “output”: …}, …]."),
    "columns_unknown": _("No column names tell input from output (found: %(names)s). Name them text_input and output."),
    "column_not_found": _("There is no column “%(column)s” (found: %(names)s)."),
    "duplicate_header": _("The column “%(column)s” stands in the header twice. Rename one of them."),
    "too_few_columns": _("An example needs two columns, an input and an output. Found: %(names)s."),
    "empty_input": _("The input is empty. Fill it in, or remove the row."),
    "empty_output": _("The output is empty. Fill it in, or remove the row."),
    "input_too_long": _("The input has %(length)s characters; at most %(limit)s can be tuned with. Shorten it."),
    "output_too_long": _("The output has %(length)s characters; at most %(limit)s can be tuned with. Shorten it."),
    "nul_character": _("A text holds a NUL character. Remove it."),
    "lone_surrogate": _("A text holds half of a character (a lone surrogate escape). Remove or mend it."),
    "missing_column": _("The row lacks “%(column)s”."),
    "wrong_type": _("“%(column)s” is of the type %(found)s, not text. Put it in quotation marks."),
    "not_an_object": _("An example is written as an object; this is of the type %(found)s."),
    "too_many_cells": _("%(found)s cells where the header has %(expected)s. Put texts with commas in quotation marks."),
    "unbalanced_quotes": _("A quotation mark is opened and never closed."),
    "bad_quotes": _("A quotation mark stands within a text. Double it, and put the whole text in quotation marks."),
    "chat_system_turn": _("The chat has a system turn, for which a pair has no place. Put it into the user’s turn."),
    "chat_not_one_exchange": _("The chat has %(turns)s turns; exactly one question and one answer can be used."),
}

# What the adviser finds in a loss curve (codes: tuning/curves/advice.py): what it saw, and what that means.
FINDINGS = {
    "flat": (
        _(
            "Flat since epoch %(epoch)s: "
            "the last %(steps)s steps changed the loss by less than %(percent)s %% of all it fell"
        ),
        _("Fewer epochs come as far, in less time, and learn less by heart."),
    ),
    "diverged": (
        _("The loss turned up: from %(lowest)s at step %(step)s, its lowest, to %(now)s"),
        _("Most often the learning rate is too high for these examples: try a fifth of it."),
    ),
    "not_finite": (
        _("The loss is no number since step %(step)s"),
        _("The learning rate is too high for these examples: try a tenth of it."),
    ),
    "overfitting": (
        _("The held-out loss was lowest after epoch %(epoch)s (%(best)s) and rose by %(percent)s %% since"),
        _("The training loss still fell: from there on, the model learnt by heart."),
    ),
    "exploded": (
        _("At the beginning the loss rose from %(start)s to %(peak)s before it fell"),
        _("The first steps went too far: lower the learning rate, or let it rise with a warm-up."),
    ),
    "swings": (
        _("The loss swung between %(low)s and %(high)s, %(times)s times"),
        _("Each step goes too far and comes back: lower the learning rate."),
    ),
    "hardly_fell": (
        _("The loss hardly fell: %(before)s at the beginning, %(after)s at the end, %(percent)s %% lower"),
        _("The learning rate is too low for these examples, or there is too little to see in them."),
    ),
    "still_falling": (
        _("Still falling in a straight line at the end: by %(percent)s %% in the second half"),
        _("Each step could have gone further: raise the learning rate, or give it more epochs."),
    ),
    "unsteady": (
        _("The loss jumps by %(spread)s from step to step; the whole job gained %(gain)s"),
        _("So few examples a step differ too much from each other: larger batches are steadier."),
    ),
}
FINDING_NAMES = {
    "flat": _("flat"),
    "diverged": _("turned up"),
    "not_finite": _("no number"),
    "overfitting": _("learnt by heart"),
    "exploded": _("too far"),
    "swings": _("swings"),
    "hardly_fell": _("hardly fell"),
    "still_falling": _("still falling"),
    "unsteady": _("unsteady"),
}
NOTHING_TO_CHANGE = _("More epochs will not help; other examples may.")
"""The advice of a flat curve that needed its epochs."""

CHANGES = {"epoch_count": _("epochs"), "learning_rate": _("learning rate"), "batch_size": _("batch size")}

# Notices: what happened to a job (codes: dashboard/notices), and why one could not be delivered.
NOTICES = {
    "ended": _("“%(name)s” is done"),
    "failed": _("“%(name)s” failed"),
    "stalled": _("“%(name)s” stands still"),
    "diverged": _("The loss of “%(name)s” turned up"),
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


def explain_finding(code: str, params: Mapping[str, Any], *, changes: bool) -> Message:
    """The sentence for what a loss curve says; ``changes`` tells whether the next job has something to do otherwise."""
    title, advice = FINDINGS.get(code, UNKNOWN)
    shown = {
        name: written_loss(value) if isinstance(value, float) else _written(value) for name, value in params.items()
    }
    if code == "flat" and not changes:
        advice = NOTHING_TO_CHANGE
    return Message(str(title) % shown, str(advice))


def name_finding(code: str) -> str:
    """What a loss curve does, in a word or two."""
    return str(FINDING_NAMES.get(code, code))


def name_change(name: str, value: float) -> str:
    """A changed setting of the next job: "epochs = 4"."""
    number = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"{CHANGES.get(name, name)} = {number}"


def written_loss(value: float) -> str:
    """A loss with as many digits as mean something."""
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.2f}"


def explain_problem(problem: Problem) -> str:
    """The sentence for what is wrong with a dataset's file or one of its rows, the row's number apart."""
    template = PROBLEMS.get(problem.code)
    if template is None:
        return f"{problem.code} {problem.params}" if problem.params else problem.code
    params = {name: _written(value) for name, value in problem.params.items()}
    if problem.code == "file_too_large":
        params["limit"] = filesizeformat(str(problem.params["limit"]))
    return str(template) % params


def _written(value: object) -> str:
    """A parameter as it stands in a sentence: numbers with separators, names in quotation marks."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(f"“{name}”" for name in value) or gettext("none")
    return str(value)
