"""Making a base model ready: ``python -m tuning.engine.prepare NAME MODELS_DIR``, or a child of the supervisor's.

The weights are written twice: bf16 safetensors for tuning, and, from the same rounded numbers, an F16 GGUF for
answering. What a model is tuned on and what answers are then the same model. Both are written a block at a time, so
that memory does not grow with the model.
"""

import argparse
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import orjson
from tokenizers import Tokenizer

from tuning.engine import Event, Log, PrepareSpec, Progress, child
from tuning.engine.bases import catalogue, exports, hub, originals, sources, weights
from tuning.engine.bases.catalogue import BaseModelEntry, Hub, PromptFormat
from tuning.engine.bases.fit import Fit, Verdict, fit, this_machine
from tuning.engine.bases.originals import Original
from tuning.engine.bases.shape import Shape, shape
from tuning.engine.bases.templates import prompt_format
from tuning.engine.staging import locked, staged
from tuning.errors import EngineError

READ = 60
"""Percent of the work when the safetensors are written."""


def prepare(spec: PrepareSpec) -> Iterator[Event]:
    """Make ``spec.base`` ready, yielding how far it is; two processes at once wait for each other.

    Raises ``EngineError`` (``base_model_missing``, ``hash_differs``, ``download_failed``, ``does_not_fit``, and
    those of :func:`tuning.engine.bases.originals.check`) and ``OSError`` when the disk is full.
    """
    entry = catalogue.entry(spec.base, spec.models)
    yield Progress(0)
    with locked(spec.models):
        if entry.weights is not None and not catalogue.is_prepared(spec.base, spec.models):
            yield from _fetch_and_convert(entry, spec.models)
    yield Progress(100)


def _fetch_and_convert(entry: BaseModelEntry, models: Path) -> Iterator[Event]:
    if not isinstance(entry.weights, Hub):
        assert entry.weights is not None  # the caller's condition
        yield from _convert(entry, sources.located(entry.weights), models)
        return
    fetched = yield from _scaled(hub.download(entry, entry.weights, models), 0)
    downloaded = catalogue.downloaded(entry.name, models)
    yield from _scaled(_convert(fetched, downloaded, models), 50)
    shutil.rmtree(downloaded, ignore_errors=True)


Result = TypeVar("Result")


def _scaled(events: Generator[Event, None, Result], start: int) -> Generator[Event, None, Result]:
    """``events`` as one half of the work, from ``start`` percent on. Returns what they do."""
    while True:
        try:
            event = next(events)
        except StopIteration as ended:
            return cast(Result, ended.value)
        yield Progress(start + event.percent // 2) if isinstance(event, Progress) else event


def inspect(entry: BaseModelEntry, original: Original, models: Path) -> tuple[BaseModelEntry, Shape]:
    """The entry with everything settled that depends on the model, once it is known that it can be used here.

    Raises ``EngineError``: ``does_not_fit``, ``chat_template_unusable``, and those of
    :func:`tuning.engine.bases.originals.check`.
    """
    found = shape(original.config())
    settled = _within(entry, found)
    judged = fit(found, this_machine(models), context=settled.context_tokens)
    if judged.verdict is Verdict.DOES_NOT_FIT:
        raise EngineError("does_not_fit", detail=_lacking(judged))
    originals.check(original, found)
    if settled.own_template:
        settled = replace(settled, prompt_format=_own_format(original), own_template=False)
    return settled, found


def _convert(entry: BaseModelEntry, place: Path, models: Path) -> Generator[Event, None, None]:
    sources.verify(entry, place)
    original = originals.opened(place)
    entry, found = inspect(entry, original, models)
    yield Log("info", f"{entry.name}: {found.family}, {found.parameters} parameters")
    with staged(models / entry.name) as folder:
        (folder / catalogue.CONFIG_FILE).write_bytes(orjson.dumps(original.config(), option=orjson.OPT_INDENT_2))
        (folder / catalogue.TOKENIZER_FILE).write_bytes(_tokenizer(original))
        catalogue.write_entry(entry, folder)
        sizes = found.tensors()
        writing = weights.write(
            folder / catalogue.WEIGHTS_FILE, sizes, lambda name: originals.blocks(original, name, found)
        )
        for number, _ in enumerate(writing, start=1):
            yield Progress(READ * number // len(sizes))
        for share in exports.writing(folder, folder / catalogue.GGUF_FILE):
            yield Progress(READ + int((99 - READ) * share))


def _within(entry: BaseModelEntry, found: Shape) -> BaseModelEntry:
    """Limits that the model's context has room for: three quarters for the prompt, unless it fits anyway."""
    if entry.context_tokens <= found.positions:
        return entry
    prompt = found.positions * 3 // 4
    return replace(entry, input_token_limit=prompt, output_token_limit=found.positions - prompt)


def _lacking(judged: Fit) -> str:
    """What there is too little of, in numbers."""
    wanted = {"memory": (judged.tuning, judged.machine.memory), "disk": (judged.disk, judged.machine.disk)}
    short = {name: wanted[name] for name in judged.short_of}
    return ", ".join(f"{name}: {need >> 20} MB needed, {there >> 20} MB there" for name, (need, there) in short.items())


def _tokenizer(original: Original) -> bytes:
    """Without the cutting and filling that some makers leave switched on."""
    made = Tokenizer.from_str(original.tokenizer().decode())
    made.no_truncation()
    made.no_padding()
    return made.to_str(pretty=True).encode()


def _own_format(original: Original) -> PromptFormat:
    added = Tokenizer.from_str(original.tokenizer().decode()).get_added_tokens_decoder()
    special = {token.content: number for number, token in added.items() if token.special}
    return prompt_format(original.chat_template(), original.special_texts(), special)


def main(arguments: list[str]) -> int:
    """Prepare by hand, with a bar where there is a terminal to draw it on."""
    parser = argparse.ArgumentParser(prog="python -m tuning.engine.prepare", description="Make a base model ready.")
    parser.add_argument("name", help=f"for example {catalogue.DEFAULT}")
    parser.add_argument("models", type=Path, help="folder of the prepared base models")
    given = parser.parse_args(arguments)
    try:
        for event in prepare(PrepareSpec(base=given.name, models=given.models)):
            if isinstance(event, Progress) and sys.stderr.isatty():
                _draw(given.name, event.percent)
    except Exception as exc:  # said in one line, whatever it is
        failed = child.reason(exc)
        print(f"\n{given.name}: {failed.code}. {failed.detail}", file=sys.stderr)
        return 1
    return 0


def _draw(name: str, percent: int) -> None:
    filled = percent * 30 // 100
    end = "\n" if percent == 100 else ""
    print(f"\r{name} [{'█' * filled}{'·' * (30 - filled)}] {percent:3} %", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(sys.argv[1:]))
    child.run(PrepareSpec, prepare)
