"""Asking base models and tuned models."""

import json
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes import TuningServer, wait_until
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL, body

BASE = "/v1beta/models/tiny-llama:generateContent"


def question(text: str = "one", **config: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config}


@pytest.fixture(scope="module")
def asked(server: TuningServer, key: str) -> TuningServer:
    """The server once it can be asked."""
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    return server


def test_base_model_answers(asked: TuningServer, key: str) -> None:
    answer = asked.post(BASE, key, json=question(temperature=0, maxOutputTokens=5))
    assert answer.status_code == 200, answer.text
    response = google.read(google.Answer, answer.text)
    assert 0 < response.usage_metadata.candidates_token_count <= 5


def test_service_name_of_a_base_model_answers(asked: TuningServer, key: str) -> None:
    answer = asked.post("/v1/models/gemini-1.0-pro-001:generateContent", key, json=question(maxOutputTokens=3))
    assert answer.status_code == 200, answer.text


def test_greedy_answers_of_tuned_and_base_model_differ(asked: TuningServer, key: str) -> None:
    sent = body(epochs=20)
    sent["tuning_task"]["hyperparameters"]["learning_rate"] = 0.01
    asked.post("/v1beta/tunedModels?tunedModelId=learnt", key, json=sent)
    assert asked.wait_for_state("learnt", key)["state"] == "SUCCEEDED"
    greedy = question(temperature=0, maxOutputTokens=8)
    tuned, again = (asked.post("/v1beta/tunedModels/learnt:generateContent", key, json=greedy).json() for _ in range(2))
    base = asked.post(BASE, key, json=greedy).json()
    assert tuned["candidates"] == again["candidates"]
    assert tuned["candidates"] != base["candidates"]


def test_candidates_are_answers_of_seeds_that_follow_each_other(asked: TuningServer, key: str) -> None:
    wild = {"temperature": 2, "topK": 0, "topP": 1, "maxOutputTokens": 6}
    answer = asked.post(BASE, key, json=question(**wild, seed=7, candidateCount=3))
    alone = [asked.post(BASE, key, json=question(**wild, seed=seed)).json() for seed in (7, 8, 9)]

    response = google.read(google.Answer, answer.text)
    said = [candidate.content.parts[0].text for candidate in response.candidates]
    assert said == [one["candidates"][0]["content"]["parts"][0]["text"] for one in alone]
    assert len(set(said)) == 3
    assert [candidate.index for candidate in response.candidates] == [0, 1, 2]
    usage = response.usage_metadata
    assert usage.prompt_token_count == alone[0]["usageMetadata"]["promptTokenCount"]
    assert usage.candidates_token_count == sum(one["usageMetadata"]["candidatesTokenCount"] for one in alone)
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count


def test_candidate_says_why_it_ends_and_that_it_is_harmless(asked: TuningServer, key: str) -> None:
    """In the order of the recorded service's answers."""
    (candidate,) = asked.post(BASE, key, json=question(maxOutputTokens=2)).json()["candidates"]
    assert list(candidate) == ["content", "finishReason", "index", "safetyRatings"]
    assert (candidate["finishReason"], candidate["index"]) == ("MAX_TOKENS", 0)
    assert candidate["safetyRatings"] == [
        {"category": f"HARM_CATEGORY_{harm}", "probability": "NEGLIGIBLE"}
        for harm in ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")
    ]


def test_answer_ends_before_a_stop_sequence(asked: TuningServer, key: str) -> None:
    greedy = {"temperature": 0, "maxOutputTokens": 8}
    whole = asked.post(BASE, key, json=question(**greedy)).json()["candidates"][0]["content"]["parts"][0]["text"]
    stop = whole[-1]
    (candidate,) = asked.post(BASE, key, json=question(**greedy, stopSequences=[stop])).json()["candidates"]
    assert candidate["finishReason"] == "STOP"
    assert candidate["content"]["parts"][0]["text"] == whole.partition(stop)[0]


def test_more_tokens_than_the_model_has_are_as_many_as_it_has(asked: TuningServer, key: str) -> None:
    """A script for a larger model says 2048 and means "at most"."""
    response = google.read(google.Answer, asked.post(BASE, key, json=question(maxOutputTokens=8192)).text)
    assert response.usage_metadata.candidates_token_count <= 64


def test_what_scripts_send_besides_is_accepted(asked: TuningServer, key: str) -> None:
    sent = question(maxOutputTokens=2, responseMimeType="text/plain", responseModalities=["TEXT"], logprobs=None)
    sent |= {
        "model": "models/tiny-llama",
        "safetySettings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
            {"category": 8, "threshold": 3},
        ],
        "tools": [],
    }
    assert asked.post(BASE, key, json=sent).status_code == 200


PNG = {"mimeType": "image/png", "data": "iVBORw0KGgo="}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (question(responseMimeType="application/json"), "JSON mode is not enabled for models/tiny-llama"),
        (question(responseSchema={"type": "STRING"}), "JSON mode is not enabled for models/tiny-llama"),
        (question(response_json_schema=True), "JSON mode is not enabled for models/tiny-llama"),
        (question(responseMimeType="image/png"), "allowed mimetypes are"),
        (question(presencePenalty=0.5), "Penalty is not enabled for models/tiny-llama"),
        (question(responseLogprobs=True), "Logprobs is not enabled for models/tiny-llama"),
        (question(responseModalities=["TEXT", "AUDIO"]), "response modalities"),
        (question(speechConfig={"voiceConfig": {}}), "response modalities"),
        (question(thinkingConfig={"thinkingBudget": 0}), "Thinking is not enabled for models/tiny-llama"),
        (
            question() | {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
            "Developer instruction is not enabled for models/tiny-llama",
        ),
        (question() | {"tools": [{"codeExecution": {}}]}, "Function calling is not enabled for models/tiny-llama"),
        (question() | {"cachedContent": "cachedContents/x"}, "Cached content is not enabled for models/tiny-llama"),
        (
            {"contents": [{"parts": [{"text": "What is this?"}, {"inlineData": PNG}]}]},
            "Image input modality is not enabled for models/tiny-llama",
        ),
        (
            {"contents": [{"parts": [{"file_data": {"file_uri": "x"}}]}]},
            "Image input modality is not enabled for models/tiny-llama",
        ),
        ({"contents": [{"parts": [{"functionCall": {"name": "f"}}]}]}, "Function calling is not enabled"),
        ({"contents": [{"parts": [{"text": "1", "inlineData": PNG}]}]}, "contents[0].parts[0].text"),
        (question() | {"safetySettings": [{"category": "HARM_CATEGORY_NOISE"}]}, "safety_settings[0].category"),
    ],
)
def test_what_no_tuned_model_can_do_is_refused(asked: TuningServer, key: str, sent: dict[str, Any], said: str) -> None:
    for method in ("generateContent", "streamGenerateContent"):
        assert said in refused(asked.post(f"/v1beta/models/tiny-llama:{method}", key, json=sent))


def test_tokens_are_counted_as_the_answer_counts_them(asked: TuningServer, key: str) -> None:
    counting = "/v1beta/models/tiny-llama:countTokens"
    prompt_only = {"contents": question("日本 <|im_end|>")["contents"]}
    used = asked.post(BASE, key, json=prompt_only | {"generationConfig": {"maxOutputTokens": 1}}).json()
    wrapped = {"generateContentRequest": {"model": "models/tiny-llama"} | prompt_only}
    for sent in (prompt_only, wrapped, prompt_only | {"model": "models/tiny-llama"}):
        counted = google.read(google.TokenCount, asked.post(counting, key, json=sent).text)
        assert counted.total_tokens == used["usageMetadata"]["promptTokenCount"]
    assert "oneof" in refused(asked.post(counting, key, json=prompt_only | wrapped))
    assert "contents is not specified" in refused(asked.post(counting, key, json={}))


def test_tokens_of_a_prompt_that_is_too_long_are_counted(asked: TuningServer, key: str) -> None:
    counted = asked.post("/v1/models/tiny-llama:countTokens", key, json={"contents": question("a" * 999)["contents"]})
    assert counted.json()["totalTokens"] > 999


def test_tutorial_of_the_palm_era_is_answered(asked: TuningServer, key: str) -> None:
    sent = {"prompt": {"text": "4"}, "temperature": 1.0, "candidate_count": 2}
    answer = asked.post("/v1beta3/models/text-bison-001:generateText", key, json=sent)
    assert answer.status_code == 200, answer.text
    response = google.read(google.TextAnswer3, answer.text)
    assert google.read(google.TextAnswer, answer.text)
    assert len(response.candidates) == 2
    assert all(len(candidate.safety_ratings) == 6 for candidate in response.candidates)


def test_tokens_are_counted_in_palm_s_words(asked: TuningServer, key: str) -> None:
    contents = {"contents": question("日本")["contents"]}
    counted = asked.post("/v1beta/models/tiny-llama:countTokens", key, json=contents).json()["totalTokens"]
    counting = "/v1beta3/models/tiny-llama:countTextTokens"
    answer = asked.post(counting, key, json={"prompt": {"text": "日本"}})
    assert google.read(google.TextTokenCount3, answer.text).token_count == counted
    assert "prompt.text" in refused(asked.post(counting, key, json={}))


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({}, "prompt.text"),
        ({"prompt": {"text": ""}}, "prompt.text"),
        ({"prompt": "4"}, "prompt"),
        ({"prompt": {"text": "4"}, "candidateCount": 9}, "'candidate_count'"),
        ({"prompt": {"text": "4"}, "stopSequences": ["x"] * 6}, "'stop_sequences"),
        ({"prompt": {"text": "4"}, "generationConfig": {}}, "generationConfig"),
    ],
)
def test_wrong_text_question_is_refused(asked: TuningServer, key: str, sent: dict[str, Any], named: str) -> None:
    assert named in refused(asked.post("/v1beta3/models/tiny-llama:generateText", key, json=sent))


numbers = st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from([0, 1, 2, 8, "3", 0.5])
CONFIGS = st.fixed_dictionaries(
    {"maxOutputTokens": st.just(2) | numbers},
    optional={
        "temperature": numbers,
        "topP": numbers,
        "top_k": numbers,
        "candidateCount": numbers,
        "seed": numbers,
        "stopSequences": st.lists(st.text(max_size=3), max_size=6) | numbers,
        "responseMimeType": st.sampled_from(["text/plain", "application/json", 1]),
        "responseModalities": st.lists(st.sampled_from(["TEXT", 1, "IMAGE", 99]), max_size=2),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=CONFIGS, method=st.sampled_from(["generateContent", "streamGenerateContent"]))
def test_any_generation_config_is_answered_or_refused(
    asked: TuningServer, key: str, config: dict[str, Any], method: str
) -> None:
    sent = json.dumps(question(**config), allow_nan=True).replace("NaN", '"NaN"').replace("Infinity", "1e999")
    answer = asked.post(f"/v1beta/models/tiny-llama:{method}", key, data=sent)
    assert answer.status_code in {200, 400}, answer.text
    if answer.status_code == 400:
        assert answer.json()["error"]["message"]
    else:
        chunks = answer.json() if method == "streamGenerateContent" else [answer.json()]
        assert chunks[-1]["candidates"][0]["finishReason"] in {"STOP", "MAX_TOKENS"}


def refused(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "NaN"}, "temperature"),
        ({"topP": 2}, "top_p"),
        ({"topK": -1}, "top_k"),
        ({"maxOutputTokens": 0}, "max_output_tokens"),
        ({"maxOutputTokens": 100_000}, "max_output_tokens"),
        ({"candidateCount": 9}, "candidate_count"),
        ({"candidateCount": 0}, "candidate_count"),
        ({"seed": 1e300}, "seed"),
        ({"stopSequences": ["x"] * 6}, "stop_sequences"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_generation_config_is_refused(asked: TuningServer, key: str, config: dict[str, Any], named: str) -> None:
    assert named in refused(asked.post(BASE, key, json=question(**config)))


@pytest.mark.parametrize(
    "sent", [{}, {"contents": []}, {"contents": [{"parts": []}]}, {"contents": [{"parts": [{"text": ""}]}]}]
)
def test_empty_question_is_refused(asked: TuningServer, key: str, sent: dict[str, Any]) -> None:
    assert "contents is not specified" in refused(asked.post(BASE, key, json=sent))


def test_conversation_is_refused(asked: TuningServer, key: str) -> None:
    turns = [{"role": role, "parts": [{"text": "hi"}]} for role in ("user", "model", "user")]
    assert "Multiturn chat is not enabled" in refused(asked.post(BASE, key, json={"contents": turns}))


def test_prompt_that_does_not_fit_is_refused(asked: TuningServer, key: str) -> None:
    assert refused(asked.post(BASE, key, json=question("x" * 40_001)))
    assert "context" in refused(asked.post(BASE, key, json=question("word " * 2_000)))


def test_model_still_creating_cannot_be_asked(idle_server: TuningServer, idle_key: str) -> None:
    idle_server.post("/v1beta/tunedModels?tunedModelId=unripe", idle_key, json=TUTORIAL)
    answer = idle_server.post("/v1beta/tunedModels/unripe:generateContent", idle_key, json=question())
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_without_an_inference_process_the_answer_is_unavailable(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.post(BASE, idle_key, json=question())
    assert answer.status_code == 503
    assert answer.json()["error"]["status"] == "UNAVAILABLE"


def test_base_models_are_listed_with_their_methods(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.get("/v1beta/models", idle_key)
    models = {model.name: model for model in google.read(google.ModelPage, answer.text).models}
    assert {"models/tiny-llama", "models/smollm2-135m-instruct", "models/gemini-1.5-flash-001-tuning"} <= models.keys()
    assert "createTunedModel" in models["models/tiny-llama"].supported_generation_methods
    one = idle_server.get("/v1beta/models/gemini-1.0-pro-001", idle_key)
    assert google.read(google.Model, one.text).temperature == pytest.approx(0.9)
