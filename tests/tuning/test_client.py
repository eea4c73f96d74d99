"""The client against a service that answers what it is told: what is asked, repeated, refused and understood."""

import socket
import time
from email.utils import formatdate

import orjson
import pytest

from tests.scripted import Drip, Silence, answer, scripted
from tuning import errors
from tuning.client import TunedModels, api_key, bearer, transport
from tuning.resources import (
    Content,
    GenerateContentRequest,
    ModelState,
    Part,
    TunedModel,
)

QUESTION = GenerateContentRequest(contents=(Content(parts=(Part(text="IX"),), role="user"),))
MISSING = "Tuned model tunedModels/x does not exist."


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(transport, "BACKOFF", 0.01)


def client(service, **options) -> TunedModels:
    return TunedModels(service.url, api_key("secret"), **options)


def refusal(status: int, name: str, message: str = "No.", **info: object) -> bytes:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}] if info else []
    error = {"code": status, "message": message, "status": name, "details": details}
    return answer(status, {"error": error})


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# What is asked and understood


def test_create_sends_the_model_under_its_id_and_reads_the_operation():
    operation = {"name": "tunedModels/x/operations/y", "metadata": {"totalSteps": 38, "tunedModel": "tunedModels/x"}}
    with scripted(answer(200, operation)) as service:
        created = client(service).create(TunedModel(display_name="numbers", base_model="models/b"), "x")
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/v1beta/tunedModels?tunedModelId=x")
    assert asked.json() == {"displayName": "numbers", "baseModel": "models/b"}
    assert asked.headers["x-goog-api-key"] == "secret"
    assert asked.headers["Content-Type"] == "application/json"
    assert (created.name, created.metadata.total_steps) == ("tunedModels/x/operations/y", 38)


def test_get_reads_a_model_and_forgives_fields_of_later_versions():
    with scripted(answer(200, {"name": "tunedModels/x", "state": "ACTIVE", "novelty": 1})) as service:
        assert client(service).get("tunedModels/x") == TunedModel(name="tunedModels/x", state=ModelState.ACTIVE)
    assert service.asked[0].path == "/v1beta/tunedModels/x"


def test_list_asks_for_page_after_page():
    first = answer(200, {"tunedModels": [{"name": "tunedModels/a"}, {"name": "tunedModels/b"}], "nextPageToken": "t+/"})
    with scripted(first, answer(200, {"tunedModels": [{"name": "tunedModels/c"}]})) as service:
        names = [model.name for model in client(service).list("owner:me")]
    assert names == ["tunedModels/a", "tunedModels/b", "tunedModels/c"]
    assert [asked.path for asked in service.asked] == [
        "/v1beta/tunedModels?filter=owner%3Ame&pageSize=100",
        "/v1beta/tunedModels?filter=owner%3Ame&pageToken=t%2B%2F&pageSize=100",
    ]


def test_an_empty_list_is_one_page():
    with scripted(answer(200, {})) as service:
        assert list(client(service).models()) == []


def test_pages_that_never_end_are_refused():
    with scripted(answer(200, {"models": [{"name": "models/a"}], "nextPageToken": "t"})) as service:
        with pytest.raises(errors.BadAnswer):
            list(client(service).models())
        assert len(service.asked) == 2


def test_operations_are_read_cancelled_and_models_deleted_where_the_api_has_them():
    with scripted(answer(200, {"name": "tunedModels/x/operations/y", "done": True})) as service:
        tuned_models = client(service)
        assert tuned_models.operation("tunedModels/x/operations/y").done
        tuned_models.cancel("tunedModels/x/operations/y")
        tuned_models.delete("tunedModels/x")
    assert [(asked.method, asked.path) for asked in service.asked] == [
        ("GET", "/v1/tunedModels/x/operations/y"),
        ("POST", "/v1/tunedModels/x/operations/y:cancel"),
        ("DELETE", "/v1beta/tunedModels/x"),
    ]


def test_generate_content_asks_and_reads_the_answer():
    candidate = {"content": {"parts": [{"text": "X"}], "role": "model"}, "finishReason": "STOP", "index": 0}
    with scripted(answer(200, {"candidates": [candidate]})) as service:
        answered = client(service).generate_content("tunedModels/x", QUESTION)
    assert service.asked[0].path == "/v1beta/tunedModels/x:generateContent"
    assert service.asked[0].json() == {"contents": [{"parts": [{"text": "IX"}], "role": "user"}]}
    assert answered.candidates[0].content.parts[0].text == "X"


def event(text: str, **more: object) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0} | more
    return b"data: " + orjson.dumps({"candidates": [candidate]}) + b"\r\n\r\n"


def events(*said: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return head + b"".join(said)


def streamed(service) -> list[str]:
    chunks = client(service).stream_generate_content("tunedModels/x", QUESTION)
    return [candidate.content.parts[0].text for chunk in chunks for candidate in chunk.candidates]


def test_a_stream_is_read_piece_by_piece():
    end = event("", finishReason="STOP") + b'data: {"usageMetadata": {}}\n\n'
    with scripted(events(b": hello\n\n", event("X"), event("I\n\n").replace(b"\r", b""), end)) as service:
        assert streamed(service) == ["X", "I\n\n", ""]
    assert service.asked[0].path == "/v1beta/tunedModels/x:streamGenerateContent?alt=sse"
    assert service.asked[0].json() == {"contents": [{"parts": [{"text": "IX"}], "role": "user"}]}


@pytest.mark.parametrize(
    "cut", [b"", b"data: {}\n\n", event("X"), event("X") + event("", finishReason="STOP")[:-4], b'[{"candidates":']
)
def test_a_stream_without_its_end_is_named_so(cut):
    with scripted(events(cut)) as service, pytest.raises(errors.BadAnswer):
        streamed(service)


def test_a_stream_that_fails_half_way_raises_what_it_was_told():
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TIMED_OUT", "domain": "tuneboard"}
    error = {"error": {"code": 504, "message": "Too long.", "status": "DEADLINE_EXCEEDED", "details": [info]}}
    with scripted(events(event("X"), b"data: " + orjson.dumps(error) + b"\r\n\r\n")) as service:
        chunks = client(service).stream_generate_content("tunedModels/x", QUESTION)
        assert next(chunks).candidates[0].content.parts[0].text == "X"
        with pytest.raises(errors.TimedOut) as told:
            next(chunks)
    assert (told.value.code, told.value.detail) == ("timed_out", "Too long.")


def test_a_refused_stream_is_an_error_like_any_other():
    with scripted(refusal(404, "NOT_FOUND", MISSING)) as service, pytest.raises(errors.NotFound) as missing:
        streamed(service)
    assert missing.value.detail == MISSING


def test_tokens_are_counted():
    with scripted(answer(200, {"totalTokens": 9})) as service:
        assert client(service).count_tokens("tunedModels/x", QUESTION) == 9
    assert service.asked[0].path == "/v1beta/tunedModels/x:countTokens"


def test_a_token_is_made_anew_for_every_request():
    tokens = iter(["one", "two"])
    with scripted(answer()) as service:
        tuned_models = TunedModels(service.url, bearer(lambda: next(tokens)))
        tuned_models.delete("tunedModels/x")
        tuned_models.delete("tunedModels/x")
    assert [asked.headers["Authorization"] for asked in service.asked] == ["Bearer one", "Bearer two"]


def test_credentials_of_a_netrc_do_not_replace_ours(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("default login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(transport, "_is_loopback", lambda host: False)
    with scripted(answer()) as service:
        TunedModels(service.url, bearer(lambda: "ours")).delete("tunedModels/x")
    assert service.asked[0].headers["Authorization"] == "Bearer ours"


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with scripted(answer()) as service:
        client(service).delete("tunedModels/x")
    assert len(service.asked) == 1


@pytest.mark.parametrize("name", ["", "x", "tunedModels/..", "tunedModels/x/../y", "tunedModels/x?key=1", "a/b\r\nc"])
def test_names_that_could_lead_elsewhere_are_never_asked_for(name):
    with scripted(answer()) as service:
        with pytest.raises(errors.InvalidRequest, match="bad_name"):
            client(service).get(name)
        assert service.asked == []


@pytest.mark.parametrize("url", ["", "127.0.0.1:1", "ftp://host", "http://", "http://[", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(errors.InvalidRequest, match="bad_base_url"):
        TunedModels(url, api_key(""))


# Errors


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "INVALID_ARGUMENT", errors.InvalidRequest),
        (400, "FAILED_PRECONDITION", errors.FailedPrecondition),
        (401, "UNAUTHENTICATED", errors.Unauthenticated),
        (403, "PERMISSION_DENIED", errors.PermissionDenied),
        (404, "NOT_FOUND", errors.NotFound),
        (409, "ALREADY_EXISTS", errors.AlreadyExists),
        (429, "RESOURCE_EXHAUSTED", errors.Exhausted),
        (500, "INTERNAL", errors.Internal),
        (501, "UNIMPLEMENTED", errors.Unimplemented),
        (503, "UNAVAILABLE", errors.Unavailable),
        (504, "DEADLINE_EXCEEDED", errors.TimedOut),
    ],
)
def test_each_status_has_its_error_with_message_and_raw_answer(status, name, kind):
    with scripted(refusal(status, name, MISSING)) as service, pytest.raises(errors.ServiceError) as caught:
        client(service).generate_content("tunedModels/x", QUESTION)
    assert type(caught.value) is kind
    assert caught.value.code == kind.code
    assert caught.value.detail == MISSING
    assert MISSING in caught.value.body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (403, errors.PermissionDenied),
        (413, errors.InvalidRequest),
        (502, errors.Unavailable),
        (599, errors.Internal),
    ],
)
@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"\xff\xfe", b"[]", b"[1]", b'{"error": "no"}', b"null"])
def test_an_error_page_is_understood_by_its_status_alone(status, kind, body):
    with scripted(answer(status, body)) as service, pytest.raises(errors.ServiceError) as caught:
        client(service).generate_content("tunedModels/x", QUESTION)
    assert type(caught.value) is kind
    assert caught.value.detail == f"HTTP {status}"


def test_a_tuning_server_of_ours_tells_its_own_code_and_parameters():
    said = refusal(404, "NOT_FOUND", reason="BASE_MODEL_UNKNOWN", domain="tuneboard", metadata={"name": "models/x"})
    with scripted(said) as service, pytest.raises(errors.NotFound) as caught:
        client(service).get("tunedModels/x")
    assert (caught.value.code, caught.value.params) == ("base_model_unknown", {"name": "models/x"})


@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"\xff\xfe"])
def test_a_page_that_is_not_found_says_nothing_of_what_was_asked_for(body):
    with scripted(answer(404, body)) as service, pytest.raises(errors.BadAnswer):
        client(service).get("tunedModels/x")
    assert len(service.asked) == 1


@pytest.mark.parametrize("domain", ["example.com", "googleapis.com.example.com", "", 3, None])
def test_a_strangers_reasons_are_not_taken_for_our_codes(domain):
    said = refusal(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED", domain=domain, metadata={"service": "b"})
    with scripted(said) as service, pytest.raises(errors.PermissionDenied) as caught:
        client(service).get("tunedModels/x")
    assert (type(caught.value), caught.value.code) == (errors.PermissionDenied, "permission_denied")
    assert caught.value.params == {}


@pytest.mark.parametrize(
    ("status", "name", "reason", "kind", "code"),
    [
        (400, "INVALID_ARGUMENT", "API_KEY_INVALID", errors.Unauthenticated, "api_key_invalid"),
        (401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", errors.Unauthenticated, "token_refused"),
        (401, "UNAUTHENTICATED", "CREDENTIALS_MISSING", errors.Unauthenticated, "account_needed"),
        (403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", errors.NotSetUp, "scope_missing"),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED", errors.NotSetUp, "api_disabled"),
        (400, "INVALID_ARGUMENT", "CONSUMER_INVALID", errors.NotSetUp, "project_unknown"),
        (403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", errors.NotSetUp, "project_denied"),
        (403, "PERMISSION_DENIED", "BILLING_DISABLED", errors.NotSetUp, "billing_disabled"),
        (403, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED", errors.NotSetUp, "api_key_restricted"),
        (403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", errors.NotSetUp, "iam_denied"),
        (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", errors.Exhausted, "rate_limited"),
    ],
)
def test_each_of_googles_reasons_has_its_code(status, name, reason, kind, code):
    said = refusal(status, name, reason=reason, domain="googleapis.com")
    with scripted(said) as service, pytest.raises(errors.ServiceError) as caught:
        client(service).create(TunedModel())
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_reason_is_found_behind_other_details():
    details = [{"@type": "Help", "links": 3}, "x", {"reason": "ODD"}]
    info = {"reason": "SERVICE_DISABLED", "domain": "googleapis.com"}
    error = {"code": 403, "message": "No.", "status": "PERMISSION_DENIED", "details": [*details, info]}
    with scripted(answer(403, {"error": error})) as service, pytest.raises(errors.NotSetUp, match="api_disabled"):
        client(service).get("tunedModels/x")


def test_the_scopes_that_are_missing_are_told():
    wanted = 'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="https://a.example/b c"'
    info = {"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com", "metadata": {"service": "x"}}
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [info]}}
    said = answer(403, body, WWW_Authenticate=wanted)
    with scripted(said) as service, pytest.raises(errors.NotSetUp) as caught:
        client(service).get("tunedModels/x")
    assert caught.value.params["scopes"] == "https://a.example/b, c"


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://console.developers.google.com/apis/api/x/overview?project=1", True),
        ("https://console.cloud.google.com/apis", True),
        ("http://console.cloud.google.com/apis", False),
        ("https://console.cloud.google.com@evil.example/", False),
        ("https://console.cloud.google.com.evil.example/", False),
        ("https://console.cloud.google.com:8443/", False),
        ("https://evil.example/console.cloud.google.com", False),
        ('https://console.cloud.google.com/" onclick=alert(1)', False),
        ("https://console.cloud.google.com\\@evil.example/", False),
        ("javascript:alert(1)", False),
        ("https://[", False),
        (3, False),
        (None, False),
    ],
)
def test_only_pages_of_googles_console_are_linked_to(address, link):
    metadata = {"activationUrl": address, "serviceTitle": "Generative Language API", "consumer": "projects/my-1"}
    said = refusal(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED", domain="googleapis.com", metadata=metadata)
    with scripted(said) as service, pytest.raises(errors.NotSetUp) as caught:
        client(service).get("tunedModels/x")
    assert caught.value.params["link"] == (address if link else "")
    assert (caught.value.params["service"], caught.value.params["project"]) == ("Generative Language API", "my-1")


@pytest.mark.parametrize("metadata", [3, None, [], {"consumer": 3, "service": {}, "serviceTitle": []}])
def test_a_reason_whose_facts_make_no_sense_is_one_all_the_same(metadata):
    said = refusal(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED", domain="googleapis.com", metadata=metadata)
    with scripted(said) as service, pytest.raises(errors.NotSetUp) as caught:
        client(service).get("tunedModels/x")
    assert set(caught.value.params.values()) == {""}


@pytest.mark.parametrize(
    "error",
    [
        {"code": "x", "message": {"a": 1}, "status": 3, "details": 3},
        {"message": ["a"], "details": [3, None, {"reason": None}, {"reason": {}, "domain": "googleapis.com"}]},
        {"details": {"reason": "SERVICE_DISABLED"}},
    ],
)
def test_an_error_of_wrong_types_is_understood_by_its_status(error):
    with scripted(answer(403, {"error": error})) as service, pytest.raises(errors.PermissionDenied) as caught:
        client(service).get("tunedModels/x")
    assert caught.value.detail == "HTTP 403"


@pytest.mark.parametrize("body", [b'{"name": "tunedMo', b"<html></html>", b"[]", b'{"name": 1}', b"\xff"])
def test_an_answer_that_cannot_be_read_is_named_so(body):
    with scripted(answer(200, body)) as service, pytest.raises(errors.BadAnswer):
        client(service).get("tunedModels/x")
    assert len(service.asked) == 1


def test_an_answer_cut_off_is_named_so():
    whole = answer(200, {"name": "tunedModels/x"})
    with scripted(whole[:-5]) as service, pytest.raises(errors.BadAnswer):
        client(service).get("tunedModels/x")


def test_something_that_speaks_no_http_is_named_so():
    with scripted(b"SSH-2.0-OpenSSH_9.9\r\n") as service, pytest.raises(errors.Unavailable):
        client(service).generate_content("tunedModels/x", QUESTION)


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(transport, "ANSWER_BYTES", 1000)
    endless = {"name": "tunedModels/x", "description": "a" * 2000}
    with scripted(answer(200, endless)) as service, pytest.raises(errors.BadAnswer):
        client(service).get("tunedModels/x")


def test_a_compressed_answer_nobody_asked_for_is_refused():
    with scripted(answer(200, b"\x1f\x8b", Content_Encoding="gzip")) as service, pytest.raises(errors.BadAnswer):
        client(service).get("tunedModels/x")
    assert service.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_redirect_is_not_followed():
    with scripted(answer()) as elsewhere, scripted(answer(307, b"", Location=f"{elsewhere.url}/x")) as service:
        with pytest.raises(errors.BadAnswer, match="redirected"):
            client(service).get("tunedModels/x")
        assert elsewhere.asked == []


# What is repeated


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_is_safe_to_repeat_is_asked_again(status):
    with scripted(answer(status), answer(status), answer(200, {"name": "tunedModels/x"})) as service:
        assert client(service).get("tunedModels/x").name == "tunedModels/x"
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 501])
def test_what_would_fail_again_is_asked_once(status):
    with scripted(answer(status), answer()) as service:
        with pytest.raises(errors.ServiceError):
            client(service).delete("tunedModels/x")
        assert len(service.asked) == 1


def test_after_three_times_the_error_is_raised():
    with scripted(answer(503)) as service:
        with pytest.raises(errors.Unavailable):
            client(service).get("tunedModels/x")
        assert len(service.asked) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_post_is_never_repeated(status):
    with scripted(answer(status, b"", Retry_After="0"), answer()) as service:
        with pytest.raises(errors.ServiceError):
            client(service).create(TunedModel())
        assert len(service.asked) == 1


def test_the_service_says_how_long_to_wait():
    with scripted(answer(429, b"", Retry_After="1"), answer(200, {})) as service:
        before = time.monotonic()
        client(service).get("tunedModels/x")
        assert 1 <= time.monotonic() - before < 5


def test_a_wait_beyond_the_time_out_is_left_to_the_caller():
    with scripted(answer(429, b"", Retry_After="3600")) as service:
        before = time.monotonic()
        with pytest.raises(errors.Exhausted) as caught:
            client(service).get("tunedModels/x")
        assert time.monotonic() - before < 5
    assert caught.value.retry_after == 3600


def test_google_tells_a_wait_within_the_answer():
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}
    with scripted(answer(429, body)) as service, pytest.raises(errors.Exhausted) as caught:
        client(service).create(TunedModel())
    assert caught.value.retry_after == 34.5


def test_a_wait_may_be_told_as_a_date():
    date = formatdate(time.time() + 1000, usegmt=True)
    with scripted(answer(429, b"", Retry_After=date)) as service, pytest.raises(errors.Exhausted) as caught:
        client(service).get("tunedModels/x")
    assert 900 < caught.value.retry_after <= 1000


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "", "9" * 400])
def test_a_wait_that_makes_no_sense_does_no_harm(value):
    with scripted(answer(503, b"", Retry_After=value)) as service, pytest.raises(errors.Unavailable):
        client(service, timeout=2).get("tunedModels/x")


def test_a_service_that_is_not_there_is_named_so():
    with pytest.raises(errors.Unreachable) as caught:
        TunedModels(f"http://127.0.0.1:{free_port()}", api_key("secret")).get("tunedModels/x")
    assert caught.value.detail == "Connection refused"


@pytest.mark.parametrize("said", [Silence(), Drip(answer(200, b" " * 1000))])
def test_a_service_that_takes_too_long_is_given_up(said):
    with scripted(said) as service:
        before = time.monotonic()
        with pytest.raises(errors.Unavailable):
            client(service, timeout=0.5).get("tunedModels/x")
        assert time.monotonic() - before < 5


def test_secrets_are_in_no_error():
    with scripted(answer(401)) as service, pytest.raises(errors.Unauthenticated) as caught:
        client(service).get("tunedModels/x")
    assert "secret" not in f"{caught.value!r} {caught.value.detail} {caught.value.body} {vars(caught.value)}"
