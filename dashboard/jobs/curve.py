"""A job's curve as a page asks for it, and what it says in words."""

from django import forms
from django.utils.translation import gettext as _

from dashboard.charts.curve import Axis, Length, View
from dashboard.jobs.models import Job
from dashboard.templatetags.tuneboard import loss
from tuning.curves import Kind, Smoothing

HEAVIEST = 0.999
"""The largest weight of the past that the slider reaches."""


class ViewForm(forms.Form):
    """Which part of the curve is wanted, and how it is smoothed. What makes no sense counts as not said."""

    x = forms.ChoiceField(choices=[(axis.value, axis.value) for axis in Axis], required=False)
    start = forms.FloatField(required=False)
    end = forms.FloatField(required=False)
    smoothing = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Kind], required=False)
    weight = forms.FloatField(min_value=0, max_value=HEAVIEST, required=False)

    def view(self, job: Job) -> View:
        self.is_valid()
        said = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        kind, weight = Kind(said.get("smoothing", Kind.EMA)), said.get("weight", usual_weight(job.total_steps))
        return View(
            x=Axis(said.get("x", Axis.STEP)),
            start=said.get("start"),
            end=said.get("end"),
            smoothing=Smoothing(kind, weight),
        )


def usual_weight(total_steps: int) -> float:
    """The average's memory: short jobs need to show their few steps, long ones their trend."""
    return 0.5 if total_steps < 100 else 0.9


def length(job: Job) -> Length:
    """The axis spans all steps from the beginning, so that the curve grows into its place; a job that ended early is
    shown as far as it got.
    """
    last = job.completed_steps if job.is_final else job.total_steps
    return Length(last_step=last, batch_size=job.batch_size, examples=job.learnt_from)


def in_words(job: Job) -> str:
    """The curve in a sentence, for those who do not see it and those in a hurry."""
    if job.first_loss is None or job.last_loss is None:
        return ""
    ends = {"first": loss(job.first_loss), "last": loss(job.last_loss)}
    if ends["first"] == ends["last"]:
        told = _("Loss stayed at %(last)s") % ends
    elif job.last_loss < job.first_loss:
        told = _("Loss fell from %(first)s to %(last)s") % ends
    else:
        told = _("Loss rose from %(first)s to %(last)s") % ends
    parts = [told, *_flat(job), *_lowest(job)]
    return _("%(facts)s.") % {"facts": ", ".join(parts)}


def _flat(job: Job) -> list[str]:
    """Since when it has been flat, where the adviser found that it is."""
    found = [finding["params"] for finding in job.findings if finding["code"] == "flat"]
    return [_("flat since epoch %(epoch)s") % params for params in found]


def _lowest(job: Job) -> list[str]:
    """The lowest held-out loss, which is the model that is kept."""
    if job.best_loss is None:
        return []
    best = {"loss": loss(job.best_loss), "epoch": job.best_epoch}
    return [_("held-out loss lowest after epoch %(epoch)s, at %(loss)s") % best]
