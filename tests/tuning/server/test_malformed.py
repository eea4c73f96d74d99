"""Whatever is sent, the answer is Google's error body and never a traceback."""

import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes import TuningServer

BROKEN = [b"", b"{", b"nonsense", b"null", b'""', b"\xff\xfe{}", b'{"display_name": "\xff"}']
NESTED = [b"[" * 100_000, b'{"a":' * 5_000]


@pytest.mark.parametrize("sent", BROKEN + NESTED)
def test_malformed_body_is_a_bad_request(idle_server: TuningServer, idle_key: str, sent: bytes) -> None:
    answer = idle_server.post("/v1beta/tunedModels", idle_key, data=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.binary(max_size=200), path=st.sampled_from(["tunedModels", "models/tiny-llama:generateContent"]))
def test_no_bytes_make_the_server_fail(idle_server: TuningServer, idle_key: str, sent: bytes, path: str) -> None:
    answer = idle_server.post(f"/v1beta/{path}", idle_key, data=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["display_name", "baseModel", "tuning_task", "temperature", "topK", "state", "createTime", "name"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4))
def test_no_json_makes_the_server_fail(idle_server: TuningServer, idle_key: str, sent: dict[str, object]) -> None:
    answer = idle_server.post("/v1beta/tunedModels", idle_key, data=json.dumps(sent))
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]["message"]


def test_too_large_a_body_is_refused_unread(idle_server: TuningServer, idle_key: str) -> None:
    with socket.create_connection(("127.0.0.1", idle_server.port), timeout=20) as sock:
        head = (
            f"POST /v1beta/tunedModels?key={idle_key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000000\r\n\r\n"
        )
        sock.sendall(head.encode())
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")


def test_chunked_body_is_told_to_say_its_length(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.post("/v1beta/tunedModels", idle_key, data=iter([b"{}"]))
    assert answer.status_code == 411
    assert "Content-length" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/", "/v1beta", "/v2/tunedModels", "/v1beta/tunedModels/", "/v1beta/tunedModels/x:fly"]
)
def test_unknown_route_is_a_not_found_body(idle_server: TuningServer, path: str) -> None:
    answer = idle_server.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_wrong_method_names_the_right_ones(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.request("PUT", "/v1beta/tunedModels", idle_key)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert answer.json()["error"]["code"] == 405


@pytest.mark.parametrize("name", ["%00", "a%00b", "..%2f..", "x" * 3000, "%F0%9F%92%A9", "'%20OR%201=1"])
def test_odd_names_are_not_found(idle_server: TuningServer, idle_key: str, name: str) -> None:
    assert idle_server.get(f"/v1beta/tunedModels/{name}", idle_key).status_code == 404
    assert idle_server.get(f"/v1beta/models/{name}", idle_key).status_code == 404
    assert idle_server.get(f"/tuneboard/v1/jobs/{name}", idle_key).status_code == 404
