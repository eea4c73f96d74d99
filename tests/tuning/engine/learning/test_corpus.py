"""From rows to tokens on disk, and from there to packed batches."""

from pathlib import Path

import numpy as np
import orjson
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny_llama
from tuning.engine.bases.prompts import Prompts
from tuning.engine.learning import corpus as corpora
from tuning.engine.learning import ops
from tuning.engine.learning.corpus import Corpus, Example, order, pack, split, tokenise
from tuning.errors import EngineError
from tuning.recipes import Recipe

ENTRY = tiny_llama.entry()


def read(models: Path, path: Path, *lines: bytes) -> Corpus:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return tokenise(path, path.with_name("tokens"), Prompts(models / tiny_llama.NAME, ENTRY.prompt_format), ENTRY)


def row(asked: str, said: str) -> bytes:
    return orjson.dumps({"text_input": asked, "output": said})


def recipe(**changes: float) -> Recipe:
    return Recipe(**{"epoch_count": 1, "batch_size": 4, "learning_rate": 1e-3, **changes})  # type: ignore[arg-type]


@settings(deadline=None)
@given(count=st.integers(1, 40), epochs=st.integers(1, 4), seed=st.integers(0, 3), start=st.integers(0, 200))
def test_every_epoch_takes_every_example_once(count: int, epochs: int, seed: int, start: int) -> None:
    whole = list(order(count, recipe(epoch_count=epochs, seed=seed)))

    assert len(whole) == count * epochs
    for epoch in range(epochs):
        assert sorted(whole[epoch * count : (epoch + 1) * count]) == list(range(count))
    assert list(order(count, recipe(epoch_count=epochs, seed=seed), start)) == whole[start:]


def test_each_epoch_has_an_order_of_its_own() -> None:
    whole = list(order(30, recipe(epoch_count=3, seed=5)))

    assert len({tuple(whole[at : at + 30]) for at in (0, 30, 60)}) == 3


@settings(deadline=None)
@given(count=st.integers(2, 60), share=st.floats(0.01, 0.9), seed=st.integers(0, 3))
def test_what_is_held_out_is_not_learnt(count: int, share: float, seed: int) -> None:
    learnt, held = split(count, recipe(validation=share, seed=seed))

    assert sorted([*learnt.tolist(), *held.tolist()]) == list(range(count))
    assert len(learnt) >= 1
    assert len(held) >= 1


@st.composite
def examples(draw: st.DrawFn) -> list[Example]:
    lengths = draw(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=8))
    return [Example(np.arange(given + learnt, dtype=np.int32), given) for given, learnt in lengths]


@settings(deadline=None)
@given(examples())
def test_a_packed_batch_labels_outputs_only(given_examples: list[Example]) -> None:
    batch = pack(given_examples, torch.float32)

    live = sum(len(example.tokens) for example in given_examples)
    assert len(batch.tokens) == ops.rounded(live)
    assert batch.tokens[:live].tolist() == [token for example in given_examples for token in example.tokens.tolist()]
    assert batch.positions[:live].tolist() == batch.tokens[:live].tolist()
    expected = [token for example in given_examples for token in example.tokens[example.given :].tolist()]
    assert batch.labels.tolist() == batch.tokens[batch.labelled + 1].tolist() == expected


@settings(deadline=None)
@given(examples())
def test_a_token_sees_itself_and_those_before_it_in_its_example(given_examples: list[Example]) -> None:
    batch = pack(given_examples, torch.float32)
    owner = [number for number, example in enumerate(given_examples) for _ in example.tokens]
    owner += [-1] * (len(batch.tokens) - len(owner))

    seen = {}
    for span in batch.spans:
        assert span.mask is not None
        assert len(span.mask) == ops.rounded(span.stop - span.start)
        for row, looks in enumerate(span.mask[: span.stop - span.start]):
            seen[span.start + row] = {span.start + int(at) for at in torch.nonzero(looks == 0)}

    for place, among in seen.items():
        assert among == {before for before in range(place + 1) if owner[before] == owner[place]}
    assert len(seen) == len(owner)


def test_a_large_batch_goes_through_the_model_in_pieces() -> None:
    many = [Example(np.zeros(700, dtype=np.int32), 10) for _ in range(7)]

    made = list(corpora.pieces(many, torch.device("cpu"), torch.float32))

    assert [len(piece.tokens) for piece in made] == [1408, 1408, 1408, 704]


def test_tokens_are_made_once(models: Path, tmp_path: Path) -> None:
    first = read(models, tmp_path / "x", row("a", "b"))
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "tokens").iterdir()}

    again = read(models, tmp_path / "x", row("a", "b"))

    assert len(first) == len(again) == 1
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "tokens").iterdir()} == made


def test_a_long_input_loses_its_beginning(models: Path, tmp_path: Path) -> None:
    corpus = read(models, tmp_path / "x", row("x" * 500 + "the end?", "y"), row("short", "y"))

    tokens, given_tokens = corpus[0].tokens, corpus[0].given
    prompts = Prompts(models / tiny_llama.NAME, ENTRY.prompt_format)

    assert (corpus.shortened, corpus.shortened_count) == ([1], 1)
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


def test_an_example_has_no_more_tokens_than_the_recipe_allows(models: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(row("x" * 100, "y" * 20))
    prompts = Prompts(models / tiny_llama.NAME, ENTRY.prompt_format)

    corpus = tokenise(tmp_path / "x", tmp_path / "tokens", prompts, ENTRY, longest=70)

    assert len(corpus[0].tokens) == 70
    assert corpus.shortened == [1]
    assert prompts.text(corpus[0].tokens[corpus[0].given :].tolist()) == "y" * 20
