"""A job of the real service, recorded in September 2023: ours is written to the same byte."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from tests.tuning.server.recorded import RECORDED, SNAPSHOTS
from tuning import curves, wire
from tuning.jobs import JobState, Point
from tuning.resources import GenerateTextResponse, TextCompletion
from tuning.server import rendering
from tuning.server.generation import PALM_RATINGS
from tuning.server.models import Job, LossChunk

pytestmark = pytest.mark.django_db


def the_same_job() -> Job:
    """The recorded job as a row of ours."""
    task = RECORDED["tuningTask"]
    hyperparameters = task["hyperparameters"]
    job = Job.objects.create(
        model_id=RECORDED["name"].removeprefix("tunedModels/"),
        operation_id="operation",
        api_version="v1beta3",
        base_asked=RECORDED["baseModel"],
        base="tiny-llama",
        display_name=RECORDED["displayName"],
        temperature=RECORDED["temperature"],
        top_p=RECORDED["topP"],
        top_k=RECORDED["topK"],
        epoch_count=hyperparameters["epochCount"],
        batch_size=hyperparameters["batchSize"],
        learning_rate=hyperparameters["learningRate"],
        example_count=15,
        total_steps=12,
        completed_steps=12,
        attempt=1,
        state=JobState.SUCCEEDED,
        created=datetime.fromisoformat(RECORDED["createTime"]),
        updated=datetime.fromisoformat(RECORDED["updateTime"]),
        started=datetime.fromisoformat(task["startTime"]),
        finished=datetime.fromisoformat(task["completeTime"]),
    )
    packed = curves.pack(point(snapshot) for snapshot in SNAPSHOTS)
    LossChunk.objects.create(job=job, first_step=1, last_step=12, points=packed)
    return job


def point(snapshot: dict[str, Any]) -> Point:
    moment = datetime.fromisoformat(snapshot["computeTime"]).timestamp()
    return Point(snapshot["step"], snapshot.get("epoch", 0), snapshot["meanLoss"], moment)


def in_microseconds(text: str) -> str:
    """``text`` with what our clock does not measure, the last three digits of nanoseconds, as 0."""
    return re.sub(r"(\.\d{6})\d{3}Z", r"\g<1>000Z", text)


def test_recorded_model_is_written_to_the_same_byte() -> None:
    written = wire.dumps(rendering.tuned_model(the_same_job())).decode()
    assert written == in_microseconds(json.dumps(RECORDED, indent=2) + "\n")


def test_recorded_operation_is_written_in_its_order_with_both_types() -> None:
    metadata = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1beta3.CreateTunedModelMetadata",
        "totalSteps": 12,
        "completedSteps": 12,
        "completedPercent": 100,
        "snapshots": SNAPSHOTS,
        "tunedModel": RECORDED["name"],
    }
    response = {"@type": "type.googleapis.com/google.ai.generativelanguage.v1beta3.TunedModel", **RECORDED}
    name = f"{RECORDED['name']}/operations/operation"
    operation = {"name": name, "metadata": metadata, "done": True, "response": response}
    written = wire.dumps(rendering.operation(the_same_job()), version="v1beta3").decode()
    assert written == in_microseconds(json.dumps(operation, indent=2) + "\n")


def test_answer_in_palm_s_words_has_the_recorded_size() -> None:
    """The tutorial of 2023 asks for two candidates; its curl shows the outputs and counts 1447 bytes."""
    candidates = (TextCompletion(output=said, safety_ratings=PALM_RATINGS) for said in ("3 2 1", "3 2"))
    assert len(wire.dumps(GenerateTextResponse(candidates=tuple(candidates)))) == 1447
