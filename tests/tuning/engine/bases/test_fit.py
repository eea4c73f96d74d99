"""Will it fit? A question of numbers alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests import tiny_models
from tuning.engine.bases import shape
from tuning.engine.bases.fit import Machine, Verdict, fit, this_machine

GB = 1 << 30

SMOLLM2 = shape.shape(
    tiny_models.CONFIGS["llama"]
    | {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9}
    | {"num_key_value_heads": 3, "vocab_size": 49152, "max_position_embeddings": 8192}
)
SEVEN_BILLION = shape.shape(
    tiny_models.CONFIGS["qwen2"]
    | {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}
    | {"num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 32768}
)


@pytest.mark.parametrize(
    ("found", "memory", "verdict"),
    [
        (SMOLLM2, 1, Verdict.DOES_NOT_FIT),
        (SMOLLM2, 2, Verdict.TIGHT),
        (SMOLLM2, 4, Verdict.FITS),
        (SEVEN_BILLION, 16, Verdict.DOES_NOT_FIT),
        (SEVEN_BILLION, 48, Verdict.TIGHT),
        (SEVEN_BILLION, 96, Verdict.FITS),
    ],
)
def test_memory_decides(found: shape.Shape, memory: int, verdict: Verdict) -> None:
    judged = fit(found, Machine(memory=memory * GB, disk=500 * GB), context=4096)

    assert judged.verdict is verdict
    assert judged.short_of == (("memory",) if verdict is Verdict.DOES_NOT_FIT else ())


def test_the_disk_decides_until_the_model_is_ready() -> None:
    machine = Machine(memory=96 * GB, disk=10 * GB)

    waiting, ready = (fit(SEVEN_BILLION, machine, context=4096, prepared=done) for done in (False, True))

    assert (waiting.verdict, waiting.short_of, waiting.disk // GB) == (Verdict.DOES_NOT_FIT, ("disk",), 28)
    assert (ready.verdict, ready.disk) == (Verdict.FITS, 0)


def test_both_may_be_short() -> None:
    assert fit(SEVEN_BILLION, Machine(memory=GB, disk=GB), context=4096).short_of == ("memory", "disk")


def test_numbers_grow_with_what_they_stand_for() -> None:
    machine = Machine(memory=96 * GB, disk=500 * GB)
    small, deep = (fit(found, machine, context=1024) for found in (SMOLLM2, replace(SMOLLM2, layers=60)))
    long = fit(SMOLLM2, machine, context=8192)

    assert small.parameters < deep.parameters
    assert small.tuning < deep.tuning
    assert small.answering < deep.answering
    assert small.answering < long.answering
    assert small.tuning == long.tuning


def test_this_machine_has_memory_and_disk(tmp_path: Path) -> None:
    machine = this_machine(tmp_path / "not" / "there" / "yet")

    assert 100 << 20 < machine.memory < 1 << 50
    assert machine.disk > 0
