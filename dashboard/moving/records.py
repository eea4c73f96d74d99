"""What ``library.json`` of an archive holds. People are named by e-mail, teams and models by name; nobody's password,
key or rights as an administrator is in it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cattrs import BaseValidationError
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from dashboard.moving.archive import LIBRARY, ArchiveError
from tuning.jobs import Conditions
from tuning.providers import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRecord:
    email: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberRecord:
    email: str
    is_manager: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamRecord:
    """``address`` is the group that services know it by."""

    name: str
    address: str
    members: list[MemberRecord] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionRecord:
    number: int
    sha256: str
    examples: int
    size: int
    created: datetime
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRecord:
    """``key`` tells it from others of the archive. ``absent``: it stands for examples that nobody has."""

    key: int
    owner: str
    name: str
    created: datetime
    absent: bool
    versions: list[VersionRecord]


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionRef:
    """A version of a :class:`DatasetRecord`."""

    dataset: int
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRecord:
    """A role that a person (``email``), a ``team``, an ``address`` unknown here, or everyone has."""

    role: int
    email: str = ""
    team: str = ""
    address: str = ""
    is_group: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """The job that made a model."""

    display_name: str
    base_model: str
    version: VersionRef
    validation_version: VersionRef | None
    epoch_count: int
    batch_size: int
    learning_rate: float
    more_recipe: dict[str, Any]
    tuned_from: str
    total_steps: int
    stopped_step: int | None
    validation: list[list[float | None]]
    samples: list[Sample]
    estimate: dict[str, float | None]
    notes: str
    tags: list[str]
    created: datetime
    started: datetime | None
    finished: datetime | None
    conditions: Conditions | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRecord:
    """How a model did when it was asked examples: the scores, not the answers."""

    baseline: bool
    version: VersionRef | None
    examples_of: str
    in_training: bool
    total: int
    max_output_tokens: int
    created: datetime
    finished: datetime | None
    answered: int
    failed: int
    exact: int
    normalised: int
    likeness: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecord:
    """A model. ``key`` names its folder in the archive."""

    key: int
    connection: str
    name: str
    owner: str
    display_name: str
    description: str
    base_model: str
    version: VersionRef | None
    tuned_from: str
    temperature: float | None
    top_p: float | None
    top_k: int | None
    notes: str
    tags: list[str]
    favourites: list[str]
    created: datetime
    last_used: datetime | None
    last_loss: float | None
    archived: datetime | None
    expires: datetime | None
    removed_on_expiry: bool
    grants: list[GrantRecord]
    job: JobRecord | None
    evaluations: list[EvaluationRecord] = field(default_factory=list)


SCORES = tuple(name for name in EvaluationRecord.__dataclass_fields__ if name != "version")
"""What a record and an evaluation both have, by the same names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    people: list[PersonRecord]
    teams: list[TeamRecord]
    datasets: list[DatasetRecord]
    models: list[ModelRecord]


def written(library: Library) -> bytes:
    return _converter().dumps(library)


def samples(rows: list[dict[str, Any]]) -> list[Sample]:
    """Held-out examples and answers as a job keeps them."""
    return _converter().structure(rows, list[Sample])


def read(data: bytes) -> Library:
    """Raises ``ArchiveError``."""
    try:
        return _converter().loads(data, Library)
    except (BaseValidationError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise ArchiveError(detail=LIBRARY) from exc


@cache
def _converter() -> OrjsonConverter:
    converter = make_converter(forbid_extra_keys=True)
    converter.register_structure_hook(datetime, _moment)
    return converter


def _moment(text: Any, _kind: type) -> datetime:
    """In UTC, and within what calendars, databases and pages can have. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    if not 1970 <= moment.year <= 9000:
        raise ValueError("before or after all times")
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
