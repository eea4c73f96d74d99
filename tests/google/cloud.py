"""Google Cloud as far as Tuneboard asks it, at one address: Vertex AI, Cloud Storage, and the token endpoint.

::

    with google_cloud() as cloud:
        settings = ConnectionSettings(base_url=cloud.url, token=cloud.token, project=cloud.project, ...)

Strict: paths, queries, bodies and answers are held to the discovery documents. What the stand-in itself does wrong is
raised at the end of the ``with``.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.google.discovery import Document, Method, aiplatform, storage
from tests.google.faults import Fault, Trouble
from tests.google.refusals import Refusal, invalid, not_found, permission_denied, service_disabled
from tests.google.serving import Answer, Asked, json, refused, served
from tests.google.storage import Storage
from tests.google.tokens import Tokens
from tests.google.vertex import Vertex

PROJECT, LOCATION, BUCKET = "tuneboard-tests", "us-central1", "tuneboard-tests-bucket"
PREFIX = "aiplatform.projects.locations."


@dataclass
class Cloud:
    """``asked`` is all that was asked, tokens included; ``disabled`` names services that are not enabled."""

    project: str = PROJECT
    location: str = LOCATION
    bucket: str = BUCKET
    url: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    storage: Storage = field(default_factory=Storage)
    asked: list[Asked] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    """E-mail addresses of people who have no role in the project."""
    faults: list[Fault] = field(default_factory=list)
    complaints: list[BaseException] = field(default_factory=list)
    _token: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.parent = f"projects/{self.project}/locations/{self.location}"
        self.vertex = Vertex(self.parent, self.storage)
        self.storage.buckets[self.bucket] = {}
        self._methods = _methods(self.vertex, self.storage)

    def token(self) -> str:
        """A good access token, as a connection would have it."""
        with self._lock:
            self._token = self._token or self.tokens.access()
            return self._token

    def fault(self, what: Refusal | Trouble, on: str = "", *, times: int = 1, afterwards: bool = False) -> None:
        """Let ``what`` go wrong; ``on`` is a method such as ``tuningJobs.create`` or ``storage.upload``."""
        self.faults.append(Fault(what, on, times, afterwards))

    def calls(self, method: str) -> list[Asked]:
        """What was asked of one method."""
        return [asked for asked in self.asked if asked.method == method]

    def respond(self, asked: Asked) -> Answer | Trouble:
        if asked.path in ("/token", "/revoke"):
            self.asked.append(asked)
            return self.tokens.answer(asked)
        with self._lock:
            return self._respond(asked)

    def _respond(self, asked: Asked) -> Answer | Trouble:
        self.asked.append(asked)
        try:
            document, method = self._find(asked)
            if (fault := self._fault(asked.method)) and not fault.afterwards:
                return _suffered(fault)
            answer = self._answer(asked, document, method)
            return _suffered(fault) if fault else answer
        except Refusal as refusal:
            return refused(refusal)
        except BaseException as exc:
            self.complaints.append(exc)
            return json({"error": {"code": 500, "message": f"The stand-in is broken: {exc!r}"}}, 500)

    def _find(self, asked: Asked) -> tuple[Document, Method]:
        """The method that is asked for; ``asked`` learns its name and the path's parameters."""
        path = asked.path.removeprefix("/")
        document = aiplatform() if path.startswith("v1/") else storage()
        resumes = path.startswith("upload/storage/") and "upload_id" in asked.query
        verb = "POST" if resumes and asked.verb == "PUT" else asked.verb
        found = document.find(verb, path.removeprefix("upload/"))
        if found is None:
            raise not_found(f"There is no method for {asked.verb} {asked.path}.")
        method, asked.names = found
        asked.method = "storage.upload" if resumes else method.id.removeprefix(PREFIX)
        return document, method

    def _answer(self, asked: Asked, document: Document, method: Method) -> Answer | Trouble:
        self._admit(asked, document, method)
        if asked.method == "storage.upload":
            return self.storage.upload(asked)
        document.check_query(method, asked.query)
        if asked.method == "storage.objects.insert":
            return self.storage.insert(asked)
        if asked.body and not asked.headers.get("content-type", "").startswith("application/json"):
            raise invalid(f"Content-Type {asked.headers.get('content-type')} is no JSON.", "")
        document.check_request(method, _body(asked))
        if asked.method not in self._methods:
            raise Refusal(501, f"The stand-in does not know {asked.method}.")
        told = self._methods[asked.method](asked)
        if isinstance(told, Answer):
            return told
        document.check_answer(method, told)
        return json(told)

    def _admit(self, asked: Asked, document: Document, method: Method) -> None:
        """Who asks for which project. Raises ``Refusal``."""
        is_vertex = document is aiplatform()
        service = "aiplatform.googleapis.com" if is_vertex else "storage.googleapis.com"
        access = self.tokens.check(asked, method.scopes, method.id)
        if service in self.disabled:
            raise service_disabled(self.project, service)
        if access.email in self.strangers:
            raise permission_denied(asked.method)
        if is_vertex and not any(f"{name}/".startswith(f"{self.parent}/") for name in asked.names.values()):
            raise permission_denied(method.id.removeprefix("aiplatform.projects.locations."))

    def _fault(self, method: str) -> Fault | None:
        fault = next((one for one in self.faults if one.on in ("", method)), None)
        if fault:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
        return fault


def _suffered(fault: Fault) -> Answer | Trouble:
    return refused(fault.what) if isinstance(fault.what, Refusal) else fault.what


def _body(asked: Asked) -> Any:
    try:
        return asked.json
    except orjson.JSONDecodeError as exc:
        raise invalid(f"Invalid JSON payload received. {exc}", "") from exc


def _methods(vertex: Vertex, storage: Storage) -> dict[str, Callable[[Asked], Any]]:
    """What is known of the documents' methods."""
    runs = "tensorboards.experiments.runs"
    return {
        "tuningJobs.create": vertex.create,
        "tuningJobs.get": vertex.get,
        "tuningJobs.list": vertex.list,
        "tuningJobs.cancel": vertex.cancel,
        "metadataStores.contexts.get": vertex.context,
        f"{runs}.list": vertex.runs,
        f"{runs}.timeSeries.list": vertex.series,
        f"{runs}.timeSeries.read": vertex.read,
        "tensorboards.batchRead": vertex.batch_read,
        "endpoints.generateContent": vertex.generate,
        "endpoints.streamGenerateContent": vertex.stream,
        "endpoints.countTokens": vertex.count,
        "publishers.models.generateContent": vertex.generate,
        "publishers.models.streamGenerateContent": vertex.stream,
        "publishers.models.countTokens": vertex.count,
        "endpoints.get": vertex.get_endpoint,
        "endpoints.undeployModel": vertex.undeploy,
        "endpoints.delete": vertex.delete_endpoint,
        "models.get": vertex.get_model,
        "models.delete": vertex.delete_model,
        "operations.get": vertex.operation,
        "storage.buckets.get": storage.get_bucket,
        "storage.buckets.testIamPermissions": storage.test_permissions,
        "storage.objects.get": storage.get_object,
        "storage.objects.list": storage.list_objects,
        "storage.objects.delete": storage.delete_object,
    }


@contextmanager
def google_cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with served(cloud.respond) as (url, _):
        cloud.url = cloud.storage.url = url
        yield cloud
    if cloud.complaints:
        raise cloud.complaints[0]
