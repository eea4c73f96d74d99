"""That the stand-in is as strict as it claims: what a test passes against it was asked as the documents have it."""

import base64
import hashlib

import google.auth.transport.requests
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.oauth2 import credentials, service_account

from tests.google import faults, refusals
from tests.google.cloud import google_cloud
from tests.google.storage import QUANTUM, crc32c
from tests.google.tokens import CLOUD_PLATFORM

ROW = b'{"contents":[{"role":"user","parts":[{"text":"1"}]},{"role":"model","parts":[{"text":"2"}]}]}\n'


@pytest.fixture
def cloud():
    with google_cloud() as running:
        running.storage.put(f"gs://{running.bucket}/rows.jsonl", ROW)
        yield running


@pytest.fixture
def session(cloud):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {cloud.token()}"
        yield session


def wanted(cloud, **more):
    spec = {"trainingDatasetUri": f"gs://{cloud.bucket}/rows.jsonl"}
    return {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec} | more


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"baseModl": "x"}, "Unknown name"),
        ({"state": "JOB_STATE_RUNNING"}, "output only"),
        ({"labels": {"key": 7}}, "labels.key"),
        ({"labels": {"Key": "x"}}, "Invalid label"),
        ({"supervisedTuningSpec": {}}, "Required field 'supervisedTuningSpec.trainingDatasetUri'"),
        ({"supervisedTuningSpec": {"trainingDatasetUri": "gs://nobody/nothing"}}, "no such object"),
        ({"baseModel": "gemini-1.0"}, "not supported"),
        ({"tunedModelDisplayName": 3}, "tunedModelDisplayName"),
        ({"preTunedModel": {"checkpointId": 1}}, "checkpointId"),
    ],
)
def test_a_job_that_the_document_does_not_know_is_refused(cloud, session, more, said):
    answer = session.post(f"{cloud.url}/v1/{cloud.parent}/tuningJobs", json=wanted(cloud, **more))
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert said in answer.json()["error"]["message"]
    assert not cloud.vertex.jobs


@pytest.mark.parametrize("query", ["pageSize=many", "size=3", "pageSize=1&pageSize=2"])
def test_a_query_that_the_document_does_not_know_is_refused(cloud, session, query):
    assert session.get(f"{cloud.url}/v1/{cloud.parent}/tuningJobs?{query}").status_code == 400


def test_only_good_tokens_with_the_scope_are_let_in(cloud):
    def status(token):
        where = f"{cloud.url}/v1/{cloud.parent}/tuningJobs"
        answer = requests.get(where, headers={"Authorization": f"Bearer {token}"})
        reasons = [detail.get("reason") for detail in answer.json().get("error", {}).get("details", [])]
        return answer.status_code, reasons

    tokens = cloud.tokens
    assert status(tokens.access()) == (200, [])
    assert status("nonsense")[0] == 401
    assert status(tokens.access(expired=True))[0] == 401
    assert status(tokens.access("ada@example.com", "openid")) == (403, ["ACCESS_TOKEN_SCOPE_INSUFFICIENT"])
    cloud.disabled.add("aiplatform.googleapis.com")
    code, reasons = status(tokens.access())
    assert code == 403
    assert "SERVICE_DISABLED" in reasons


def test_faults_come_when_they_are_asked_for_and_then_no_more(cloud, session):
    where = f"{cloud.url}/v1/{cloud.parent}/tuningJobs"
    cloud.fault(refusals.exhausted(7), on="tuningJobs.create")
    cloud.fault(faults.LOST, on="tuningJobs.create", afterwards=True)
    answer = session.post(where, json=wanted(cloud))
    assert (answer.status_code, answer.headers["Retry-After"], cloud.vertex.jobs) == (429, "7", {})
    with pytest.raises(requests.ConnectionError):
        session.post(where, json=wanted(cloud))
    assert len(cloud.vertex.jobs) == 1
    cloud.fault(faults.HTML, on="tuningJobs.list")
    assert "<html>" in session.get(where).text
    assert session.get(where).status_code == 200


def test_an_upload_goes_on_where_it_was_broken_off(cloud, session):
    data = bytes(range(256)) * 4096
    start = f"{cloud.url}/upload/storage/v1/b/{cloud.bucket}/o?uploadType=resumable&name=a%2Fb.bin"
    told = {"md5Hash": base64.b64encode(hashlib.md5(data).digest()).decode(), "crc32c": crc32c(data)}
    place = session.post(start, json=told).headers["Location"]
    cloud.storage.breaks.append(QUANTUM + 1000)
    with pytest.raises(requests.ConnectionError):
        session.put(place, data=data)
    asked = session.put(place, headers={"Content-Range": f"bytes */{len(data)}"})
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{QUANTUM - 1}")
    rest = {"Content-Range": f"bytes {QUANTUM}-{len(data) - 1}/{len(data)}"}
    done = session.put(place, data=data[QUANTUM:], headers=rest)
    assert (done.status_code, done.json()["size"]) == (200, str(len(data)))
    where = f"{cloud.url}/storage/v1/b/{cloud.bucket}/o/a%2Fb.bin"
    assert session.get(where, params={"alt": "media"}).content == data
    assert session.post(f"{start}&ifGenerationMatch=0", json={}).status_code == 412


def test_bytes_that_arrive_otherwise_than_they_were_sent_are_refused(cloud, session):
    start = f"{cloud.url}/upload/storage/v1/b/{cloud.bucket}/o?uploadType=resumable&name=x"
    told = {"md5Hash": base64.b64encode(hashlib.md5(b"rows").digest()).decode()}
    place = session.post(start, json=told).headers["Location"]
    cloud.storage.corrupt = True
    assert session.put(place, data=b"rows").status_code == 400
    assert cloud.storage.text(f"gs://{cloud.bucket}/x") is None


def test_the_checksum_is_that_of_the_rfc():
    assert base64.b64decode(crc32c(b"123456789")).hex() == "e3069283"  # RFC 3720, B.4's check value


def test_googles_own_library_refreshes_and_asserts_here(cloud):
    http = google.auth.transport.requests.Request()
    token = cloud.tokens.grant("ada@example.com")
    client = {"client_id": cloud.tokens.client_id, "client_secret": cloud.tokens.client_secret}
    person = credentials.Credentials(None, refresh_token=token, token_uri=f"{cloud.url}/token", **client)
    person.refresh(http)
    assert cloud.tokens.refreshes == 1
    key = cloud.tokens.service_account(cloud.url)
    account = service_account.Credentials.from_service_account_info(key, scopes=[CLOUD_PLATFORM])
    account.refresh(http)
    for good in (person.token, account.token):
        where = f"{cloud.url}/v1/{cloud.parent}/tuningJobs"
        assert requests.get(where, headers={"Authorization": f"Bearer {good}"}).status_code == 200
    cloud.tokens.withdraw(token)
    with pytest.raises(RefreshError, match="invalid_grant"):
        person.refresh(http)
    forged = key | {"private_key": cloud.tokens.service_account(cloud.url, "eve@example.com")["private_key"]}
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        service_account.Credentials.from_service_account_info(forged, scopes=[CLOUD_PLATFORM]).refresh(http)


def test_a_token_that_is_revoked_opens_nothing(cloud, session):
    token = cloud.token()
    assert requests.post(f"{cloud.url}/revoke", data={"token": token}).status_code == 200
    assert cloud.tokens.revoked == [token]
    assert session.get(f"{cloud.url}/v1/{cloud.parent}/tuningJobs").status_code == 401
    assert requests.post(f"{cloud.url}/revoke", data={"token": token}).status_code == 400
