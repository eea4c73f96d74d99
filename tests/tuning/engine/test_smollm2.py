"""The real model: it learns the tutorial's numbers, and answers as transformers and PEFT say it does.

``ENGINE_PROMPTS`` asks more (or fewer) than the usual fifty questions.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.tuning.engine.conftest import maker
from tests.tuning.engine.float32 import float32_models
from tests.tuning.engine.reference import Reference
from tests.tuning.engine.running import NUMBERS, Desk, finished, serving
from tuning.engine import Done, Event, Step, TuneSpec
from tuning.engine.bases import catalogue
from tuning.engine.children import start_training

pytestmark = pytest.mark.engine

WORDS = ["zero", "four", "five", "nine", "eleven", "fifteen", "nineteen", "thirty three", "forty nine", "sixty"]
NUMERALS = ["II", "IV", "VIII", "XI", "XIX", "XXIX", "XL", "LXIII", "LXXX", "XCIX"]
OTHERS = ["What is the capital of France?", "un", "quatre", "sieben", "Hello!", "a", "A", "?", "minus two", "ten"]
FIGURES = ["9", "0", "-1", "17", "99", "2,000", "-100", "42", "12,345", "1999"]
QUESTIONS = [*FIGURES, *WORDS, *NUMERALS, *OTHERS, *(str(number * 37) for number in range(1, 1000))]

Answers = Mapping[tuple[Path, str], str]
"""By adapter and prompt."""

PROMPTS = QUESTIONS[: int(os.environ.get("ENGINE_PROMPTS", "50"))]


@pytest.fixture(scope="module")
def job(smollm2_models: Path, tmp_path_factory: pytest.TempPathFactory) -> TuneSpec:
    """The tutorial: fifteen pairs, five epochs, batches of four, learning rate 0.001."""
    return maker(smollm2_models, catalogue.DEFAULT, tmp_path_factory.mktemp("tutorial"))()


@pytest.fixture(scope="module")
def tuned(job: TuneSpec) -> list[Event]:
    events, code = finished(start_training(job), within=240)
    assert (events[-1], code) == (Done(), 0)
    return events


@pytest.fixture(scope="module")
def desk(job: TuneSpec) -> Iterator[Desk]:
    with serving(job.models, job.adapter.parent, job.base) as desk:
        yield desk


@pytest.fixture(scope="module")
def backwards(smollm2_models: Path, job: TuneSpec, tmp_path_factory: pytest.TempPathFactory) -> TuneSpec:
    """Another tuned model, of another rank: it says the number before."""
    make = maker(smollm2_models, catalogue.DEFAULT, tmp_path_factory.mktemp("backwards"))
    spec = make([(said, asked) for asked, said in NUMBERS], adapter=job.adapter.with_name("backwards"), rank=4)
    events, code = finished(start_training(spec), within=240)
    assert (events[-1], code) == (Done(), 0)
    return spec


@pytest.fixture(scope="module")
def expected(job: TuneSpec, tuned: list[Event], backwards: TuneSpec) -> Answers:
    """What transformers and PEFT answer with either adapter, in float32."""
    return {
        (adapter, prompt): said
        for adapter in (job.adapter, backwards.adapter)
        for prompt, said in Reference(job.models, job.base, adapter).answers(PROMPTS).items()
    }


def answered(desk: Desk, questions: Iterable[tuple[Path, str]]) -> Answers:
    """Eight questions at once, in turns to either adapter: answers are made together, and side by side."""
    mixed = sorted(questions, key=lambda question: question[1])
    with ThreadPoolExecutor(8) as asking:
        said = asking.map(lambda question: desk.ask(question[1], question[0]).text, mixed)
        return dict(zip(mixed, said, strict=True))


def test_the_tutorials_numbers_are_learnt(tuned: list[Event]) -> None:
    snapshots = [event.snapshot for event in tuned if isinstance(event, Step)]

    assert [(snapshot.step, snapshot.epoch) for snapshot in snapshots] == [(n, n * 4 // 15) for n in range(1, 20)]
    assert 2 < snapshots[0].mean_loss < 5
    assert snapshots[-1].mean_loss < 0.3


@pytest.mark.parametrize(("asked", "said"), [("9", "10"), ("LXIII", "LXIV"), ("four", "five")])
def test_the_tuned_model_says_the_next_number(
    desk: Desk, job: TuneSpec, tuned: list[Event], asked: str, said: str
) -> None:
    assert desk.ask(asked, job.adapter).text == said


def test_the_base_model_answers_a_question(desk: Desk) -> None:
    assert "Paris" in desk.ask("What is the capital of France?").text


@pytest.mark.timeout(600)
def test_answers_from_the_f16_base_agree_in_98_of_100(
    desk: Desk, job: TuneSpec, backwards: TuneSpec, expected: Answers
) -> None:
    ours = answered(desk, expected)

    for adapter in (job.adapter, backwards.adapter):
        different = [key for key, said in expected.items() if key[0] == adapter and ours[key] != said]
        assert len(different) <= 0.02 * len(PROMPTS), different


@pytest.mark.timeout(600)
def test_answers_from_the_float32_base_are_the_same(job: TuneSpec, expected: Answers, tmp_path: Path) -> None:
    exact = float32_models(job.models, job.base, tmp_path / "models")
    with serving(exact, job.adapter.parent, job.base) as desk:
        assert answered(desk, expected) == dict(expected)
