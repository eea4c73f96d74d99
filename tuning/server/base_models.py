"""The base models on offer: the engine's catalogue, and names of the service's that stand for our default.

With the aliases, scripts written for Gemini tuning run unchanged; answers echo the name that was asked for.
"""

from dataclasses import dataclass

from django.conf import settings

from tuning.engine import catalogue
from tuning.engine.catalogue import BaseModelEntry
from tuning.errors import NotFound


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


def offers() -> list[Offer]:
    """Every base model, the real ones first."""
    real = [_real(entry) for entry in catalogue.entries(settings.MODELS_DIR)]
    return real + [_alias(name) for name in ALIASES]


def find(name: str) -> Offer:
    """The base model called ``name``, with or without ``models/``. Raises ``NotFound``."""
    full = name if name.startswith("models/") else f"models/{name}"
    if full in ALIASES:
        return _alias(full)
    for entry in catalogue.entries(settings.MODELS_DIR):
        if entry.api_name == full:
            return _real(entry)
    raise NotFound("base_model_unknown", name=full[:100])


def default() -> BaseModelEntry:
    return catalogue.entry(settings.DEFAULT_BASE_MODEL, settings.MODELS_DIR)


def _real(entry: BaseModelEntry) -> Offer:
    return Offer(name=entry.api_name, entry=entry, temperature=entry.temperature, top_p=entry.top_p, top_k=entry.top_k)


def _alias(name: str) -> Offer:
    temperature, top_p, top_k = ALIASES[name]
    return Offer(name=name, entry=default(), temperature=temperature, top_p=top_p, top_k=top_k)
