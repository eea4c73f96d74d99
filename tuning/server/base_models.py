"""The base models on offer: the engine's catalogue, and names of the service's that stand for our default.

With the aliases, scripts written for Gemini tuning run unchanged; answers echo the name that was asked for.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry
from tuning.errors import EngineError, NotFound

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A base model under the ``name`` callers use, with the sampling defaults that go with that name."""

    name: str
    entry: BaseModelEntry
    temperature: float
    top_p: float
    top_k: int

    @property
    def is_alias(self) -> bool:
        return self.name != self.entry.api_name


ALIASES = {
    "models/gemini-1.5-flash-001-tuning": (1.0, 0.95, 64),
    "models/gemini-1.0-pro-001": (0.9, 1.0, 0),
    "models/text-bison-001": (0.7, 0.95, 40),
}
"""Temperature, top-p and top-k as the service echoed them for each."""


def entries() -> list[BaseModelEntry]:
    """The base models of this installation: those that come with it, those in the folder of models, and those that are
    listed and not prepared yet.
    """
    there = catalogue.entries(settings.MODELS_DIR)
    names = {entry.name for entry in there}
    return [*there, *(entry for entry in listed() if entry.name not in names)]


def listed() -> tuple[BaseModelEntry, ...]:
    """Those of ``base-models.toml``; a mistake in it is logged and hides all of them, but nothing else."""
    try:
        return catalogue.listed(Path(settings.BASE_MODELS_FILE))
    except (EngineError, OSError) as exc:
        logger.error("%s: %s", settings.BASE_MODELS_FILE, getattr(exc, "detail", exc))
        return ()


def known(name: str) -> BaseModelEntry:
    """The base model called ``name``; of one that was removed meanwhile, its name."""
    return _entry(name) or BaseModelEntry(name=name, display_name=name)


def offers() -> list[Offer]:
    """Every base model, the real ones first."""
    real = [_real(entry) for entry in entries()]
    return real + [_alias(name) for name in ALIASES]


def find(name: str) -> Offer:
    """The base model called ``name``, with or without ``models/``. Raises ``NotFound``."""
    full = name if name.startswith("models/") else f"models/{name}"
    if full in ALIASES:
        return _alias(full)
    return _real(entry(full.removeprefix("models/")))


def entry(name: str) -> BaseModelEntry:
    """The base model called ``name``, without ``models/``. Raises ``NotFound``."""
    if found := _entry(name):
        return found
    raise NotFound("base_model_unknown", name=f"models/{name}"[:100])


def default() -> BaseModelEntry:
    return entry(settings.DEFAULT_BASE_MODEL)


def _entry(name: str) -> BaseModelEntry | None:
    return next((entry for entry in entries() if entry.name == name), None)


def _real(entry: BaseModelEntry) -> Offer:
    return Offer(name=entry.api_name, entry=entry, temperature=entry.temperature, top_p=entry.top_p, top_k=entry.top_k)


def _alias(name: str) -> Offer:
    temperature, top_p, top_k = ALIASES[name]
    return Offer(name=name, entry=default(), temperature=temperature, top_p=top_p, top_k=top_k)
