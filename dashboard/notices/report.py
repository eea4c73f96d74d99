"""What a notice says, for the page, for mail and for webhooks alike."""

from dataclasses import dataclass
from math import isfinite

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dashboard.jobs.findings import Told, told
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.messages import NOTICES, explain_failure, written_loss
from dashboard.notices.models import Event, Notice
from dashboard.templatetags.tuneboard import curve_path

BARS = "▁▂▃▄▅▆▇█"
WIDTH, HEIGHT = 480, 120


@dataclass(frozen=True, slots=True)
class Report:
    """A notice about ``job`` in words. ``findings`` are the adviser's sentences with the steps they are about."""

    job: Job
    event: str
    headline: str
    facts: str
    findings: list[Told]

    @property
    def url(self) -> str:
        return absolute(self.job.get_absolute_url())

    def clone_url(self, finding: Told) -> str:
        """The form of the next job, filled in as ``finding`` advises."""
        return absolute(f"{reverse('jobs:new')}?again={self.job.pk}&{finding.query}")


def report(notice: Notice) -> Report:
    job = notice.job
    headline = str(NOTICES[notice.event]) % {"name": job.display_name}
    return Report(job, notice.event, headline, _facts(notice), told(job))


def absolute(path: str) -> str:
    return settings.SITE_URL.rstrip("/") + path


def curve_text(job: Job) -> str:
    """The loss curve as a line of text: ``▇▅▃▂▁▁``."""
    losses = [loss for _step, loss in curve(job)][:48]
    if len(losses) < 2:
        return ""
    low, tall = min(losses), (max(losses) - min(losses)) or 1
    return "".join(BARS[round((loss - low) / tall * (len(BARS) - 1))] for loss in losses)


def curve_picture(job: Job) -> str:
    """The loss curve as an SVG that stands by itself; empty where there are not two points."""
    points = curve(job)
    if len(points) < 2:
        return ""
    context = {"path": curve_path(points, WIDTH, HEIGHT), "width": WIDTH, "height": HEIGHT, "job": job}
    return render_to_string("notices/curve.svg", context)


def curve(job: Job) -> list[list[float]]:
    """``[step, loss]``, some dozens, with every extreme."""
    return [point for point in job.small_curve if isfinite(point[1])]


def _facts(notice: Notice) -> str:
    job = notice.job
    if notice.event == Event.EXPIRES:
        return _expiry(job)
    why = f"{explain_failure(job.failure_code).title}. " if notice.event == Event.FAILED and job.failure_code else ""
    return why + _loss(job)


def _expiry(job: Job) -> str:
    model = TunedModel.objects.filter(job=job).first()
    if model is None or model.expires is None:
        return _("It is kept after all.")
    if model.removed_on_expiry:
        sentence = _("It goes into the bin on %(day)s, unless somebody sets another date.")
    else:
        sentence = _("It is archived on %(day)s, unless somebody sets another date.")
    return sentence % {"day": date_format(timezone.localtime(model.expires), "DATE_FORMAT")}


def _loss(job: Job) -> str:
    if not job.completed_steps:
        return _("It ended before its first step.") if job.is_final else _("It has made no step yet.")
    known = {
        "first": _written(job.first_loss),
        "last": _written(job.last_loss),
        "done": f"{job.completed_steps:,}",
        "total": f"{job.total_steps:,}",
    }
    if job.completed_steps == job.total_steps:
        return _("Loss %(first)s → %(last)s in %(total)s steps.") % known
    return _("Loss %(first)s → %(last)s after %(done)s of %(total)s steps.") % known


def _written(loss: float | None) -> str:
    """A loss, which is absent where it was no number."""
    return _("no number") if loss is None else written_loss(loss)
