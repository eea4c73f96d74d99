"""Cloud Storage: buckets in memory, resumable uploads with sessions, ranges and checksums.

The protocol is https://cloud.google.com/storage/docs/performing-resumable-uploads; methods and parameters are held to
the discovery document.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.google.discovery import storage
from tests.google.faults import LOST, Trouble
from tests.google.refusals import StorageRefusal, invalid
from tests.google.serving import Answer, Asked, json

QUANTUM = 256 * 1024
"""All pieces but the last are a multiple of it."""
RESUME = 308
WHOLE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
QUESTION = re.compile(r"bytes \*/(\d+|\*)")


@dataclass
class Stored:
    """An object; ``told`` is the resource."""

    data: bytes
    told: dict[str, Any]


@dataclass
class Session:
    bucket: str
    told: dict[str, Any]
    query: dict[str, list[str]]
    size: int | None
    data: bytes = b""


@dataclass
class Storage:
    """``breaks`` are the numbers of bytes after which the next uploads lose their connection, once each."""

    url: str = ""
    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    breaks: list[int] = field(default_factory=list)
    corrupt: bool = False
    """Whether the next upload loses a byte on its way."""
    sessions: dict[str, Session] = field(default_factory=dict)

    def text(self, uri: str) -> str | None:
        """What is at ``gs://bucket/name``."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        stored = self.buckets.get(bucket, {}).get(name)
        return stored.data.decode() if stored else None

    def put(self, uri: str, data: bytes) -> None:
        """As if somebody had uploaded it before."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        self._keep(bucket, data, {"name": name}, {})

    # methods of the document, by their names ------------------------------------------------------------------

    def get_bucket(self, asked: Asked) -> Answer:
        self._bucket(asked)
        return _resource(
            {"kind": "storage#bucket", "id": asked.names["bucket"], "name": asked.names["bucket"]}, "Bucket"
        )

    def test_permissions(self, asked: Asked) -> Answer:
        self._bucket(asked)
        wanted = asked.query.get("permissions", [])
        writes = asked.names["bucket"] not in self.read_only
        held = [name for name in wanted if writes or name.endswith((".get", ".list"))]
        told: dict[str, Any] = {"kind": "storage#testIamPermissionsResponse"}
        return _resource(told | ({"permissions": held} if held else {}), "TestIamPermissionsResponse")

    def get_object(self, asked: Asked) -> Answer:
        stored = self._object(asked)
        if asked.one("alt") == "media":
            return Answer(stored.data, 200, {"Content-Type": stored.told["contentType"]})
        return _resource(stored.told, "Object")

    def list_objects(self, asked: Asked) -> Answer:
        prefix = asked.one("prefix")
        found = [stored.told for name, stored in sorted(self._bucket(asked).items()) if name.startswith(prefix)]
        return _resource({"kind": "storage#objects"} | ({"items": found} if found else {}), "Objects")

    def delete_object(self, asked: Asked) -> Answer:
        self._object(asked)
        self._writable(asked.names["bucket"])
        del self._bucket(asked)[asked.names["object"]]
        return Answer(b"", 204)

    def insert(self, asked: Asked) -> Answer | Trouble:
        """``/upload/storage/v1/b/BUCKET/o``: a small object at once, or the start of a resumable upload."""
        self._bucket(asked)
        self._writable(asked.names["bucket"])
        kind = asked.one("uploadType")
        if kind == "media":
            told = {"name": asked.one("name"), "contentType": asked.headers.get("content-type", "")}
            return self._keep(asked.names["bucket"], asked.body, told, asked.query)
        if kind != "resumable":
            raise StorageRefusal(400, f"Invalid upload type: {kind}", "invalid")
        told = asked.json or {}
        if problem := next(storage().problems("Object", told, asked=True), None):
            raise problem
        told.setdefault("name", asked.one("name"))
        told.setdefault("contentType", asked.headers.get("x-upload-content-type", "application/octet-stream"))
        if not told["name"]:
            raise StorageRefusal(400, "Required object name", "required")
        self._check_generation(asked.names["bucket"], told["name"], asked.query)
        length = asked.headers.get("x-upload-content-length")
        key = secrets.token_urlsafe(16)
        self.sessions[key] = Session(asked.names["bucket"], told, asked.query, int(length) if length else None)
        where = f"{self.url}{asked.path}?uploadType=resumable&upload_id={key}"
        return Answer(b"", 200, {"Location": where})

    def upload(self, asked: Asked) -> Answer | Trouble:
        """A PUT to a session: a piece, or the question how far it got."""
        session = self.sessions.get(asked.one("upload_id"))
        if session is None:
            raise StorageRefusal(404, "Not Found", "notFound")
        said = asked.headers.get("content-range", "")
        if (question := QUESTION.fullmatch(said)) and (not asked.body):
            known = session.size if question[1] == "*" else int(question[1])
            return self._finished(asked, session) if known == len(session.data) and known else self._so_far(session)
        start, total = self._range(asked, session, said)
        piece = asked.body
        if self.breaks:
            kept = max(self.breaks.pop(0) - start, 0) // QUANTUM * QUANTUM
            session.data = session.data[:start] + piece[:kept]
            return LOST
        session.data = session.data[:start] + piece
        if total is not None and len(session.data) == total:
            return self._finished(asked, session)
        if len(piece) % QUANTUM:
            raise StorageRefusal(400, "Pieces but the last must be a multiple of 256 KiB.", "badRequest")
        return self._so_far(session)

    # --------------------------------------------------------------------------------------------------------

    def _range(self, asked: Asked, session: Session, said: str) -> tuple[int, int | None]:
        """Where the piece begins, and how much there is in all."""
        if not said:
            return 0, len(asked.body)
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", said)
        if not match or int(match[2]) - int(match[1]) + 1 != len(asked.body):
            raise StorageRefusal(400, f"Failed to parse Content-Range header: {said}", "badRequest")
        total = None if match[3] == "*" else int(match[3])
        if session.size is not None and total not in (None, session.size):
            raise StorageRefusal(400, "The size is another than was announced.", "badRequest")
        if int(match[1]) > len(session.data):
            raise StorageRefusal(503, "A piece is missing before this one.", "backendError")
        return int(match[1]), total

    def _so_far(self, session: Session) -> Answer:
        had = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
        return Answer(b"", RESUME, had)

    def _finished(self, asked: Asked, session: Session) -> Answer:
        data = session.data
        if self.corrupt:
            self.corrupt, data = False, data[:-1] + bytes([data[-1] ^ 1])
        told = session.told | _hashes(asked.headers.get("x-goog-hash", ""))
        try:
            return self._keep(session.bucket, data, told, session.query)
        finally:
            del self.sessions[asked.one("upload_id")]

    def _keep(self, bucket: str, data: bytes, told: dict[str, Any], query: dict[str, list[str]]) -> Answer:
        self._check_generation(bucket, told["name"], query)
        facts = {"md5Hash": md5(data), "crc32c": crc32c(data)}
        for name, value in facts.items():
            if told.get(name, value) != value:
                shown = {"md5Hash": "MD5", "crc32c": "CRC32C"}[name]
                said = f"Provided {shown} hash {told[name]!r} doesn't match calculated {shown} hash {value!r}."
                raise StorageRefusal(400, said, "invalid")
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        generation = str(1 + len(self.sessions) + sum(map(len, self.buckets.values())))
        resource = {
            "contentType": "application/octet-stream",
            **told,
            **facts,
            "kind": "storage#object",
            "bucket": bucket,
            "size": str(len(data)),
            "generation": generation,
            "id": f"{bucket}/{told['name']}/{generation}",
            "metageneration": "1",
            "timeCreated": now,
            "updated": now,
        }
        self.buckets.setdefault(bucket, {})[told["name"]] = Stored(data, resource)
        return _resource(resource, "Object")

    def _check_generation(self, bucket: str, name: str, query: dict[str, list[str]]) -> None:
        if query.get("ifGenerationMatch") == ["0"] and name in self.buckets.get(bucket, {}):
            said = "At least one of the pre-conditions you specified did not hold."
            raise StorageRefusal(412, said, "conditionNotMet")

    def _bucket(self, asked: Asked) -> dict[str, Stored]:
        found = self.buckets.get(asked.names["bucket"])
        if found is None:
            raise StorageRefusal(404, "The specified bucket does not exist.", "notFound")
        return found

    def _object(self, asked: Asked) -> Stored:
        stored = self._bucket(asked).get(asked.names["object"])
        if stored is None:
            where = f"{asked.names['bucket']}/{asked.names['object']}"
            raise StorageRefusal(404, f"No such object: {where}", "notFound")
        return stored

    def _writable(self, bucket: str) -> None:
        if bucket in self.read_only:
            said = (
                "ada@example.com does not have storage.objects.create access to the Google Cloud Storage object. "
                "Permission 'storage.objects.create' denied on resource (or it may not exist)."
            )
            raise StorageRefusal(403, said, "forbidden")


def _resource(value: dict[str, Any], schema: str) -> Answer:
    for problem in storage().problems(schema, value, asked=False):
        raise AssertionError(problem.message)
    return json(value)


def _hashes(header: str) -> dict[str, str]:
    """``crc32c=…,md5=…`` as the resource spells it."""
    said = dict(part.strip().partition("=")[::2] for part in header.split(",") if part)
    if strange := said.keys() - {"crc32c", "md5"}:
        raise invalid(f"unknown hash {strange}", "x-goog-hash")
    return {{"md5": "md5Hash"}.get(name, name): value for name, value in said.items()}


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def crc32c(data: bytes) -> str:
    """CRC-32C (Castagnoli; RFC 4960, appendix B), big-endian, in base64."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


@cache
def _table() -> list[int]:
    made = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        made.append(crc)
    return made
