"""A job written down so that it can be run exactly again, here or in another installation.

A bundle is a zip of ``bundle.json`` and, for those who may see the examples, ``data.jsonl`` and ``validation.jsonl``;
or the JSON alone. What comes in is hostile: see :mod:`dashboard.lineage.unpacking`.
"""

import hashlib
import math
import re
from dataclasses import asdict, dataclass
from typing import Any

import cattrs
import orjson

from dashboard.jobs.models import Job
from tuning import curves
from tuning.providers import Conditions, JobRef, Reproducer
from tuning.recipes import ABOVE_ZERO, LIMITS, Recipe, Schedule

FORMAT = 1
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
NAME_LENGTH, MODEL_LENGTH = 40, 200
MOST_THREADS = 100_000


class BundleRefused(Exception):
    """A bundle that cannot be used; ``code`` says why (:mod:`dashboard.messages.lineage`)."""

    def __init__(self, code: str, **params: object) -> None:
        self.code, self.params = code, params
        super().__init__(code)


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    """A dataset version by what is in it: the SHA-256 of its JSONL."""

    sha256: str
    examples: int
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """What came of it: ``sha256`` is :func:`digest`, empty where nothing is to be compared."""

    points: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """All that decides a job's losses, and by what it can be told whether they came out the same."""

    tuneboard_run: int
    """:data:`FORMAT`."""
    display_name: str
    base_model: str
    recipe: Recipe
    data: Examples
    validation: Examples | None = None
    tuned_from: str = ""
    curve: Curve
    conditions: Conditions

    @property
    def essence(self) -> str:
        """A digest of what is asked for: two bundles with the same one ask for the same job."""
        said = {name: value for name, value in asdict(self).items() if name not in ("curve", "conditions")}
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def run_of(job: Job, service: Reproducer) -> Run:
    """``job``, which has succeeded, as its service would run it again."""
    version, apart = job.dataset_version, job.validation_version
    return Run(
        tuneboard_run=FORMAT,
        display_name=job.display_name,
        base_model=job.base_model,
        tuned_from=job.tuned_from,
        recipe=job.recipe,
        data=Examples(sha256=version.sha256, examples=version.examples, name=version.dataset.name),
        validation=Examples(sha256=apart.sha256, examples=apart.examples, name=apart.dataset.name) if apart else None,
        curve=curve_of(job),
        conditions=Conditions(**job.conditions) if job.conditions else service.conditions(JobRef(job.ref)),
    )


def curve_of(job: Job) -> Curve:
    """The training losses of ``job``, every bit of them."""
    series = curves.arrays(job.series())
    seen = hashlib.sha256(series.steps.astype("<i8").tobytes())
    seen.update(series.values.astype("<f4").tobytes())
    return Curve(points=len(series.steps), sha256=seen.hexdigest())


def read(text: bytes) -> Run:
    """The run that ``text`` describes. Raises ``BundleRefused``."""
    try:
        said = orjson.loads(text)
        form = said.get("tuneboard_run")
    except (orjson.JSONDecodeError, AttributeError):
        raise BundleRefused("not_a_bundle") from None
    if form != FORMAT:
        raise BundleRefused("not_a_bundle" if form is None else "other_format")
    try:
        run = _converter.structure(said, Run)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, cattrs.errors.ForbiddenExtraKeysError):
        raise BundleRefused("unreadable") from None
    if not _is_sound(run):
        raise BundleRefused("unreadable")
    return run


def _is_sound(run: Run) -> bool:
    """Whether every value is one that a job can have."""
    described = (run.data, run.validation) if run.validation else (run.data,)
    return (
        _is_name(run.display_name, NAME_LENGTH)
        and _is_name(run.base_model, MODEL_LENGTH)
        and (not run.tuned_from or _is_name(run.tuned_from, MODEL_LENGTH))
        and all(
            SHA256.fullmatch(one.sha256) and (not one.name or _is_name(one.name, MODEL_LENGTH)) for one in described
        )
        and bool(SHA256.fullmatch(run.curve.sha256) or not run.curve.sha256)
        and 0 <= run.curve.points < 2**31
        and all(_is_within(name, value) for name, value in asdict(run.recipe).items())
        and len(run.conditions.server + run.conditions.engine) <= MODEL_LENGTH
        and 0 <= run.conditions.threads <= MOST_THREADS
    )


def _is_name(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable() and bool(text.strip())


def _is_within(name: str, value: Any) -> bool:
    if name not in LIMITS or (name == "longest" and value is None):
        return True
    least, most = LIMITS[name]
    return math.isfinite(value) and least <= value <= most and (value > 0 or name not in ABOVE_ZERO)


def _exactly(value: Any, kind: type) -> Any:
    """``value``, which is of ``kind`` already: "5" is no number, but 1 may stand for 1.0."""
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise TypeError(f"no {kind.__name__}")


_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
for _kind in (str, int, float):
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook(Schedule, lambda value, _kind: Schedule(value))
