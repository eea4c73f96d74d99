"""The OpenAPI document describes every method there is, and no other."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

ONE_METHOD = {"/healthz", "/openapi.json"}
"""Views that answer whatever the method; GET is what they are described with."""


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json; charset=UTF-8"
    return dict(answer.json())


def served(client: Client) -> Iterator[tuple[str, str]]:
    """Each path and HTTP method that the server knows: it names the methods itself when asked with a wrong one."""
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern)
        if not (route := str(pattern.pattern)):  # whatever is not found
            continue
        path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
        if path in ONE_METHOD:
            yield path, "get"
            continue
        refused = client.options(path.replace("{version}", "v1beta"))
        assert refused.status_code == 405, path
        yield from ((path, method.lower()) for method in refused["Allow"].split(", "))


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, method) for path, item in document["paths"].items() for method in item if method != "parameters"}


def test_every_route_is_described_and_nothing_else(client: Client, document: dict[str, Any]) -> None:
    assert described(document) == set(served(client))


def test_every_method_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [document["paths"][path][method]["operationId"] for path, method in described(document)]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for kind, name in re.findall(r"#/components/(\w+)/(\w+)", str(document)):
        assert name in document["components"][kind]


def test_the_description_says_what_a_tuned_model_is(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["TunedModel"]["properties"]
    assert properties["state"]["enum"] == ["STATE_UNSPECIFIED", "CREATING", "ACTIVE", "FAILED"]
    assert properties["tuningTask"] == {"$ref": "#/components/schemas/TuningTask"}
    assert properties["readerProjectNumbers"]["items"]["format"] == "int64"
    operation = document["components"]["schemas"]["Operation"]["properties"]
    assert re.fullmatch(
        operation["metadata"]["properties"]["@type"]["pattern"],
        "type.googleapis.com/google.ai.generativelanguage.v1beta3.CreateTunedModelMetadata",
    )
