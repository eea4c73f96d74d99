"""Somebody who is signed in, asking one page after the other over one connection, and how long the answers take."""

import re
import time
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from statistics import median
from threading import Thread
from typing import NamedTuple

WARM_UP = 5
TICK_SECONDS = 1.0
"""How often an open page asks while there is news: its ``data-live``."""


class Answer(NamedTuple):
    seconds: float
    status: int
    body: bytes


class Visitor:
    def __init__(self, port: int, session: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": f"sessionid={session}"}

    def get(self, path: str, *, live: bool = False) -> Answer:
        """The answer, which is no error; ``live`` asks as htmx does."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers | ({"HX-Request": "true"} if live else {}))
        answer = self._connection.getresponse()
        body = answer.read()
        taken = time.perf_counter() - begun
        if answer.status not in (200, 204):
            raise SystemExit(f"{path}: {answer.status}")
        return Answer(taken, answer.status, body)

    def milliseconds(self, path: str, times: int, *, live: bool = False) -> float:
        """The median time from the request to the last byte, the first few left out."""
        taken = [self.get(path, live=live).seconds for _ in range(times + WARM_UP)]
        return 1000 * median(taken[WARM_UP:])


def tick_of(page: bytes) -> str:
    """The address a job's page asks for news at."""
    found = re.search(rb'hx-get="(/jobs/\d+/live/[^"]*)"', page)
    if not found:
        raise SystemExit("The page asks for no news.")
    return unescape(found[1].decode())


class Audience:
    """People who watch jobs, each with a page of their own that asks for news by the clock."""

    def __init__(self, port: int, sessions: list[str], jobs: list[int]) -> None:
        self._port, self._sessions, self._jobs = port, sessions, jobs
        self.answers: list[Answer] = []

    def watch(self, seconds: float) -> None:
        threads = [
            Thread(target=self._watch, args=(session, self._jobs[number % len(self._jobs)], number, seconds))
            for number, session in enumerate(self._sessions)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _watch(self, session: str, job: int, number: int, seconds: float) -> None:
        visitor = Visitor(self._port, session)
        address = tick_of(visitor.get(f"/jobs/{job}/").body)
        for due in self._due(number, seconds):
            time.sleep(max(0.0, due - time.perf_counter()))
            answer = visitor.get(address, live=True)
            self.answers.append(answer)
            if answer.body:
                address = tick_of(answer.body)

    def _due(self, number: int, seconds: float) -> Iterator[float]:
        """When a page asks: they were not opened all at once."""
        first = time.perf_counter() + TICK_SECONDS * (1 + number / len(self._sessions))
        return (first + TICK_SECONDS * tick for tick in range(int(seconds / TICK_SECONDS)))
