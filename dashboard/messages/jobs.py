"""A job's state in a word, and why one failed (codes: the tuning child's, and ``dashboard/jobs``'s own)."""

from django.utils.translation import gettext_lazy as _

from dashboard.messages.wording import Message
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


def explain_failure(code: str) -> Message:
    """The sentence for a job that failed with ``code``."""
    title, advice = FAILURES.get(code, FAILURES["failed"])
    return Message(str(title), str(advice))
