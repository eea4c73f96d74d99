"""Answers that come in pieces, over real HTTP."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest
import requests
from google.api_core.rest_streaming import ResponseIterator

from tests import tiny_llama
from tests.processes import TuningServer, wait_until
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import body
from tuning.client import TunedModels, api_key
from tuning.resources import Content, GenerateContentRequest, GenerationConfig, Part

STREAM = "/v1beta/models/tiny-llama:streamGenerateContent"
ENDLESS = "/v1beta/models/endless:{}"
GREEDY = {"temperature": 0, "maxOutputTokens": 12}
IN_TIME = 20
"""Seconds that what has room may take on a busy machine: less than the answers take that would be in its way."""
A_TURN = 60
"""Seconds until one of eight answers under way has come to its end, on a busy machine: the next is somebody else's."""
FOR_EVER = {"contents": [{"parts": [{"text": "9"}]}], "generationConfig": {"temperature": 0}}
"""For a model that is endless when it is asked greedily."""


def question(text: str = "one", **config: Any) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": text}]}], "generationConfig": config}


@pytest.fixture
def asked(server: TuningServer, key: str) -> Iterator[TuningServer]:
    """The server once it can be asked, about a model that does not come to an end by itself, too."""
    tiny_llama.build(Path(server.environment["MODELS_DIR"]), "endless", endless=True)
    one = question(maxOutputTokens=1)

    def answers() -> bool:
        return server.post(ENDLESS.format("generateContent"), key, json=one).status_code == 200

    wait_until(answers)
    yield server
    wait_until(answers)


def said(chunks: list[dict[str, Any]], index: int = 0) -> str:
    candidates = [candidate for chunk in chunks for candidate in chunk["candidates"] if candidate["index"] == index]
    return "".join(part["text"] for candidate in candidates for part in candidate["content"]["parts"])


def events(answer: requests.Response) -> list[dict[str, Any]]:
    *found, after = answer.content.split(b"\r\n\r\n")
    assert after == b""
    assert all(event.startswith(b"data: {") for event in found)
    return [json.loads(event.removeprefix(b"data: ")) for event in found]


def test_pieces_make_the_answer(asked: TuningServer, key: str) -> None:
    whole = asked.post("/v1beta/models/tiny-llama:generateContent", key, json=question(**GREEDY)).json()
    answer = asked.post(STREAM, key, json=question(**GREEDY))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=UTF-8")
    chunks = answer.json()
    for chunk in chunks:
        google.read(google.Answer, json.dumps(chunk))
    assert len(chunks) > 2
    assert said(chunks) == whole["candidates"][0]["content"]["parts"][0]["text"]
    *earlier, last = chunks
    assert not any("finishReason" in chunk["candidates"][0] or "usageMetadata" in chunk for chunk in earlier)
    assert last["usageMetadata"] == whole["usageMetadata"]
    assert last["candidates"][0]["safetyRatings"] == whole["candidates"][0]["safetyRatings"]
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_array_has_nothing_around_its_brackets(asked: TuningServer, key: str) -> None:
    text = asked.post(STREAM, key, json=question(**GREEDY)).text
    assert text.startswith("[{\n")
    assert text.endswith("}]")
    assert "},\r\n{" in text


@pytest.mark.parametrize("alt", ["alt=sse", "$alt=sse", "%24alt=sse"])
def test_events_carry_the_same_pieces(asked: TuningServer, key: str, alt: str) -> None:
    answer = asked.post(f"{STREAM}?{alt}", key, json=question(**GREEDY))
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert events(answer) == asked.post(STREAM, key, json=question(**GREEDY)).json()


def test_google_s_own_reader_of_streams_reads_it(asked: TuningServer, key: str) -> None:
    with asked.post(f"{STREAM}?%24alt=json%3Benum-encoding%3Dint", key, json=question(**GREEDY), stream=True) as answer:
        read = list(ResponseIterator(answer, google.v1beta.GenerateContentResponse))
    assert len(read) > 2
    assert read[-1].candidates[0].finish_reason.name == "MAX_TOKENS"
    assert read[-1].candidates[0].content.parts[0].text == ""


def test_tuned_model_streams_what_it_answers(asked: TuningServer, key: str) -> None:
    asked.post("/v1beta/tunedModels?tunedModelId=streamed", key, json=body(epochs=1))
    assert asked.wait_for_state("streamed", key)["state"] == "SUCCEEDED"
    model = "/v1/tunedModels/streamed"
    whole = asked.post(f"{model}:generateText", key, json={"prompt": {"text": "one"}, **GREEDY}).json()
    chunks = asked.post(f"{model}:streamGenerateContent", key, json=question(**GREEDY)).json()
    assert said(chunks) == whole["candidates"][0]["output"]


def test_candidates_come_one_after_the_other(asked: TuningServer, key: str) -> None:
    config = {"temperature": 2, "topK": 0, "topP": 1, "seed": 5, "candidateCount": 2, "maxOutputTokens": 5}
    whole = asked.post("/v1beta/models/tiny-llama:generateContent", key, json=question(**config)).json()
    chunks = asked.post(STREAM, key, json=question(**config)).json()
    indices = [chunk["candidates"][0]["index"] for chunk in chunks]
    assert indices == sorted(indices)
    for candidate in whole["candidates"]:
        assert said(chunks, candidate["index"]) == candidate["content"]["parts"][0]["text"]
    assert ["usageMetadata" in chunk for chunk in chunks].index(True) == len(chunks) - 1
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]


@pytest.mark.parametrize("alt", ["", "?alt=sse"])
def test_what_fails_before_the_first_piece_is_an_error_and_no_array(asked: TuningServer, key: str, alt: str) -> None:
    missing = asked.post(f"/v1beta/tunedModels/nobody:streamGenerateContent{alt}", key, json=question())
    assert (missing.status_code, missing.json()["error"]["status"]) == (404, "NOT_FOUND")
    wrong = asked.post(f"{STREAM}{alt}", key, json=question(temperature=9))
    assert (wrong.status_code, wrong.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    too_long = asked.post(f"{STREAM}{alt}", key, json=question("word " * 2_000))
    assert (too_long.status_code, too_long.headers["Content-Type"]) == (400, "application/json; charset=UTF-8")


def test_pieces_come_while_the_answer_is_made_and_stop_with_the_caller(asked: TuningServer, key: str) -> None:
    """The whole answer would take half a minute, and two have room beside each other: no third would begin."""
    stream = ENDLESS.format("streamGenerateContent")
    for _ in range(4):
        with asked.post(f"{stream}?alt=sse", key, json=FOR_EVER, stream=True, timeout=IN_TIME) as answer:
            assert next(answer.iter_content(None)).startswith(b"data: {")


@pytest.mark.kill
def test_reader_who_stalls_is_let_go(asked: TuningServer, key: str) -> None:
    port = int(asked.environment["API_PORT"])
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", port))
        content = json.dumps(FOR_EVER).encode()
        lines = [
            f"POST {ENDLESS.format('streamGenerateContent')} HTTP/1.1",
            "Host: localhost",
            f"X-Goog-Api-Key: {key}",
        ]
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
        caller.sendall("\r\n".join(lines).encode() + content)
        assert caller.recv(20).startswith(b"HTTP/1.1 200")
        ours = caller.getsockname()

        def is_held() -> bool:
            ends = psutil.net_connections("tcp")
            return any(end.raddr == ours and end.status == psutil.CONN_ESTABLISHED for end in ends)

        assert is_held()
        wait_until(lambda: not is_held(), seconds=60)


def test_our_own_client_hears_the_pieces_and_hangs_up(asked: TuningServer, key: str) -> None:
    models = TunedModels(asked.url, api_key(key), long_timeout=IN_TIME)
    request = GenerateContentRequest(
        contents=(Content(parts=(Part(text="9"),)),), generation_config=GenerationConfig(temperature=0)
    )
    chunks = models.stream_generate_content("models/endless", request)
    assert next(chunks).candidates[0].content == Content(parts=(Part(text="."),), role="model")
    chunks.close()
    short = replace(request, generation_config=GenerationConfig(max_output_tokens=1))
    used = models.generate_content("models/endless", short).usage_metadata
    assert used is not None
    assert models.count_tokens("models/endless", request) == used.prompt_token_count


def test_streams_leave_room_for_what_is_quick_and_for_others(asked: TuningServer, key: str) -> None:
    """A person who streams ten answers at once is told to come again with two; everybody else is served."""
    stream = f"{asked.url}{ENDLESS.format('streamGenerateContent')}?alt=sse&key={key}"
    contents = {"contents": FOR_EVER["contents"]}
    statuses: list[int] = []
    leave = Event()

    def call() -> None:
        with requests.post(stream, json=FOR_EVER, stream=True, timeout=2 * A_TURN) as answer:
            statuses.append(answer.status_code)
            leave.wait(2 * A_TURN)

    with ThreadPoolExecutor(10) as callers:
        try:
            calls = [callers.submit(call) for _ in range(10)]
            wait_until(lambda: statuses.count(503) == 2)
            assert asked.get("/v1beta/tunedModels", key, timeout=IN_TIME).status_code == 200
            assert asked.post("/v1beta/models/endless:countTokens", key, json=contents, timeout=IN_TIME).ok
            other = asked.api_key("grace@example.com")
            short = question(maxOutputTokens=1)
            assert asked.post(ENDLESS.format("generateContent"), other, json=short, timeout=A_TURN).status_code == 200
        finally:
            leave.set()
    assert not any(call.exception() for call in calls)


@pytest.mark.parametrize("alt", ["", "?alt=sse"])
def test_stream_that_breaks_ends_with_an_error(asked: TuningServer, key: str, alt: str) -> None:
    stream = ENDLESS.format("streamGenerateContent")
    with asked.post(f"{stream}{alt}", key, json=FOR_EVER, stream=True) as answer:
        arriving = answer.iter_content(None)
        next(arriving)
        inference_child(asked).kill()
        ending = b"".join(arriving)[-2000:].decode()
    start = ending.rindex("data: " if alt else ",\r\n{")
    error = json.loads(ending[start:].removeprefix("data: ").strip(",]\r\n"))["error"]
    assert (error["code"], error["status"]) == (503, "UNAVAILABLE")


def inference_child(server: TuningServer) -> psutil.Process:
    children = psutil.Process(server.tuners[0].pid).children()
    return next(child for child in children if "tuning.engine.inference" in child.cmdline())
