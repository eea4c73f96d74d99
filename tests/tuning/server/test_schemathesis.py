"""Every operation of the OpenAPI document, called with what schemathesis makes up from the document itself.

Each answer must be one the document describes: its status, its content type and its body; and never a 500.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from tests.processes import TuningServer
from tests.tuning.server.bodies import body
from tuning.server import openapi

MODEL = "schemathesis-model"
EXISTING = {"model_id": [MODEL, "tiny-llama"], "permission_id": ["everyone"], "version": ["v1beta", "v1beta3", "v1"]}
"""What the document cannot know: ids behind which there is something."""


def document() -> dict[str, Any]:
    """The document, with paths that lead somewhere more often than chance would have it."""
    described = openapi.document()
    for item in described["paths"].values():
        for parameter in item.get("parameters", []):
            if ids := EXISTING.get(parameter["name"]):
                parameter["schema"] = {"anyOf": [{"enum": ids}, parameter["schema"]]}
    return described


schemathesis.serializer.alias("application/jsonl", "application/octet-stream")
schemathesis.serializer.alias("application/zip", "application/octet-stream")
schema = schemathesis.openapi.from_dict(document())
KEPT = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture
def model(idle_server: TuningServer, idle_key: str) -> None:
    """A model that is there, whatever the operation before did to it."""
    answer = idle_server.post(f"/v1beta/tunedModels?tunedModelId={MODEL}", idle_key, json=body())
    assert answer.status_code in {200, 409}


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_operation_answers_as_described(
    case: schemathesis.Case, idle_server: TuningServer, idle_key: str, model: None
) -> None:
    answer = case.call(base_url=idle_server.url, headers={"Authorization": f"Bearer {idle_key}"})
    case.validate_response(answer, checks=[CHECKS.get_one(name) for name in KEPT])
    assert answer.status_code != 500
