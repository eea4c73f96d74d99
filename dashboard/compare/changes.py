"""What differs between versions of a dataset that jobs were tuned on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from dashboard.datasets.models import DatasetVersion

LARGEST = 4 * 1024 * 1024
"""Bytes of a version that is looked into; larger ones are compared by their sizes alone."""


@dataclass(frozen=True, slots=True)
class Change:
    """From one version to the next of those compared. ``added`` and ``removed`` are ``None`` where nobody counted."""

    before: DatasetVersion
    after: DatasetVersion
    added: int | None
    removed: int | None


def changes(versions: Sequence[DatasetVersion]) -> list[Change]:
    """Between the versions of each dataset among ``versions``, the oldest first."""
    ordered = sorted(set(versions), key=lambda version: (version.dataset_id, version.number))
    return [_change(one, other) for one, other in pairwise(ordered) if one.dataset_id == other.dataset_id]


def _change(before: DatasetVersion, after: DatasetVersion) -> Change:
    if max(before.size, after.size) > LARGEST:
        return Change(before, after, None, None)
    return Change(before, after, *_counted(before.path, after.path))


@lru_cache(maxsize=128)
def _counted(before: Path, after: Path) -> tuple[int | None, int | None]:
    """Examples that only ``after`` has, and that only ``before`` has. A version's file never changes."""
    try:
        old, new = (Counter(path.read_bytes().splitlines()) for path in (before, after))
    except OSError:
        return None, None
    return (new - old).total(), (old - new).total()
