"""google-genai's own Vertex client against the stand-in: an independent judge of its paths and bodies."""

import json
import os
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.conformance.clients import NotInstallable, virtual_environment
from tests.google.cloud import Cloud, google_cloud

pytestmark = pytest.mark.timeout(600)  # a client's first test installs it

CLIENTS = ("google-genai-1.44.0", "google-genai-3.4.0")


def row(question: str, answer: str) -> bytes:
    turns = [{"role": "user", "parts": [{"text": question}]}, {"role": "model", "parts": [{"text": answer}]}]
    return orjson.dumps({"contents": turns}) + b"\n"


def day(cloud: Cloud, client: str) -> dict[str, list[object]]:
    """What the client told of its day, by the names it gave to it."""
    try:
        python = virtual_environment(client)
    except NotInstallable as reason:
        pytest.skip(f"{client} cannot be installed here. {reason}")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONWARNINGS": "ignore",
        "CLOUD_URL": cloud.url,
        "CLOUD_PROJECT": cloud.project,
        "CLOUD_LOCATION": cloud.location,
        "CLOUD_TOKEN": cloud.token(),
        "CLOUD_TRAINING": f"gs://{cloud.bucket}/training.jsonl",
        "CLOUD_VALIDATION": f"gs://{cloud.bucket}/validation.jsonl",
    }
    script = Path(__file__).with_name("agreement.py")
    done = subprocess.run([python, script], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, list[object]] = {}
    for line in done.stdout.splitlines():
        for name, value in json.loads(line).items():
            told.setdefault(name, []).append(value)
    return told


@pytest.mark.parametrize("client", CLIENTS)
def test_googles_client_and_the_stand_in_understand_one_another(client):
    with google_cloud() as cloud:
        cloud.vertex.hurry = 3
        cloud.storage.put(f"gs://{cloud.bucket}/training.jsonl", b"".join(row(str(n), str(n + 1)) for n in range(8)))
        cloud.storage.put(f"gs://{cloud.bucket}/validation.jsonl", row("100", "101"))
        told = day(cloud, client)
    first, second = cloud.vertex.jobs
    assert told["created"] == [{"name": first, "state": "JOB_STATE_QUEUED", "base_model": "gemini-2.5-flash"}]
    assert told["got"] == [{"name": first, "state": "JOB_STATE_PENDING", "base_model": "gemini-2.5-flash"}]
    assert told["listed"] == [[first], [second, first]]
    assert told["cancelled"][0]["state"] == "JOB_STATE_CANCELLED"
    assert told["ended"][0]["state"] == "JOB_STATE_SUCCEEDED"
    made = cloud.vertex.jobs[first].told["tunedModel"]
    assert (told["model"], told["endpoint"]) == ([made["model"]], [made["endpoint"]])
    assert [point[:3] for point in told["checkpoints"][0]] == [["1", 1, 2], ["2", 2, 4]]
    assert told["examples"] == [8]
    assert told["answered"] == ["42", "42"]
    assert told["reason"] == ["STOP", "STOP"]
    assert "".join(told["streamed"][0]) == "You asked: so many words"
    assert len(told["streamed"][0]) == 5
    assert told["counted"] == [3]
    assert told["missing"] == [[404, "NOT_FOUND"]]
    spec = cloud.calls("tuningJobs.create")[0].json["supervisedTuningSpec"]
    assert spec["hyperParameters"] == {
        "epochCount": 2,
        "learningRateMultiplier": 0.5,
        "adapterSize": "ADAPTER_SIZE_FOUR",
    }
