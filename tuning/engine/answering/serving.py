"""llama.cpp with a base model and the adapters that were asked for lately.

llama.cpp loads adapters only when a server is built. A new one is built beside the old (a quarter to half a second
for SmolLM2) and takes its place; questions under way keep the old one alive until they are answered. The weights are
mapped from their file, so that all servers of a base model share them; each has memory of its own for its answers.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock
from typing import Any

import xllamacpp

from tuning.engine.answering.lanes import CONTEXTS, NARROW, SLOTS, WIDE
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry
from tuning.errors import FailedPrecondition, Unavailable

MAX_ADAPTERS = 8
"""Adapters kept in a lane: SmolLM2's take 10 MB each."""

IDLE_SECONDS = 60.0
"""A narrow lane that nobody used for so long gives its memory back when a single adapter is asked again."""

BATCH = 128
"""Tokens computed at once. A long prompt holds up the answers beside it for no longer than so many take."""


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """One state of an adapter's file: a model tuned anew under its old name is another one."""

    path: Path
    changed: int
    number: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A server. An adapter's place in ``adapters`` is its number at llama.cpp."""

    server: Any
    adapters: tuple[AdapterFile, ...] = ()

    def has(self, adapter: AdapterFile | None) -> bool:
        return adapter is None or adapter in self.adapters

    def chosen(self, adapter: AdapterFile | None) -> list[dict[str, float]]:
        """The one adapter to be applied. llama.cpp ignores unknown numbers silently, so it is looked up here."""
        return [] if adapter is None else [{"id": self.adapters.index(adapter), "scale": 1.0}]


class Lane:
    """A server that is replaced when it lacks an adapter; safe for use by many threads."""

    def __init__(self, folder: Path, tokens: int, threads: int) -> None:
        self._folder, self._tokens, self._threads = folder, tokens, threads
        self._loaded: Loaded | None = None
        self._building = Lock()
        self._used = 0.0

    def with_adapter(self, adapter: AdapterFile | None, lately: tuple[AdapterFile, ...]) -> Loaded:
        """Where it must be built, it takes those along that were asked ``lately``.

        Raises ``FailedPrecondition("adapter_unusable")``, ``Unavailable("base_model_unusable")``."""
        self._used = time.monotonic()
        found = self._loaded
        if found and found.has(adapter):
            return found
        with self._building:
            if not (self._loaded and self._loaded.has(adapter)):
                self._loaded = self._built(_latest(lately, adapter), adapter)
            return self._loaded

    def _built(self, adapters: tuple[AdapterFile, ...], wanted: AdapterFile | None) -> Loaded:
        """With all ``adapters``; where one of them is gone or spoilt by now, with the ``wanted`` one alone."""
        alone = () if wanted is None else (wanted,)
        try:
            return Loaded(start(self._folder, adapters, self._tokens, self._threads), adapters)
        except FailedPrecondition:
            if adapters == alone:
                raise
            return Loaded(start(self._folder, alone, self._tokens, self._threads), alone)

    def rest(self) -> None:
        """Give the memory back unless somebody was here lately."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._loaded = None


class Served:
    """A base model that can be asked, in each of the lanes."""

    def __init__(self, folder: Path, entry: BaseModelEntry, threads: int) -> None:
        self._lately: tuple[AdapterFile, ...] = ()
        half = max(1, threads // len(NARROW))
        self._lanes = {
            lane: Lane(folder, contexts * entry.context_tokens, threads if lane == WIDE else half)
            for lane, contexts in CONTEXTS.items()
        }

    def loaded(self, lane: int, adapter: AdapterFile | None) -> Loaded:
        """What answers in ``lane``, with ``adapter``. Raises what :meth:`Lane.with_adapter` raises."""
        if lane == WIDE:
            for number in NARROW:
                self._lanes[number].rest()
        loaded = self._lanes[lane].with_adapter(adapter, self._lately)
        self._lately = _latest(self._lately, adapter)
        return loaded


def start(folder: Path, adapters: tuple[AdapterFile, ...], tokens: int, threads: int) -> Any:
    """A llama.cpp server for the base model in ``folder``, with memory for ``tokens``.

    Raises ``FailedPrecondition("adapter_unusable")``, without adapters ``Unavailable("base_model_unusable")``.
    """
    with tempfile.TemporaryDirectory(prefix="tuneboard-") as door:
        parameters = _parameters(folder, tokens, threads)
        # It insists on an HTTP port. It gets a socket in a folder that only we can open and that is gone at once.
        parameters.hostnames = [f"{door}/llama.sock"]
        # At scale 0 an adapter is loaded and not applied; each request names the one it wants.
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(file.path), 0.0) for file in adapters]
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError as exc:
            raise (FailedPrecondition("adapter_unusable") if adapters else Unavailable("base_model_unusable")) from exc


def _latest(adapters: tuple[AdapterFile, ...], wanted: AdapterFile | None) -> tuple[AdapterFile, ...]:
    """The adapters still there, without earlier states of the wanted one, and that one last; at most so many."""
    there = [file for file in adapters if file.path.exists()]
    if wanted is not None:
        there = [*(file for file in there if file.path != wanted.path), wanted]
    return tuple(there[-MAX_ADAPTERS:])


def _parameters(folder: Path, tokens: int, threads: int) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(folder / catalogue.GGUF_FILE)
    parameters.n_ctx = tokens
    parameters.n_parallel = SLOTS
    parameters.kv_unified = True  # each answer may use what the others leave, up to the whole
    parameters.n_batch = parameters.n_ubatch = BATCH
    parameters.fit_params = False
    parameters.warmup = False
    parameters.cache_ram_mib = 0
    parameters.verbosity = 0
    parameters.api_keys = [token_urlsafe(32)]
    parameters.cors_origins = ""
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = False
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    return parameters
