"""What the adviser finds in a loss curve (codes: :mod:`tuning.curves.advice`): what it saw, and what that means."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from dashboard.messages.wording import UNKNOWN, Message, written, written_loss, written_number

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


def explain_finding(code: str, params: Mapping[str, Any], *, changes: bool) -> Message:
    """The sentence for what a loss curve says; ``changes`` tells whether the next job has something to do otherwise."""
    title, advice = FINDINGS.get(code, UNKNOWN)
    shown = {
        name: written_loss(value) if isinstance(value, float) else written(value) for name, value in params.items()
    }
    if code == "flat" and not changes:
        advice = NOTHING_TO_CHANGE
    return Message(str(title) % shown, str(advice))


def name_finding(code: str) -> str:
    """What a loss curve does, in a word or two."""
    return str(FINDING_NAMES.get(code, code))


def name_change(name: str, value: float) -> str:
    """A changed setting of the next job: "epochs = 4"."""
    return f"{CHANGES.get(name, name)} = {written_number(value)}"
