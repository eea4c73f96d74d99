"""Answering questions with llama.cpp, several at once.

What it has loaded is :mod:`tuning.engine.answering.serving`'s matter.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from tuning.engine import AnswerSpec, CountSpec, Ending, InferenceSpec, Piece, Tally, TallySpec, TokenCount
from tuning.engine.answering.lanes import Lanes, Ticket
from tuning.engine.answering.serving import AdapterFile, Served
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry
from tuning.engine.bases.exports import ADAPTER_GGUF
from tuning.engine.bases.prompts import Prompts, prompts, tally
from tuning.errors import EngineError, InvalidRequest, NotFound, Unavailable

MAX_BASES = 2
"""Base models kept in memory."""

FINISH = {"stop": "STOP", "length": "MAX_TOKENS"}


class Caller(Protocol):
    """Whoever asked. Neither method may raise: llama.cpp would hide it."""

    def tell(self, said: Piece) -> bool:
        """Hand over a piece, and say whether anybody still listens."""

    def listening(self) -> bool:
        """Whether anybody still listens."""


class Generator:
    """Answers questions; safe for use by many threads."""

    def __init__(self, spec: InferenceSpec) -> None:
        self._spec = spec
        self._lanes = Lanes()
        self._served: dict[str, Served] = {}
        self._serving = Lock()

    def answer(self, question: AnswerSpec, caller: Caller) -> Ending | None:
        """Answer piece by piece, until the end or until nobody listens: then there is no ending.

        Raises what :func:`tuning.engine.answering.answers.ask` says.
        """
        entry = self._entry(question.base)
        adapter = None if question.adapter is None else self._adapter_file(question.adapter)
        prompt = self._prompts(entry).prompt(question.prompt)
        if len(prompt) > entry.input_token_limit:
            raise InvalidRequest("prompt_too_long", detail=f"{len(prompt)} tokens, at most {entry.input_token_limit}")
        request = sampling(question, entry) | {"prompt": prompt, "stream": True}
        served = self._serve(entry)
        tokens = len(prompt) + request["n_predict"]
        ticket = Ticket((entry.name, adapter), tokens, entry.context_tokens, question.asker)
        with self._lanes.place(ticket, caller.listening) as lane:
            if lane is None:
                return None
            loaded = served.loaded(lane, adapter)
            answering = Answering(caller)
            loaded.server.handle_completions(request | {"lora": loaded.chosen(adapter)}, answering)
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

    def _serve(self, entry: BaseModelEntry) -> Served:
        """A base model's servers; those of the one that was asked longest ago are given up for them."""
        with self._serving:
            folder, threads = self._spec.models / entry.name, self._spec.threads or os.cpu_count() or 1
            served = self._served.pop(entry.name, None) or Served(folder, entry, threads)
            self._served[entry.name] = served
            for oldest in list(self._served)[:-MAX_BASES]:
                del self._served[oldest]
            return served


class Answering:
    """Hears llama.cpp making an answer. Characters and stop sequences that are not whole yet, it keeps to itself."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._heard: Mapping[str, Any] = {}
        self._left = False

    def __call__(self, values: Mapping[str, Any]) -> bool:
        """Whether to stop."""
        self._heard = values
        text = values["choices"][0]["text"] if "choices" in values else ""
        self._left = not (self._caller.tell(Piece(text)) if text else self._caller.listening())
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
