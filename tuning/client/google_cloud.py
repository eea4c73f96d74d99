"""Google Cloud's services, as far as tuning needs them: Vertex AI, and Cloud Storage for its datasets.

Their messages are plain JSON objects here: whoever asks reads them, and holds them for hostile.
"""

import base64
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from math import inf
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, quote, urlsplit

import orjson

from tuning.client import failures
from tuning.client.failures import readable
from tuning.client.transport import Answered, Download, Method, Transport
from tuning.errors import BadAnswer, NotFound, Unavailable

logger = logging.getLogger(__name__)

Told = dict[str, Any]

LONG_TIMEOUT = 120.0
"""For a model to answer."""
PAGE_SIZE = 100
PAGES = 50
"""Pages of a list that are read at most."""
PIECE = 8 * 2**20
"""Bytes of an upload that are in memory, and sent, at once; Google wants a multiple of 256 KiB."""
BREAKS = 5
"""Times an upload may be broken off, and goes on, before that counts as no answer."""
RESUME = 308
"""Cloud Storage's word for an upload that is not complete."""
FAILED_CONDITION = 412


class GoogleCloud(Transport):
    """One of Google Cloud's services."""

    def tell(
        self,
        method: Method,
        path: str,
        sent: Told | None = None,
        *,
        query: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Told:
        """What the service says to ``sent``."""
        body = None if sent is None else orjson.dumps(sent)
        return told(self.ask(method, path, body=body, query=query, timeout=timeout))

    def pages(self, path: str, key: str) -> Iterator[Told]:
        """The objects of a list, page by page."""
        query = {"pageSize": str(PAGE_SIZE)}
        for _ in range(PAGES):
            page = self.tell("GET", path, query=query)
            found = page.get(key, [])
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise BadAnswer(detail=f"{key} is no list of objects")
            yield from found
            token = page.get("nextPageToken")
            if not isinstance(token, str) or not token or token == query.get("pageToken"):
                return
            query["pageToken"] = token

    def events_of(self, path: str, sent: Told) -> Generator[Told, None, None]:
        """An answer as it is made, in the pieces in which it comes. Closing the generator hangs up."""
        body = orjson.dumps(sent)
        with closing(self.events(path, query={"alt": "sse"}, body=body, timeout=LONG_TIMEOUT)) as events:
            for data in events:
                if error := failures.told(data):
                    raise error
                yield told(data)


class CloudStorage(GoogleCloud):
    """Cloud Storage. Uploads are resumable: https://cloud.google.com/storage/docs/performing-resumable-uploads"""

    def object(self, bucket: str, name: str) -> Told | None:
        """What is known of an object; ``None`` where there is none."""
        try:
            return self.tell("GET", _place(bucket, name))
        except NotFound:
            return None

    def read(self, bucket: str, name: str, *, timeout: float) -> Download:
        """An object, to be read piece by piece. Raises ``NotFound``."""
        return self.download(f"{_place(bucket, name)}?alt=media", timeout=timeout)

    def remove(self, bucket: str, name: str) -> None:
        """Removing what is gone is no error."""
        try:
            self.ask("DELETE", _place(bucket, name))
        except NotFound:
            return

    def permissions(self, bucket: str, wanted: Collection[str]) -> set[str]:
        """Which of the ``wanted`` permissions the caller has on a bucket. Raises ``NotFound``."""
        asked = "&".join(f"permissions={name}" for name in wanted)
        answer = self.tell("GET", f"storage/v1/b/{quote(bucket, safe='')}/iam/testPermissions?{asked}")
        held = answer.get("permissions", [])
        return {name for name in held if isinstance(name, str)} if isinstance(held, list) else set()

    def claim(self, bucket: str, name: str, instead: str = "0") -> bool:
        """Whether an empty object could be made by this name, which nobody else had, or only the generation that it
        is to stand ``instead`` of. Of several who try at once, one succeeds.
        """
        query = {"uploadType": "media", "name": name, "ifGenerationMatch": instead}
        path, media = f"upload/storage/v1/b/{quote(bucket, safe='')}/o", {"Content-Type": "text/plain"}
        answer = self.exchange("POST", path, query=query, body=b"", headers=media, accepted={FAILED_CONDITION})
        return answer.status != FAILED_CONDITION

    def send(
        self,
        bucket: str,
        name: str,
        file: BinaryIO,
        *,
        budget: float,
        most: float = inf,
        heard: Callable[[int], None] | None = None,
    ) -> None:
        """Upload ``file`` in pieces, going on where a connection broke, unless the same is there already. ``heard`` is
        told, piece by piece, how many percent are there.

        Raises ``Unavailable`` with code ``being_sent`` and ``percent`` when ``budget`` seconds were not enough: the
        next call of this process goes on from there; and at once for a file of more than ``most`` bytes. The service
        compares what arrived with the checksum.
        """
        size, md5 = _measured(file)
        there = self.object(bucket, name)
        if there and (there.get("md5Hash"), there.get("size")) == (md5, str(size)):
            return
        if size > most:
            raise Unavailable("being_sent", percent=0)
        upload = _Upload(service=self, bucket=bucket, name=name, file=file, size=size, md5=md5, heard=heard)
        upload.run(time.monotonic() + budget)


@dataclass(kw_only=True, slots=True)
class _Upload:
    """One file on its way. One that pauses leaves the address of its session in ``SESSIONS``, for as long as this
    process lives; whoever goes on takes it from there, so that no two send to one.
    """

    service: CloudStorage
    bucket: str
    name: str
    file: BinaryIO
    size: int
    md5: str
    heard: Callable[[int], None] | None = None
    session: str = ""

    @property
    def _key(self) -> tuple[str, str, str, str]:
        return self.service.base_url, self.bucket, self.name, self.md5

    def run(self, deadline: float) -> None:
        done = self._resumed()
        try:
            self._rest(done, deadline)
        except Unavailable:
            SESSIONS[self._key] = self.session
            while len(SESSIONS) > SESSIONS_KEPT:
                SESSIONS.pop(next(iter(SESSIONS)))
            raise

    def _rest(self, done: int, deadline: float) -> None:
        breaks = 0
        while done < self.size:
            if self.heard:
                self.heard(100 * done // self.size)
            if time.monotonic() > deadline:
                raise Unavailable("being_sent", retry_after=1.0, percent=100 * done // self.size)
            try:
                done = self._piece(done)
            except BadAnswer:
                raise
            except Unavailable as exc:
                breaks += 1
                if breaks > BREAKS:
                    raise
                logger.info("upload of %d bytes broken off at %d: %s", self.size, done, exc.code)
                done = self._asked()

    def _resumed(self) -> int:
        """How many bytes an earlier call brought there; a new session where there is none, or it ran out."""
        if begun := SESSIONS.pop(self._key, ""):
            self.session = begun
            try:
                return self._asked()
            except (NotFound, BadAnswer):
                logger.info("the session of an upload is over")
        self._begin()
        return 0

    def _begin(self) -> None:
        path = f"upload/storage/v1/b/{quote(self.bucket, safe='')}/o"
        about = {"name": self.name, "contentType": "application/jsonl", "md5Hash": self.md5}
        headers = {"X-Upload-Content-Type": "application/jsonl", "X-Upload-Content-Length": str(self.size)}
        query = {"uploadType": "resumable"}
        answer = self.service.exchange("POST", path, query=query, body=orjson.dumps(about), headers=headers)
        where = answer.headers.get("Location", "")
        if not where.startswith(f"{self.service.base_url}/"):  # the token would go there as well
            raise BadAnswer(detail="no place to upload to")
        self.session = where.removeprefix(f"{self.service.base_url}/")

    def _piece(self, start: int) -> int:
        """Send what begins at ``start``; up to where the service has it now."""
        self.file.seek(start)
        piece = self.file.read(PIECE)
        span = f"bytes {start}-{start + len(piece) - 1}/{self.size}"
        return self._reached(self._put(piece, span, repeated=False))

    def _asked(self) -> int:
        return self._reached(self._put(b"", f"bytes */{self.size}", repeated=True))

    def _put(self, body: bytes, span: str, *, repeated: bool) -> Answered:
        parts = urlsplit(self.session)
        return self.service.exchange(
            "PUT",
            parts.path,
            query=dict(parse_qsl(parts.query)),
            body=body,
            headers={"Content-Range": span, "Content-Type": "application/octet-stream"},
            accepted={RESUME},
            repeated=repeated,
            timeout=LONG_TIMEOUT,
        )

    def _reached(self, answer: Answered) -> int:
        if answer.status != RESUME:
            if told(answer.body).get("md5Hash") != self.md5:
                raise BadAnswer(detail="what arrived is not what was sent")
            return self.size
        span = answer.headers.get("Range", "")
        end = span.removeprefix("bytes=0-")
        if span and not (end.isascii() and end.isdigit() and int(end) + 1 < self.size):
            raise BadAnswer(detail="an upload that is nowhere")
        return int(end) + 1 if span else 0


SESSIONS: dict[tuple[str, str, str, str], str] = {}
"""Where uploads that paused go on; Google keeps a session for a week."""
SESSIONS_KEPT = 100


def told(body: bytes) -> Told:
    """The object that ``body`` holds. Raises ``BadAnswer``."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BadAnswer(detail=str(exc), body=readable(body)) from exc
    if not isinstance(value, dict):
        raise BadAnswer(detail="no JSON object", body=readable(body))
    return value


def _place(bucket: str, name: str) -> str:
    return f"storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _measured(file: BinaryIO) -> tuple[int, str]:
    """Bytes, and their MD5 as Cloud Storage writes it: against accidents on the way, not against people."""
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while block := file.read(PIECE):
        digest.update(block)
    return file.seek(0, 2), base64.b64encode(digest.digest()).decode()
