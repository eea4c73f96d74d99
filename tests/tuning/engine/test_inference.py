"""The inference child: who may ask, what comes back, and that it survives bad questions."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
import requests

from tests import tiny_llama
from tests.tuning.engine.conftest import Spec, maker
from tests.tuning.engine.float32 import float32_models
from tests.tuning.engine.reference import Reference
from tests.tuning.engine.running import NUMBERS, Desk, serving
from tuning.engine import AnswerSpec, Ending, Piece
from tuning.engine.answering.answers import ask
from tuning.engine.answering.serving import MAX_ADAPTERS
from tuning.engine.bases import catalogue
from tuning.engine.learning import loop
from tuning.engine.lines import encode
from tuning.errors import (
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    TimedOut,
    Unauthenticated,
    Unreachable,
)

PROMPTS = ["9", "four", "-3", "", "ninety nine", "What comes after twelve?", "日本", "tab\tand\nline"]
IN_TIME = 20
"""Seconds that what has room may take on a busy machine: less than the answers take that would be in its way."""
QUICKLY: dict[str, Any] = {"epoch_count": 60, "learning_rate": 5e-3}
"""So that the tiny model knows its few examples by heart."""


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def desk(models: Path, adapters: Path) -> Iterator[Desk]:
    """An inference child over the tiny model."""
    with serving(models, adapters, tiny_llama.NAME) as desk:
        yield desk


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Desk]:
    """An inference child over a tiny model that may go on for minutes, and does."""
    tiny_llama.build(tmp_path, endless=True)
    with serving(tmp_path, tmp_path, tiny_llama.NAME) as desk:
        yield desk


@pytest.fixture(scope="module")
def learnt(models: Path, adapters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that knows four of the tutorial's examples."""
    make = maker(models, tiny_llama.NAME, tmp_path_factory.mktemp("job"))
    list(loop.tune(make(NUMBERS[:4], adapter=adapters / "learnt", **QUICKLY)))
    return adapters / "learnt"


@pytest.fixture
def tuned(learnt: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of that adapter of the test's own."""
    return Path(shutil.copytree(learnt, learnt.with_name(f"for-{abs(hash(request.node.name))}")))


def test_a_tuned_model_answers_what_it_learnt(desk: Desk, tuned: Path) -> None:
    for asked, said in NUMBERS[:4]:
        answer = desk.ask(asked, tuned)
        assert (answer.text, answer.finish_reason) == (said, "STOP")
        assert answer.answer_tokens > 0
        assert answer.prompt_tokens > len(asked)


def test_the_base_model_answers_as_itself_after_a_tuned_one_was_asked(desk: Desk, tuned: Path) -> None:
    """llama.cpp would go on with what it remembers of the same prompt under the adapter."""
    asked, said = NUMBERS[0]
    before = desk.ask(asked)

    assert desk.ask(asked, tuned).text == said
    assert desk.ask(asked).text == before.text != said


@pytest.mark.parametrize("spoil", [Path.unlink, partial(Path.write_bytes, data=b"no adapter")])
def test_the_base_model_answers_where_a_tuned_one_was_lost(
    models: Path, tuned: Path, spoil: Callable[[Path], object]
) -> None:
    """A lane that is built anew takes along what was asked lately."""
    with serving(models, tuned.parent, tiny_llama.NAME) as fresh:
        fresh.ask("1", tuned)
        spoil(tuned / "adapter.gguf")
        assert fresh.ask("1").text


def test_each_tuned_model_answers_as_itself(desk: Desk, spec: Spec, tuned: Path) -> None:
    other = tuned.with_name("another")
    list(loop.tune(spec([(asked, "no") for asked, _ in NUMBERS[:4]], adapter=other, **QUICKLY)))

    with ThreadPoolExecutor(4) as asking:
        answers = list(asking.map(lambda adapter: desk.ask("1", adapter).text, [tuned, other] * 6))

    assert answers == ["2", "no"] * 6


def test_a_model_tuned_anew_under_its_name_answers_anew(desk: Desk, spec: Spec, tuned: Path) -> None:
    assert desk.ask("1", tuned).text == "2"
    list(loop.tune(spec([("1", "one")], adapter=tuned, **QUICKLY)))

    assert desk.ask("1", tuned).text == "one"


def test_more_tuned_models_than_are_kept_all_answer(desk: Desk, tuned: Path) -> None:
    copies = [tuned.with_name(f"copy-{number}") for number in range(MAX_ADAPTERS + 2)]
    for copy in copies:
        copy.mkdir()
        (copy / "adapter.gguf").write_bytes((tuned / "adapter.gguf").read_bytes())

    assert {desk.ask("1", copy).text for copy in [*copies, copies[0]]} == {"2"}


def test_answers_are_those_of_transformers_and_peft(models: Path, spec: Spec, tmp_path: Path) -> None:
    """Greedy, the base in float32 on both sides: every answer the same, with two adapters and without.

    Only that ours may leave out bytes at an answer's end that make no whole character.
    """
    exact = float32_models(models, tiny_llama.NAME, tmp_path / "exact")
    jobs = [spec(NUMBERS[:8], adapter=tmp_path / "adapters" / str(rank), rank=rank, **QUICKLY) for rank in (4, 8)]
    for job in jobs:
        list(loop.tune(job))
    with serving(exact, tmp_path / "adapters", tiny_llama.NAME) as exactly:
        for adapter in (None, *(job.adapter for job in jobs)):
            reference = Reference(models, tiny_llama.NAME, adapter)
            for prompt in PROMPTS:
                ours, theirs = exactly.ask(prompt, adapter).text, reference.answer(prompt)
                assert ours.rstrip("\ufffd") == theirs.rstrip("\ufffd")


def test_an_answer_that_is_cut_says_so(desk: Desk) -> None:
    answer = desk.ask("1", max_output_tokens=3)

    assert (answer.finish_reason, answer.answer_tokens) == ("MAX_TOKENS", 3)


def test_an_answer_ends_before_a_stop_sequence(desk: Desk, tuned: Path) -> None:
    answer = desk.ask("twenty two", tuned, stop_sequences=("three",))

    assert (answer.text, answer.finish_reason) == ("twenty ", "STOP")


def test_a_seed_repeats_a_sampled_answer(desk: Desk) -> None:
    wild = {"temperature": 1.0, "top_k": 0, "seed": 11}

    assert desk.ask("1", **wild) == desk.ask("1", **wild)
    assert len({desk.ask("1", **wild | {"seed": seed}).text for seed in range(4)}) > 1


def test_a_streamed_answer_is_the_whole_one_in_pieces(desk: Desk, tuned: Path) -> None:
    *pieces, ending = desk.stream("twenty two", tuned)
    whole = desk.ask("twenty two", tuned)

    assert "".join(piece.text for piece in pieces) == whole.text == "twenty three"
    assert len(pieces) > 5
    assert ending == Ending(finish_reason="STOP", prompt_tokens=whole.prompt_tokens, answer_tokens=whole.answer_tokens)


@pytest.fixture(scope="module")
def stuttering(models: Path, adapters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that answers with characters of several bytes, each byte a token, and with repetitions."""
    make = maker(models, tiny_llama.NAME, tmp_path_factory.mktemp("job"))
    list(loop.tune(make([("1", "日本語"), ("3", "ababac")], adapter=adapters / "stuttering", **QUICKLY)))
    return adapters / "stuttering"


def test_a_stream_holds_only_whole_characters(desk: Desk, stuttering: Path) -> None:
    *pieces, _ = desk.stream("1", stuttering)
    assert [piece.text for piece in pieces] == ["日", "本", "語"]

    *pieces, ending = desk.stream("1", stuttering, max_output_tokens=5)
    assert ([piece.text for piece in pieces], ending.finish_reason) == (["日"], "MAX_TOKENS")


def test_a_stream_shows_nothing_of_a_stop_sequence(desk: Desk, stuttering: Path) -> None:
    *pieces, ending = desk.stream("3", stuttering, stop_sequences=("abac",))
    assert ("".join(piece.text for piece in pieces), ending.finish_reason) == ("ab", "STOP")

    *pieces, _ = desk.stream("3", stuttering, stop_sequences=("abax",))
    assert "".join(piece.text for piece in pieces) == "ababac"


def begins(desk: Desk) -> bool:
    """Whether an answer without end begins soon. Two have room beside each other, and no third."""
    stream = desk.stream("1", max_output_tokens=tiny_llama.ENDLESS, timeout=IN_TIME)
    with closing(stream):
        return isinstance(next(stream), Piece)


def test_whoever_hangs_up_has_the_answer_stopped(endless: Desk) -> None:
    assert all(begins(endless) for _ in range(4))


def test_an_answer_that_took_too_long_is_stopped(endless: Desk) -> None:
    for _ in range(3):
        with pytest.raises(TimedOut):
            endless.ask("1", max_output_tokens=tiny_llama.ENDLESS, timeout=0.5)

    assert begins(endless)


def test_who_leaves_while_waiting_is_not_answered(endless: Desk) -> None:
    with closing(endless.stream("1", max_output_tokens=tiny_llama.ENDLESS)) as first:
        next(first)
        with closing(endless.stream("1", max_output_tokens=tiny_llama.ENDLESS)) as second:
            next(second)
            with pytest.raises(TimedOut):
                endless.ask("1", max_output_tokens=tiny_llama.ENDLESS, timeout=0.5)
        assert begins(endless)


def test_eight_answers_at_once_are_those_of_one_alone(desk: Desk, tuned: Path, stuttering: Path) -> None:
    """In one batch, and with adapters beside each other: nobody's answer depends on the neighbours'."""
    asked = [(prompt, adapter) for prompt in PROMPTS[:6] for adapter in (None, tuned, stuttering, tuned)]
    alone = [desk.ask(prompt, adapter) for prompt, adapter in asked]

    with ThreadPoolExecutor(8) as asking:
        assert list(asking.map(lambda question: desk.ask(*question), asked)) == alone


@pytest.mark.parametrize("prompt", ["", "1", "日本", "<|im_end|>", "word " * 30])
def test_tokens_are_counted_as_they_are_when_asked(desk: Desk, prompt: str) -> None:
    assert desk.count(prompt) == desk.ask(prompt, max_output_tokens=1).prompt_tokens


def test_tokens_of_a_model_that_is_not_there_are_not_counted(desk: Desk) -> None:
    with pytest.raises(NotFound):
        replace(desk, base="no-such").count("1")


@pytest.mark.parametrize("outside", ["path", "link"])
def test_an_adapter_outside_the_folder_is_not_loaded(desk: Desk, tuned: Path, tmp_path: Path, outside: str) -> None:
    shutil.copytree(tuned, tmp_path / "elsewhere")
    link = tuned.with_name(f"{tuned.name}-link")
    link.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotFound) as refused:
        desk.ask("1", {"path": tmp_path / "elsewhere", "link": link}[outside])
    assert refused.value.code == "adapter_missing"


@pytest.mark.parametrize(
    "content",
    [b"", b"GGUF", b"not a gguf at all" * 100, b"GGUF\x03\0\0\0" + b"\xff" * 64],
    ids=["empty", "cut", "text", "garbage"],
)
def test_a_bad_adapter_is_refused_and_the_child_goes_on(desk: Desk, tuned: Path, content: bytes) -> None:
    bad = tuned.with_name(f"{tuned.name}-bad")
    bad.mkdir()
    (bad / "adapter.gguf").write_bytes(content)
    assert desk.ask("1", tuned).text == "2"

    with pytest.raises(FailedPrecondition) as refused:
        desk.ask("1", bad)

    assert refused.value.code == "adapter_unusable"
    assert desk.ask("1", tuned).text == "2"
    assert desk.child.exit_code is None


def test_a_prompt_that_is_too_long_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidRequest) as refused:
        desk.ask("x" * 500)
    assert refused.value.code == "prompt_too_long"


@pytest.mark.parametrize("base", ["no-such", "../tiny-llama", catalogue.DEFAULT])
def test_a_base_model_that_is_not_ready_is_missing(desk: Desk, base: str) -> None:
    with pytest.raises(NotFound) as refused:
        desk.ask("1", base=base)
    assert refused.value.code == "base_model_missing"


QUESTION = AnswerSpec(
    base=tiny_llama.NAME, adapter=None, prompt="1", max_output_tokens=64, temperature=0.0, top_p=1.0, top_k=0
)


def test_nobody_is_answered_without_the_key(desk: Desk) -> None:
    address, body = desk.ready.address, encode(QUESTION)
    assert requests.get(f"{address}/health", timeout=IN_TIME).status_code == 401
    for given in ("", "Bearer ", f"Basic {desk.ready.key}", f"Bearer {desk.ready.key[:-1]}", "Bearer é".encode()):
        response = requests.post(f"{address}/generate", data=body, headers={"Authorization": given}, timeout=IN_TIME)
        assert response.status_code == 401
    with pytest.raises(Unauthenticated):
        Desk(desk.child, desk.ready.__class__(address, "another"), desk.base).ask("1")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/health", b"", 200),
        ("GET", "/", b"", 404),
        ("GET", "/generate", b"", 404),
        ("POST", "/completion", b"{}", 404),
        ("POST", "/generate", b"", 400),
        ("POST", "/generate", b"{}", 400),
        ("POST", "/generate", b"\xff", 400),
        ("POST", "/generate", b'{"base":1}', 400),
        ("POST", "/count", orjson.dumps({"base": tiny_llama.NAME, "prompt": "1"}), 200),
        ("POST", "/count", b"{}", 400),
        ("POST", "/tally", b"{}", 400),
        ("POST", "/tally", orjson.dumps({"base": tiny_llama.NAME, "examples": "/nowhere.jsonl"}), 404),
        ("GET", "/count", b"", 404),
        ("PUT", "/generate", b"{}", 501),
    ],
)
def test_there_are_three_requests_and_no_others(desk: Desk, method: str, path: str, body: bytes, status: int) -> None:
    bearer = {"Authorization": f"Bearer {desk.ready.key}"}
    response = requests.request(method, f"{desk.ready.address}{path}", data=body, headers=bearer, timeout=IN_TIME)

    assert response.status_code == status


def test_a_body_that_is_too_large_is_not_read(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.ready.key}", "Content-Length": str(1 << 40)}
    response = requests.post(f"{desk.ready.address}/generate", headers=headers, timeout=IN_TIME)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


def test_llama_cpp_has_no_door_of_its_own(desk: Desk) -> None:
    """It insists on one; ours is gone from the file system when it answers, and it has no port."""
    desk.ask("1")
    process = psutil.Process(desk.child.pid)

    heard = [end.laddr for end in process.net_connections("inet") if end.status == psutil.CONN_LISTEN]
    assert [f"http://127.0.0.1:{place.port}" for place in heard] == [desk.ready.address]
    doors = [Path(end.laddr) for end in process.net_connections("unix") if end.laddr]
    assert not any(door.exists() for door in doors)


def test_a_child_that_is_gone_is_unreachable(models: Path, adapters: Path) -> None:
    with serving(models, adapters, tiny_llama.NAME) as desk:
        pass
    with pytest.raises(Unreachable):
        desk.ask("1")


def test_an_answer_that_takes_too_long_is_timed_out(desk: Desk) -> None:
    with pytest.raises(TimedOut):
        ask(desk.ready.address, desk.ready.key, QUESTION, timeout=0.001)
