"""From rows to batches."""

from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny_llama
from tuning.engine.batches import IGNORED, Batch, Corpus, batches, tokenise
from tuning.engine.prompts import Prompts
from tuning.errors import EngineError

ENTRY = tiny_llama.entry()


def read(models: Path, path: Path, *lines: bytes) -> Corpus:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return tokenise(path, Prompts(models / tiny_llama.NAME, ENTRY.prompt_format), ENTRY)


def row(asked: str, said: str) -> bytes:
    return orjson.dumps({"text_input": asked, "output": said})


def numbered(count: int) -> Corpus:
    """Examples of one prompt token and one output token, both the example's number."""
    corpus = Corpus()
    for number in range(count):
        corpus.add([number], [number])
    return corpus


def examples_in(batch: Batch) -> list[int]:
    return [int(number) for number in batch.tokens[:, 0]]


@given(count=st.integers(1, 40), size=st.integers(1, 50), epochs=st.integers(1, 4), seed=st.integers(0, 3))
def test_batches_run_on_across_epochs(count: int, size: int, epochs: int, seed: int) -> None:
    made = [examples_in(batch) for batch in batches(numbered(count), size, epochs, seed)]

    assert len(made) == -(-count * epochs // size)
    assert all(len(batch) == size for batch in made[:-1])
    order = [number for batch in made for number in batch]
    for epoch in range(epochs):
        assert sorted(order[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_each_epoch_has_an_order_of_its_own_and_a_seed_repeats_it() -> None:
    first = [examples_in(batch) for batch in batches(numbered(30), 30, 3, seed=5)]

    assert first == [examples_in(batch) for batch in batches(numbered(30), 30, 3, seed=5)]
    assert len({tuple(order) for order in first}) == 3


def test_only_outputs_are_labelled(models: Path, tmp_path: Path) -> None:
    corpus = read(models, tmp_path / "x", row("a long question", "yes"), row("b", "no, never"))
    (batch,) = batches(corpus, 2, 1, seed=0)

    for tokens, mask, labels in zip(batch.tokens, batch.mask, batch.labels, strict=True):
        learnt = labels[labels != IGNORED].tolist()
        length = int(mask.sum())
        assert learnt[-1] == 2
        assert learnt == tokens[length - len(learnt) : length].tolist()
        assert (labels[length:] == IGNORED).all()
    assert Counter(len(labels[labels != IGNORED]) for labels in batch.labels) == {4: 1, 10: 1}


def test_a_long_input_loses_its_beginning(models: Path, tmp_path: Path) -> None:
    corpus = read(models, tmp_path / "x", row("x" * 500 + "the end?", "y"), row("short", "y"))

    tokens, given_tokens = corpus[0]
    prompts = Prompts(models / tiny_llama.NAME, ENTRY.prompt_format)

    assert corpus.shortened == 1
    assert given_tokens == ENTRY.input_token_limit
    assert tokens[: len(prompts.before)].tolist() == prompts.before
    question = prompts.tokens("the end?")
    end = given_tokens - len(prompts.after)
    assert tokens[end - len(question) : end].tolist() == question


def test_a_long_output_ends_the_job_and_names_its_row(models: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as ended:
        read(models, tmp_path / "x", row("a", "b"), row("a", "b" * 64))

    assert (ended.value.code, ended.value.params) == ("example_too_long", {"row": 2})


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 5000),
        *(b'{"text_input":"a"}', b'{"text_input":1,"output":"b"}', b'{"text_input":"a","output":null}'),
    ],
)
def test_a_bad_row_ends_the_job_and_names_its_row_without_its_text(models: Path, tmp_path: Path, line: bytes) -> None:
    with pytest.raises(EngineError) as ended:
        read(models, tmp_path / "x", row("secret", "b"), line)

    assert (ended.value.code, ended.value.params, ended.value.detail) == ("example_invalid", {"row": 2}, "")


def test_no_examples_are_nothing_to_learn(models: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as ended:
        read(models, tmp_path / "x")

    assert ended.value.code == "no_labels"
