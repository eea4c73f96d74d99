"""What rows of jobs and of models have in common to look at."""

from collections.abc import Iterable
from functools import lru_cache

import orjson
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from dashboard.markup import filled, joined
from dashboard.templatetags.tuneboard import sparkline

CURVES_KEPT = 1_000
"""Small curves that stay drawn, a kilobyte each: twenty pages' of lists that are looked at again and again."""


def tag_marks(tags: Iterable[str]) -> SafeString:
    return joined((filled('<span class="tag">{}</span>', tag) for tag in tags), " ")


def small_curve(points: str | None) -> SafeString:
    """The curve of ``[step, loss]`` pairs, which stand in ``points`` as JSON."""
    return _drawn(points, gettext("Loss curve")) if points else SafeString()


@lru_cache(CURVES_KEPT)
def _drawn(points: str, label: str) -> SafeString:
    return SafeString(sparkline(orjson.loads(points), label))
