"""What goes through the pipes comes out as it went in, and nothing else comes out."""

from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.engine import AnswerSpec, Done, Event, Failed, Log, Progress, Ready, Step, TuneSpec
from tuning.engine.lines import decode, decode_event, encode, encode_event
from tuning.resources import TuningSnapshot

TEXT = st.text(st.characters(codec="utf-8"))
LOSSES = st.floats(allow_nan=False, allow_infinity=False)
SNAPSHOTS = st.builds(
    TuningSnapshot,
    step=st.integers(0, 2**40),
    epoch=st.integers(0, 2**20),
    mean_loss=LOSSES,
    compute_time=st.none() | st.datetimes(timezones=st.just(UTC)),
)
EVENTS = (
    st.builds(Step, SNAPSHOTS)
    | st.builds(Progress, st.integers(0, 100))
    | st.builds(Log, TEXT, TEXT)
    | st.builds(Ready, TEXT, TEXT)
    | st.just(Done())
    | st.builds(Failed, TEXT, TEXT)
)


@given(EVENTS)
def test_an_event_is_one_line_and_comes_back(event: Event) -> None:
    line = encode_event(event)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_event(line) == event


@given(TEXT, st.tuples(TEXT, TEXT))
def test_a_question_comes_back(prompt: str, stops: tuple[str, str]) -> None:
    question = AnswerSpec(
        base="b",
        adapter=Path("/a"),
        prompt=prompt,
        max_output_tokens=1,
        temperature=0.5,
        top_p=1.0,
        top_k=0,
        stop_sequences=stops,
    )
    assert decode(encode(question), AnswerSpec) == question


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"null", b"[]", b'"Done"', b"{}", b"\xff", b'{"event":"Bang"}', b'{"event":"Step"}'),
        *(b'{"event":["Done"]}', b'{"event":"Done","more":1}', b'{"event":"Progress","percent":"many"}'),
    ],
)
def test_a_line_that_is_no_event_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its text
        decode_event(line)


@given(st.binary())
def test_no_bytes_give_anything_but_an_event_or_a_value_error(line: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(decode_event(line), Event)


def test_a_job_with_a_field_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="TuneSpec"):
        decode(b'{"base":"b","trust_remote_code":true}', TuneSpec)
