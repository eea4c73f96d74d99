"""Answering with llama.cpp: base models in memory, each with the adapters that were asked for lately.

llama.cpp loads adapters only when a server is built. A new one is built beside the old (a quarter to half a second
for SmolLM2) and takes its place; questions under way keep the old one alive until they are answered.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock
from typing import Any

import xllamacpp

from tuning.engine import AnswerSpec, CountSpec, Ending, InferenceSpec, Piece, Tally, TallySpec, TokenCount, catalogue
from tuning.engine.catalogue import BaseModelEntry
from tuning.engine.exports import ADAPTER_GGUF
from tuning.engine.prompts import Prompts, prompts, tally
from tuning.errors import EngineError, FailedPrecondition, InvalidRequest, NotFound, Unavailable

MAX_ADAPTERS = 16
"""Adapters kept for one base model: SmolLM2's take 10 MB each."""

MAX_BASES = 2
"""Base models kept in memory."""

Tell = Callable[[Piece], bool]
"""Hands a piece to whoever asked, and says whether anybody still listens. Must not raise: llama.cpp would hide it."""

FINISH = {"stop": "STOP", "length": "MAX_TOKENS"}


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """One state of an adapter's file: a model tuned anew under its old name is another one."""

    path: Path
    changed: int
    number: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A base model in memory. An adapter's place in ``adapters`` is its number at llama.cpp."""

    server: Any
    prompts: Prompts
    adapters: tuple[AdapterFile, ...]


class Generator:
    """Answers questions; safe for use by many threads."""

    def __init__(self, spec: InferenceSpec) -> None:
        self._spec = spec
        self._loaded: dict[str, Loaded] = {}
        self._building = Lock()

    def answer(self, question: AnswerSpec, tell: Tell) -> Ending | None:
        """Answer piece by piece, until the end or until nobody listens: then there is no ending.

        Raises what :func:`tuning.engine.answers.ask` says.
        """
        entry = self._entry(question.base)
        adapter = None if question.adapter is None else self._adapter_file(question.adapter)
        loaded = self._with(entry, adapter)
        prompt = loaded.prompts.prompt(question.prompt)
        if len(prompt) > entry.input_token_limit:
            raise InvalidRequest("prompt_too_long", detail=f"{len(prompt)} tokens, at most {entry.input_token_limit}")
        request = sampling(question, entry) | {"prompt": prompt, "lora": chosen(loaded, adapter), "stream": True}
        answering = Answering(tell)
        loaded.server.handle_completions(request, answering)
        return answering.ending()

    def count(self, question: CountSpec) -> TokenCount:
        """How many tokens the prompt has; for this, no weights are loaded. Raises ``NotFound``."""
        entry = self._entry(question.base)
        return TokenCount(len(self._prompts(entry).prompt(question.prompt)))

    def tally(self, task: TallySpec) -> Tally:
        """The tokens of a file of examples. Raises ``NotFound`` for the model, or for the file."""
        known = self._prompts(self._entry(task.base))
        try:
            return tally(known, task.examples)
        except FileNotFoundError as exc:
            raise NotFound("examples_missing") from exc

    def _prompts(self, entry: BaseModelEntry) -> Prompts:
        return prompts(self._spec.models / entry.name, entry.prompt_format)

    def _entry(self, base: str) -> BaseModelEntry:
        try:
            entry = catalogue.entry(base, self._spec.models)
        except EngineError as exc:
            raise NotFound("base_model_missing") from exc
        if not catalogue.is_prepared(base, self._spec.models):
            raise NotFound("base_model_missing")
        return entry

    def _adapter_file(self, folder: Path) -> AdapterFile:
        """Only what lies in the folder of adapters is loaded, links followed."""
        path = (folder / ADAPTER_GGUF).resolve()
        if not path.is_relative_to(self._spec.adapters):
            raise NotFound("adapter_missing")
        try:
            state = path.stat()
        except OSError as exc:
            raise NotFound("adapter_missing") from exc
        return AdapterFile(path, state.st_mtime_ns, state.st_ino)

    def _with(self, entry: BaseModelEntry, adapter: AdapterFile | None) -> Loaded:
        """The base model, with ``adapter`` among its own."""
        if found := self._has(entry.name, adapter):
            return found
        with self._building:
            return self._has(entry.name, adapter) or self._build(entry, adapter)

    def _has(self, base: str, adapter: AdapterFile | None) -> Loaded | None:
        found = self._loaded.get(base)
        return found if found and (adapter is None or adapter in found.adapters) else None

    def _build(self, entry: BaseModelEntry, adapter: AdapterFile | None) -> Loaded:
        current = self._loaded.get(entry.name)
        adapters = _latest(current.adapters if current else (), adapter)
        server = start(self._spec.models / entry.name, entry, adapters, self._spec.threads)
        built = Loaded(server, self._prompts(entry), adapters)
        self._loaded.pop(entry.name, None)
        self._loaded[entry.name] = built
        for oldest in list(self._loaded)[:-MAX_BASES]:
            del self._loaded[oldest]
        return built


class Answering:
    """Hears llama.cpp making an answer. Characters and stop sequences that are not whole yet, it keeps to itself."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._heard: Mapping[str, Any] = {}
        self._left = False

    def __call__(self, values: Mapping[str, Any]) -> bool:
        """Whether to stop."""
        self._heard = values
        text = values["choices"][0]["text"] if "choices" in values else ""
        self._left = bool(text) and not self._tell(Piece(text))
        return self._left

    def ending(self) -> Ending | None:
        """``None`` where nobody listened to the end. Raises ``Unavailable`` where llama.cpp failed."""
        if self._left:
            return None
        if "usage" not in self._heard:
            error = self._heard.get("error", {})
            raise Unavailable("inference_failed", detail=str(error.get("message", ""))[:200])
        usage = self._heard["usage"]
        return Ending(
            finish_reason=FINISH.get(self._heard["choices"][0]["finish_reason"], "STOP"),
            prompt_tokens=usage["prompt_tokens"],
            answer_tokens=usage["completion_tokens"],
        )


def start(folder: Path, entry: BaseModelEntry, adapters: tuple[AdapterFile, ...], threads: int | None) -> Any:
    """A llama.cpp server for the base model in ``folder``. Raises ``FailedPrecondition("adapter_unusable")``."""
    with tempfile.TemporaryDirectory(prefix="tuneboard-") as door:
        parameters = _parameters(folder, entry, threads)
        # It insists on an HTTP port. It gets a socket in a folder that only we can open and that is gone at once.
        parameters.hostnames = [f"{door}/llama.sock"]
        # At scale 0 an adapter is loaded and not applied; each request names the one it wants.
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(file.path), 0.0) for file in adapters]
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError as exc:
            raise (FailedPrecondition("adapter_unusable") if adapters else Unavailable("base_model_unusable")) from exc


def sampling(question: AnswerSpec, entry: BaseModelEntry) -> dict[str, Any]:
    """How llama.cpp is to sample: top-k, then top-p, then temperature; temperature 0 takes the likeliest token."""
    return {
        "n_predict": min(question.max_output_tokens, entry.output_token_limit),
        "temperature": question.temperature,
        "top_p": question.top_p,
        "top_k": question.top_k,
        "min_p": 0.0,
        "samplers": ["top_k", "top_p", "temperature"],
        "stop": list(question.stop_sequences),
        # What it remembers of one prompt was made under another adapter, and it does not always notice the change.
        "cache_prompt": False,
        # Its largest seed means one of chance, as -1 does.
        "seed": -1 if question.seed is None else question.seed % 0xFFFFFFFF,
    }


def chosen(loaded: Loaded, adapter: AdapterFile | None) -> list[dict[str, float]]:
    """The one adapter to be applied. llama.cpp ignores unknown numbers silently, so it is looked up here."""
    return [] if adapter is None else [{"id": loaded.adapters.index(adapter), "scale": 1.0}]


def _latest(adapters: tuple[AdapterFile, ...], wanted: AdapterFile | None) -> tuple[AdapterFile, ...]:
    """The adapters still there, without earlier states of the wanted one, and that one last; at most so many."""
    if wanted is None:
        return adapters
    kept = [file for file in adapters if file.path != wanted.path and file.path.exists()]
    return (*kept, wanted)[-MAX_ADAPTERS:]


def _parameters(folder: Path, entry: BaseModelEntry, threads: int | None) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(folder / catalogue.GGUF_FILE)
    parameters.n_ctx = entry.context_tokens
    parameters.n_parallel = 1
    parameters.fit_params = False
    parameters.warmup = False
    parameters.cache_ram_mib = 0
    parameters.verbosity = 0
    parameters.api_keys = [token_urlsafe(32)]
    parameters.cors_origins = ""
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = False
    if threads is not None:
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    return parameters
