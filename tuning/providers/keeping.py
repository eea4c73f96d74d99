"""Tuned models that were made elsewhere, handed to a service to be kept and asked there."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from tuning.jobs import Point
from tuning.providers.base import JobRef
from tuning.providers.sharing import Presentation
from tuning.recipes import Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """A tuned model with all that its service is to know of it. ``owner`` is an e-mail address."""

    model: str
    """Its name, which it keeps."""
    owner: str
    presentation: Presentation
    base_model: str
    recipe: Recipe
    examples: int
    """Of its dataset."""
    held_out: int
    """Examples that nothing was learnt from."""
    total_steps: int
    points: bytes
    """The training losses, packed (see :mod:`tuning.curves`)."""
    adapter: Path
    """The zip file that :attr:`tuning.providers.Export.ADAPTER` is."""
    tuned_from: str = ""
    stopped: int | None = None
    validation: tuple[Point, ...] = ()
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None


@runtime_checkable
class Keeper(Protocol):
    """What a provider may be besides: a service that takes in tuned models which were made elsewhere."""

    def keep(self, carried: Carried) -> JobRef:
        """Have the service keep the model; the same model again changes nothing. For administrators.

        Raises ``AlreadyExists`` where another model has the name, ``NotFound`` where the base model is unknown there,
        ``Unavailable`` while it is made ready, ``InvalidRequest`` for files that cannot be used.
        """
