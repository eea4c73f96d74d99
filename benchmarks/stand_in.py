"""A tuning service that is asked, answers at once, and counts: ``python benchmarks/stand_in.py PORT``.

It knows every job: ``tunedModels/moving-N`` makes a step every 0.4 s, any other stands still at its last step. Of how
often each was asked about, ``GET /counted`` tells.
"""

import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

STEP_SECONDS = 0.4
TOTAL_STEPS = 1_000_000
STILL_AT = 100_000
"""The step at which jobs stand that do not move: as many as ``web_rows.py`` has stored of the longest."""

counted: Counter[str] = Counter()
lock = Lock()
begun = time.time()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/counted":
            self.answer(dict(counted))
            return
        _, _, _, name, *part = address.path.strip("/").split("/")
        with lock:
            counted["/".join(["job", *part])] += 1
        after = int(parse_qs(address.query).get("after", ["0"])[0])
        self.answer({"lines": [], "cursor": after} if part else job(name, after))

    def answer(self, said: dict[str, Any]) -> None:
        body = orjson.dumps(said)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def job(name: str, after: int) -> dict[str, Any]:
    """What ``/tuneboard/v1/jobs/NAME`` says."""
    made = int((time.time() - begun) / STEP_SECONDS) if name.startswith("moving-") else STILL_AT
    told = range(after + 1, made + 1)
    points = [[step, step // 4, 3 / step**0.5, begun + STEP_SECONDS * step] for step in told]
    return {
        "state": "RUNNING",
        "model": f"tunedModels/{name}",
        "attempt": 1,
        "totalSteps": TOTAL_STEPS,
        "completedSteps": made,
        "points": points,
        "validation": [],
        "logCursor": 0,
    }


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
