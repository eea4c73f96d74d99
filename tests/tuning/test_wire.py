"""Resources <-> JSON: held against Google's own message types, and against hostile bodies."""

import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from google.ai import generativelanguage_v1beta as google
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from tuning import curves, resources, wire
from tuning.errors import InvalidRequest
from tuning.jobs import Point

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
floats = st.floats(-(2.0**126), 2.0**126, width=32)
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
snapshots = st.builds(
    resources.TuningSnapshot,
    step=st.integers(0, 2**31 - 1),
    epoch=st.integers(0, 2**31 - 1),
    mean_loss=floats.map(wire.float32),
    compute_time=st.none() | times,
)
tasks = st.builds(
    resources.TuningTask,
    start_time=st.none() | times,
    complete_time=st.none() | times,
    snapshots=st.lists(snapshots, max_size=5).map(tuple),
    hyperparameters=st.none()
    | st.builds(
        resources.Hyperparameters,
        epoch_count=st.none() | st.integers(0, 1000),
        batch_size=st.none() | st.integers(0, 1000),
        learning_rate=st.none() | floats.map(wire.float32),
    ),
)
models = st.builds(
    resources.TunedModel,
    name=texts,
    base_model=st.none() | texts,
    display_name=texts,
    description=texts,
    state=st.sampled_from(resources.ModelState),
    create_time=st.none() | times,
    update_time=st.none() | times,
    tuning_task=st.none() | tasks,
    reader_project_numbers=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3).map(tuple),
    temperature=st.none() | floats.map(wire.float32),
    top_p=st.none() | floats.map(wire.float32),
    top_k=st.none() | st.integers(0, 1000),
)


@given(models)
def test_model_reads_back_as_it_was_written(model: resources.TunedModel) -> None:
    assert wire.loads(resources.TunedModel, wire.dumps(model)) == model


@given(models)
def test_model_is_read_by_googles_own_type(model: resources.TunedModel) -> None:
    message = google.TunedModel.pb(google.TunedModel())
    json_format.Parse(wire.dumps(model), message, ignore_unknown_fields=False)
    assert message.display_name == model.display_name
    assert message.state == model.state
    assert list(message.reader_project_numbers) == list(model.reader_project_numbers)
    assert [s.step for s in message.tuning_task.snapshots] == [
        s.step for s in (model.tuning_task.snapshots if model.tuning_task else ())
    ]
    assert message.HasField("top_k") == (model.top_k is not None)


TUTORIAL = b"""{
  "display_name": "number generator model",
  "baseModel": "models/gemini-1.5-flash-001-tuning",
  "tuning_task": {
    "hyperparameters": {"batch_size": "2", "learning_rate": 0.001, "epochCount": 5.0,},
    "training_data": {"examples": {"examples": [
      {"text_input": "1,]", "output": "2",}, {"textInput": "a\\",}", "output": ","},
    ]}}
  }
}"""


def test_tutorial_body_is_read_with_its_trailing_commas_and_both_spellings() -> None:
    model = wire.loads(resources.TunedModel, TUTORIAL)
    assert model.base_model == "models/gemini-1.5-flash-001-tuning"
    assert model.tuning_task is not None
    assert model.tuning_task.hyperparameters == resources.Hyperparameters(
        epoch_count=5, batch_size=2, learning_rate=0.001
    )
    assert model.tuning_task.training_data is not None
    assert model.tuning_task.training_data.examples is not None
    assert [e.text_input for e in model.tuning_task.training_data.examples.examples] == ["1,]", 'a",}']


@pytest.mark.parametrize(
    ("body", "code", "params"),
    [
        (b'{"x": 1}', "unknown_field", {"name": "x", "path": "tuned_model"}),
        (
            b'{"tuningTask": {"hyperparameters": {"x": 1}}}',
            "unknown_field",
            {"name": "x", "path": "tuned_model.tuning_task.hyperparameters"},
        ),
        (
            b'{"tuningTask": {"hyperparameters": {"epochCount": 4.5}}}',
            "bad_value",
            {"path": "tuned_model.tuning_task.hyperparameters.epoch_count"},
        ),
        (b'{"displayName": 3}', "bad_value", {"path": "tuned_model.display_name"}),
        (b'{"topK": true}', "bad_value", {"path": "tuned_model.top_k"}),
        (b'{"topK": "many"}', "bad_value", {"path": "tuned_model.top_k"}),
        (b'{"topK": Infinity}', "bad_json", {}),
        (b'{"topK": "1e400"}', "bad_value", {"path": "tuned_model.top_k"}),
        (b'{"state": "HAPPY"}', "bad_value", {"path": "tuned_model.state"}),
        (b'{"state": 7}', "bad_value", {"path": "tuned_model.state"}),
        (b'{"createTime": "yesterday"}', "bad_value", {"path": "tuned_model.create_time"}),
        (b'{"createTime": "2024-01-01T00:00:00"}', "bad_value", {"path": "tuned_model.create_time"}),
        (b'{"tuningTask": {"snapshots": [{}, 3]}}', "bad_value", {"path": "tuned_model.tuning_task.snapshots[1]"}),
        (
            b'{"baseModel": "models/a", "tunedModelSource": {"tunedModel": "b"}}',
            "oneof",
            {"path": "tuned_model.tuned_model_source"},
        ),
        (b"[]", "bad_value", {"path": "tuned_model"}),
        (b"", "bad_json", {}),
        (b'{"a": "\xff"}', "bad_json", {}),
        (b"[" * 100_000, "bad_json", {}),
        (b'"' + b'\\"' * 200_000, "bad_json", {}),
    ],
)
def test_body_is_refused_with_its_path(body: bytes, code: str, params: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.loads(resources.TunedModel, body, at="tuned_model")
    assert refused.value.code == code
    assert params.items() <= refused.value.params.items()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(InvalidRequest):
        wire.loads(resources.TunedModel, body)


def test_null_and_enum_numbers_are_read_as_proto3_reads_them() -> None:
    model = wire.loads(resources.TunedModel, b'{"displayName": null, "state": 2, "topP": null}')
    assert model == resources.TunedModel(state=resources.ModelState.ACTIVE)


def test_new_field_of_a_service_is_ignored_by_a_client() -> None:
    model = wire.loads(resources.TunedModel, b'{"name": "tunedModels/a", "novelty": {}}', ignore_unknown=True)
    assert model.name == "tunedModels/a"


def test_operation_carries_the_type_of_the_version_that_created_it() -> None:
    operation = resources.Operation(
        name="tunedModels/a/operations/b",
        metadata=resources.CreateTunedModelMetadata(total_steps=38, tuned_model="tunedModels/a"),
        done=True,
        response=resources.TunedModel(name="tunedModels/a"),
    )
    written = wire.to_json(operation, version="v1beta3")
    assert (
        written["metadata"]["@type"]
        == "type.googleapis.com/google.ai.generativelanguage.v1beta3.CreateTunedModelMetadata"
    )
    assert list(written["metadata"]) == ["@type", "totalSteps", "tunedModel"]
    assert written["response"]["@type"] == "type.googleapis.com/google.ai.generativelanguage.v1beta3.TunedModel"
    assert wire.loads(resources.Operation, wire.dumps(operation)) == operation


def test_numbers_are_written_as_the_service_wrote_them() -> None:
    snapshot = resources.TuningSnapshot(step=1, mean_loss=3.1234567890123)
    assert wire.to_json(snapshot) == {"step": 1, "meanLoss": 3.1234567}
    metadata = resources.CreateTunedModelMetadata(completed_percent=100.0)
    assert b'"completedPercent": 100\n' in wire.dumps(metadata)
    assert wire.to_json(resources.Candidate(index=0)) == {"index": 0}
    assert wire.to_json(resources.TunedModel(temperature=0.9, top_k=0)) == {"temperature": 0.9, "topK": 0}


points = st.builds(
    Point,
    step=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 2**32 - 1),
    value=st.floats(width=32),
    time=times.map(datetime.timestamp),
)


@given(st.lists(points, min_size=1, max_size=5))
def test_packed_snapshots_are_written_as_each_by_itself(curve: list[Point]) -> None:
    each = [
        resources.TuningSnapshot(
            step=point.step,
            epoch=point.epoch,
            mean_loss=point.value,
            compute_time=datetime.fromtimestamp(point.time, UTC),
        )
        for point in curve
    ]
    packed = resources.PackedSnapshots(curves.pack(curve))
    assert wire.dumps(resources.TuningTask(snapshots=packed)) == wire.dumps(resources.TuningTask(snapshots=tuple(each)))


def test_a_loss_that_is_no_number_is_never_written_bare() -> None:
    assert wire.to_json(resources.TuningSnapshot(mean_loss=float("nan"))) == {"meanLoss": "NaN"}


def test_time_is_written_in_utc_with_a_z() -> None:
    moment = datetime(2024, 3, 14, 20, 11, 46, tzinfo=UTC)
    assert wire.rfc3339(moment) == "2024-03-14T20:11:46Z"
    assert wire.rfc3339(moment + timedelta(milliseconds=5)) == "2024-03-14T20:11:46.005Z"
    assert wire.rfc3339(moment, nanoseconds=True) == "2024-03-14T20:11:46.000000000Z"
    read = wire.loads(resources.TuningSnapshot, b'{"computeTime": "2024-03-14T21:11:46.123456789+01:00"}')
    assert read.compute_time == moment + timedelta(microseconds=123456)


def test_body_of_trailing_commas_takes_no_more_memory_than_its_size() -> None:
    body = b"[" + b'"",' * 700_000 + b"]"
    tracemalloc.start()
    with pytest.raises(InvalidRequest):
        wire.loads(resources.TunedModel, b'{"description": ' + body + b",}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(body)  # the values themselves; a piece of text for each comma took 60 times as much


def test_list_too_long_is_refused_before_its_items_are_read() -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.loads(resources.Examples, b'{"examples": [' + b"0," * wire.LONGEST_LIST + b"0]}")
    assert refused.value.code == "too_many_items"


def test_value_nested_too_deep_is_named_and_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.loads(resources.TunedModel, b'{"displayName": ' + b"[" * 900 + b"]" * 900 + b"}")
    assert refused.value.params["value"] == "a list"
