"""The adviser: what a loss curve says about its recipe, and what to change in the next job.

Each rule looks for one thing and is silent where it is not sure: a job that went well hears nothing, or that the
last of its epochs were not needed. The numbers the rules go by stand beside them with their reasons; they are tried
on recorded curves of the real service (``tests/recorded``) and on made ones. Losses are taken for nats a token, which
matters to :data:`LEARNT` alone; everything else is relative, so that losses at and below zero work as well.
"""

from dataclasses import replace
from math import ceil
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from tuning.curves.course import Curve, Finding, Validation
from tuning.curves.levels import TAIL, flat
from tuning.curves.series import Arrays
from tuning.recipes import LIMITS, Recipe, Schedule

LEARNT = 0.3
"""A loss below which little is left to learn: the right token has three chances of four (exp -0.3 = 0.74)."""
HIGHEST_RATE = 0.02
"""No higher learning rate is ever advised: adapters seldom stand more."""
DECAYING_TAIL = 0.3
"""As :data:`tuning.curves.levels.TAIL`, where the schedule goes down to zero: there, each curve ends flat."""


def advise(
    series: Arrays, *, recipe: Recipe, examples: int, validation: Validation = (), ended: bool = True
) -> tuple[Finding, ...]:
    """What the curve says of a job that learns from so many ``examples``, the gravest first.

    A job that has not ``ended`` may hear less: how a curve ends is not known before.
    """
    values = series.values.astype(np.float64)
    finite = np.isfinite(values)
    curve = Curve(
        steps=series.steps[finite],
        values=values[finite],
        validation=[(step, epoch, loss) for step, epoch, loss in validation if loss is not None and np.isfinite(loss)],
        recipe=recipe,
        examples=examples,
        ended=ended,
    )
    if len(values) and not finite[-1]:
        return (_not_finite(curve, series, finite),)
    if len(curve.values) < 8:
        return ()
    if grave := _diverged(curve):
        return (grave,)
    found = [rule(curve) for rule in (_overfitting, _exploded, _swings, _hardly_fell, _still_falling, _unsteady)]
    told = [finding for finding in found if finding]
    if not any(finding.code in {"overfitting", "hardly_fell"} for finding in told) and (calm := _flat(curve)):
        told.append(calm)
    return tuple(told)


def _not_finite(curve: Curve, series: Arrays, finite: npt.NDArray[np.bool_]) -> Finding:
    """The loss is no number, and did not become one again."""
    since = int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0
    first, last = int(series.steps[since]), int(series.steps[-1])
    return Finding(
        code="not_finite",
        params={"step": first},
        first_step=first,
        last_step=last,
        changes=_slower(curve.recipe, 10),
    )


def _diverged(curve: Curve) -> Finding | None:
    """The loss ended far above its lowest: it gave back half of what it had gained, and a quarter of its height.

    Six times the scatter keep noise from being taken for that; all of the last levels have to be up there. Not said
    of the first twenty steps of a job that goes on.
    """
    course = curve.course
    if not curve.ended and len(course) < 20:
        return None
    low = min(course)
    last = curve.levels[-max(5, len(course) // 8) :]
    rise = median(last) - low
    if rise <= max(0.5 * (curve.start - low), 0.25 * abs(low), 6 * curve.scatter):
        return None
    if min(last) <= low + rise / 2:
        return None
    lowest = curve.step(len(course) - 1 - course[::-1].index(low))
    found = curve.finding("diverged", lowest, lowest=low, now=median(last), step=lowest)
    return replace(found, changes=_slower(curve.recipe, 5))


def _overfitting(curve: Curve) -> Finding | None:
    """The loss over held-out examples turned up, two epochs in a row or more and 5 % by now, while the training loss
    did not: the model learns by heart.
    """
    if len(curve.validation) < 3:
        return None
    step, epoch, best = min(curve.validation, key=lambda row: row[2])
    later = [loss for at, _, loss in curve.validation if at > step]
    if len(later) < 2 or min(later) <= best + 0.01 * abs(best) or later[-1] <= best + 0.05 * abs(best):
        return None
    at = int(np.searchsorted(curve.steps, step, side="right"))
    before = curve.values[max(0, at - curve.window) : at]
    if not len(before) or curve.last_loss > float(np.median(before)):
        return None
    found = curve.finding("overfitting", step, epoch=epoch, best=best, now=later[-1], percent=_percent(later[-1], best))
    return replace(found, changes=_fewer(curve.recipe, epoch))


def _exploded(curve: Curve) -> Finding | None:
    """In its first third, the loss rose by three tenths above its start, for more than a level, and came down later."""
    early = curve.course[: max(3, len(curve.course) // 3)]
    start, peak = max(curve.start, early[0]), max(early)
    if peak <= start + max(0.3 * abs(start), 6 * curve.scatter) or curve.last_loss >= start:
        return None
    at = early.index(peak)
    back = next((later for later in range(at, len(curve.course)) if curve.course[later] <= start), at)
    found = curve.finding("exploded", curve.step(0), curve.step(back), peak=peak, start=start)
    return replace(found, changes=_slower(curve.recipe, 3))


def _swings(curve: Curve) -> Finding | None:
    """The loss came half-way down and back to where it had begun, three times or more, and not by noise."""
    course, low = curve.course, min(curve.course)
    deep = curve.start - low
    if deep <= 6 * curve.scatter:
        return None
    highs: list[int] = []
    down = False
    for at, level in enumerate(course):
        if level < low + deep / 2:
            down = True
        elif down and level > curve.start - deep / 10:
            highs.append(at)
            down = False
    if len(highs) < 3:
        return None
    found = curve.finding("swings", curve.step(0), curve.step(highs[-1]), times=len(highs), low=low, high=curve.start)
    return replace(found, changes=_slower(curve.recipe, 3))


def _hardly_fell(curve: Curve) -> Finding | None:
    """The loss fell by less than a tenth over the whole job, and there was something to learn. Not said of rates that
    are high already, nor before the end: a beginning may be slow.
    """
    first, last = curve.first_loss, curve.last_loss
    if not curve.ended or first <= LEARNT or not 0.9 * first < last < 1.1 * first:
        return None
    found = curve.finding(
        "hardly_fell",
        int(curve.steps[0]),
        before=first,
        after=last,
        percent=max(0, -_percent(last, first)),
        epochs=curve.recipe.epoch_count,
    )
    return replace(found, changes=_faster(curve.recipe, 5))


def _still_falling(curve: Curve) -> Finding | None:
    """To the end the loss fell in a straight line, its second half as far as its first, and not yet by half: each
    step could have gone further.
    """
    fifth = len(curve.levels) // 5
    if not curve.ended or len(curve.levels) < 20 or curve.recipe.warmup > 0.3:
        return None
    middle = len(curve.levels) // 2 - fifth // 2
    first, half, last = (median(curve.levels[at : at + fifth]) for at in (0, middle, len(curve.levels) - fifth))
    sure = 3 * 1.77 * curve.scatter / fifth**0.5  # the standard error of the difference of two medians, thrice
    if last <= LEARNT or half - last <= sure or first - half <= sure:
        return None
    if half - last < 0.8 * (first - half) or first - last >= 0.5 * first or curve.last_loss >= 0.9 * curve.first_loss:
        return None
    found = curve.finding("still_falling", curve.step(middle), percent=-_percent(last, half), before=half, after=last)
    return replace(found, changes=_faster(curve.recipe, 2))


def _unsteady(curve: Curve) -> Finding | None:
    """From step to step the loss differs by more than the whole job gained, and so much that whether it gained
    anything cannot be told (twice the standard error of its ends).
    """
    count = len(curve.values)
    if not curve.ended or count < 20 or curve.last_loss <= LEARNT or curve.recipe.batch_size >= curve.examples:
        return None
    spread = 1.048 * float(np.median(np.abs(np.diff(curve.values[count // 2 :]))))
    gain = curve.first_loss - curve.last_loss
    if spread <= max(gain, 0.15 * curve.last_loss) or gain >= 2 * spread * (6 / count) ** 0.5:
        return None
    larger = min(2 * curve.recipe.batch_size, curve.examples, int(LIMITS["batch_size"][1]))
    found = curve.finding("unsteady", curve.step(len(curve.levels) // 2), spread=spread, gain=max(gain, 0.0))
    return replace(found, changes={"batch_size": larger})


def _flat(curve: Curve) -> Finding | None:
    """The end of the curve is flat: fewer epochs come as far. Its rule stands in :mod:`tuning.curves.levels`. While the
    job goes on, every example must have been seen since.
    """
    tail = TAIL if curve.recipe.schedule is Schedule.CONSTANT else DECAYING_TAIL
    calm = flat(curve.values, tail)
    if calm is None or (not curve.ended and len(curve.values) - calm.start < curve.per_epoch):
        return None
    step = int(curve.steps[calm.start])
    epoch = curve.epochs_until(step - 1)
    found = curve.finding(
        "flat",
        step,
        epoch=epoch,
        step=step,
        steps=len(curve.values) - calm.start,
        percent=max(1, ceil(100 * calm.changed)),
    )
    return replace(found, changes=_fewer(curve.recipe, epoch))


def _fewer(recipe: Recipe, epochs: int) -> dict[str, Any]:
    return {"epoch_count": epochs} if 1 <= epochs < recipe.epoch_count else {}


def _slower(recipe: Recipe, times: int) -> dict[str, Any]:
    return {"learning_rate": _round(recipe.learning_rate / times)}


def _faster(recipe: Recipe, times: int) -> dict[str, Any]:
    rate = _round(min(times * recipe.learning_rate, HIGHEST_RATE))
    return {"learning_rate": rate} if rate > recipe.learning_rate else {}


def _round(rate: float) -> float:
    return float(f"{rate:.1g}")


def _percent(now: float, before: float) -> int:
    """By how much ``now`` is above ``before``."""
    return round(100 * (now - before) / abs(before)) if before else 100
