"""Small words of the templates: icons, states, times, numbers."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from django import template
from django.forms import BoundField, CheckboxInput
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from dashboard.markup import filled
from dashboard.messages import STATES, explain_failure, written_loss, written_number

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture from ``static/icons.svg``, hidden from screen readers: a word stands beside it."""
    return filled('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.simple_tag
def state(job_state: str) -> SafeString:
    """A job's state, or "STALLED": colour, shape and word."""
    return filled('<span class="state" data-state="{}">{}</span>', job_state, str(STATES[job_state]))


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, exact on hover."""
    if moment is None:
        return "–"
    seconds = max(int((timezone.now() - moment).total_seconds()), 0)
    unit = next((unit for unit in (86400, 3600, 60) if seconds >= unit), 1)
    exact = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z")
    shown = _passed(seconds - seconds % unit, get_language())
    return filled('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, shown)


@register.filter
def since(moment: datetime) -> SafeString:
    """How long ago, and the script of every page goes on counting; exact on hover."""
    passed = max(timezone.now() - moment, timedelta())
    words = [gettext("%(n)s s"), gettext("%(n)s min"), gettext("%(n)s h")]
    return filled(
        '<time datetime="{}" title="{}" data-age="{}" data-ago="{}" data-spans="{}">{}</time>',
        moment.isoformat(),
        timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z"),
        str(int(passed.total_seconds())),
        gettext("%(time)s ago"),
        "|".join(words),
        gettext("%(time)s ago") % {"time": rough(passed)},
    )


UNITS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))


@register.filter
def ahead(moment: datetime) -> SafeString:
    """How far ahead, to the nearest unit, exact on hover."""
    left = max(moment - timezone.now(), timedelta(seconds=1))
    unit = next((unit for unit in UNITS if left >= unit), timedelta(0))
    shown = gettext("in about %(time)s") % {"time": rough(left + unit / 2)}
    exact = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z")
    return filled('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, shown)


@lru_cache(500)
def _passed(seconds: int, language: str | None) -> str:
    """ "5 min ago" in ``language``, which is the one in use; a list says the same of many rows."""
    if seconds < 5:
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": rough(timedelta(seconds=seconds))}


def rough(span: timedelta) -> str:
    """``span`` in its largest unit: "3 min", "2 h", "5 days"."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return gettext("%(n)s s") % {"n": seconds}
    if seconds < 3600:
        return gettext("%(n)s min") % {"n": seconds // 60}
    if seconds < 86400:
        return gettext("%(n)s h") % {"n": seconds // 3600}
    return ngettext("%(n)s day", "%(n)s days", seconds // 86400) % {"n": seconds // 86400}


@register.filter
def size(number: int) -> str:
    """Bytes in their largest unit: "623 bytes", "1.5 MB", "64 MB"."""
    return re.sub(r"[.,]0(?=\D)", "", filesizeformat(number))


@register.filter
def millions(number: int) -> str:
    """How many parameters a model has: "135 M", "1.5 B"."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:.3g} B"
    return f"{number / 1e6:.3g} M"


@register.filter
def failure_title(code: str) -> str:
    """What went wrong, in a line."""
    return explain_failure(code).title


@register.filter
def span(seconds: float | None) -> str:
    """``seconds`` in two units: "3 min 20 s", "1 h 5 min"."""
    if seconds is None:
        return "–"
    whole = max(round(seconds), 0)
    if whole < 60:
        return gettext("%(s)s s") % {"s": whole}
    if whole < 3600:
        return gettext("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}
    return gettext("%(h)s h %(m)s min") % {"h": whole // 3600, "m": whole % 3600 // 60}


@register.simple_tag
def spans(low: float, high: float) -> str:
    """Between two spans of seconds, no more exactly than a guess can be: "17–25 s", "50 s – 1 min 20 s", "6–12 min"."""
    least, most = span(low), span(high)
    if least == most:
        return most
    if high < 59.5:
        return f"{max(round(low), 0)}–{most}"
    if low >= 60 and 120 <= high < 5400:
        minutes = gettext("%(low)s–%(high)s min") if round(low / 60) < round(high / 60) else gettext("%(high)s min")
        return minutes % {"low": round(low / 60), "high": round(high / 60)}
    return f"{least} – {most}"


@register.filter
def money(amount: float) -> str:
    """An amount as people write it: "0.40", "1,250.00"; one too small for that, as less than it."""
    return "< 0.01" if 0 < amount < 0.01 else f"{amount:,.2f}"


@register.filter
def loss(value: float | None) -> str:
    """A loss with as many digits as mean something."""
    return "–" if value is None else written_loss(value)


@register.filter
def percent(share: float | None) -> str:
    """From 0 to 1: "87 %"; one decimal where that tells more: "99.6 %"."""
    if share is None:
        return "–"
    hundred = 100 * share
    digits = 1 if 0 < hundred < 1 or 99 < hundred < 100 else 0
    return gettext("%(number)s %%") % {"number": f"{hundred:.{digits}f}"}


@register.filter
def plain(value: float) -> str:
    """A number as people write it: 0.001, not 1e-3."""
    return written_number(value)


@register.filter
def count(value: float) -> str:
    """A number with its thousands apart; a small mean keeps one decimal."""
    digits = 1 if isinstance(value, float) and value < 100 else 0
    return f"{value:,.{digits}f}"


@register.simple_tag
def sparkline(points: list[list[float]], label: str = "") -> SafeString | str:
    """A 96 × 24 curve of ``[step, loss]`` pairs; nothing where there are fewer than two."""
    if not (path := curve_path(points, 960, 220)):
        return ""
    drawn = '<svg class="sparkline" viewBox="0 -10 960 240" role="img" aria-label="{}"><path d="{}"/></svg>'
    return filled(drawn, label, path)


def curve_path(points: list[list[float]], width: int, height: int) -> str:
    """The line of an SVG through ``[step, loss]`` pairs, which fill ``width`` and ``height``. In whole numbers: a list
    draws thousands of points a page.
    """
    if len(points) < 2:
        return ""
    steps, values = zip(*points, strict=True)
    first, low = steps[0], min(values)
    across, up = width / ((steps[-1] - first) or 1), height / ((max(values) - low) or 1)
    bottom = height + 0.5
    places = [f"{int((step - first) * across)},{int(bottom - (loss - low) * up)}" for step, loss in points]
    return "M" + " ".join(places)
