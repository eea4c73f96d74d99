"""How quickly the dashboard shows jobs and curves: long ones, many at once, and to many people.

    make bench      or alone:  .venv/bin/python benchmarks/web.py

Fills a database of its own (SQLite) with 10,000 ended jobs, curves of 100,000 and of 10,000 steps, and jobs that run;
starts gunicorn on it as the Procfile does, and in the tuning server's place a service that answers at once and
counts what it is asked (``stand_in.py``). Times are from the request to the last byte of its answer, medians of
``--times`` over one connection; the last rows are Chromium's. No model and no network is needed.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import orjson
import table
import web_browser
from api import ROOT, wait_for
from start import free_port
from visitor import TICK_SECONDS, Audience, Visitor, tick_of

Row = list[str]
PEOPLE, JOBS, WATCHED, OVERLAID = 50, 10_000, 10, 10
LONG, MIDDLE = 100_000, 10_000
"""Steps of the long curve, and of those that are laid over each other."""
SPIKES = 20
SIZES = {"people": PEOPLE, "jobs": JOBS, "moving": WATCHED, "steps": LONG, "spikes": SPIKES}
SIZES |= {"overlaid": OVERLAID, "overlaid_steps": MIDDLE}
MINUTE = 60.0
POINTS, KILOBYTES = 2_000, 60
QUERIES = 12
FILTERS = {
    "no filter": "",
    "words": "q=generator+77",
    "state": "state=FAILED",
    "base model": "base=models/base-c",
    "dataset": "dataset={dataset}",
    "dates": "since=2026-01-01&until=2026-06-30",
    "final loss": "lowest=0.2&highest=0.3",
    "a tag": "tag=tag-3",
    "lowest loss first": "sort=loss",
    "several at once": "state=SUCCEEDED&base=models/base-a&highest=0.5&sort=-took",
    "the last page": "page=200",
}
"""Of the jobs list, by what is asked for."""
SHELVED = {
    "no filter": "",
    "as a table": "view=table",
    "words": "q=generator+77",
    "base model": "base=models/base-c",
    "dataset": "dataset={dataset}",
    "a tag": "tag=tag-3",
    "favourites": "favourite=on",
    "lowest loss first": "sort=loss",
    "the last page": "page=200",
}
"""Of the library, likewise."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--times", type=int, default=50, help="how often each page is asked for")
    arguments.add_argument("--watch", type=float, default=MINUTE, help="seconds for which people watch")
    arguments.add_argument("--markdown", action="store_true", help="print the table as benchmarks/README.md holds it")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as var_dir, stand_in() as service:
        environment = surroundings(var_dir, service)
        made = said_by("web_rows.py", environment, orjson.dumps(SIZES).decode())
        queries = said_by("queries.py", environment, *lists(made).values())
        shelved = said_by("queries.py", environment, *library(made).values())
        with started(environment) as port:
            visitor = Visitor(port, made["sessions"][0])
            rows = [
                *curve_rows(visitor, made, chosen.times),
                *list_rows(visitor, made, queries, chosen.times),
                *library_rows(visitor, made, shelved, chosen.times),
                *reader_rows(Visitor(port, made["reader"]), chosen.times),
                *tick_rows(visitor, made, service, chosen.times),
                *audience_rows(port, made, service, chosen.watch),
                *web_browser.rows(port, made["sessions"][0], made["long"]),
                *store_rows(made),
            ]
    print(table.drawn("The dashboard", ["", "measured", "bar"], rows, markdown=chosen.markdown))


@contextmanager
def stand_in() -> Iterator[int]:
    """The port of the service in the tuning server's place."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "benchmarks/stand_in.py", str(port)], cwd=ROOT)
    try:
        wait_for(("127.0.0.1", port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def surroundings(var_dir: str, service: int) -> dict[str, str]:
    """The settings of a dashboard of its own, without anybody's ``.env``."""
    settings = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "VAR_DIR": var_dir, "ENV_FILE": os.devnull}
    settings |= {"DATABASE_URL": f"sqlite:///{var_dir}/dashboard.sqlite3", "PORT": str(free_port())}
    return {**os.environ, **settings, "TUNING_SERVER_URL": f"http://127.0.0.1:{service}"}


def said_by(script: str, environment: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, f"benchmarks/{script}", *arguments]
    return orjson.loads(subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True).stdout)


@contextmanager
def started(environment: dict[str, str]) -> Iterator[int]:
    """The port of the ``web`` process."""
    port = int(environment["PORT"])
    command = [sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{port}"]
    web = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_for(("127.0.0.1", port))
        yield port
    finally:
        web.terminate()
        web.wait(20)


def curve_rows(visitor: Visitor, made: dict[str, Any], times: int) -> list[Row]:
    """The long curve as its page asks for it, and ten laid over each other."""
    address = f"/jobs/{made['long']}/curve/"
    body = visitor.get(address).body
    shown = orjson.loads(body)
    kept = len(set(shown["steps"]) & set(made["spikes"]))
    overlaid = f"jobs={','.join(map(str, made['overlaid']))}"
    return [
        [f"a curve of {LONG:,} points (ms)", f"{visitor.milliseconds(address, times):.1f}", "<= 30"],
        ["… points of it in the answer", f"{len(shown['steps']):,}", f"<= {POINTS:,}"],
        ["… the answer, uncompressed (kB)", f"{len(body) / 1e3:.1f}", f"<= {KILOBYTES}"],
        ["… spikes of one step in it", f"{kept} of {SPIKES}", f"{SPIKES} of {SPIKES}"],
        [
            f"{OVERLAID} curves of {MIDDLE:,}, overlaid (ms)",
            f"{visitor.milliseconds(f'/compare/series/?{overlaid}', times):.1f}",
            "<= 60",
        ],
        ["… the page that compares them (ms)", f"{visitor.milliseconds(f'/compare/?{overlaid}', times):.1f}", ""],
    ]


def lists(made: dict[str, Any]) -> dict[str, str]:
    """The addresses of the jobs list under each filter."""
    return {name: f"/jobs/?{query.format(dataset=made['dataset'])}" for name, query in FILTERS.items()}


def list_rows(visitor: Visitor, made: dict[str, Any], queries: list[int], times: int) -> list[Row]:
    found = []
    for (name, address), asked in zip(lists(made).items(), queries, strict=True):
        title = f"50 of {JOBS:,} jobs, {name}"
        found.append([f"{title} (ms)", f"{visitor.milliseconds(address, times):.1f}", "<= 40"])
        found.append(["… queries", str(asked), f"<= {QUERIES}"])
    return found


def library(made: dict[str, Any]) -> dict[str, str]:
    """The addresses of the library under each filter, and of what it can be narrowed to."""
    return {name: f"/library/?{query.format(dataset=made['dataset'])}" for name, query in SHELVED.items()}


def library_rows(visitor: Visitor, made: dict[str, Any], queries: list[int], times: int) -> list[Row]:
    found = []
    for (name, address), asked in zip(library(made).items(), queries, strict=True):
        title = f"library, 50 of {JOBS:,}, {name}"
        found.append([f"{title} (ms)", f"{visitor.milliseconds(address, times):.1f}", "<= 40"])
        found.append(["… queries", str(asked), f"<= {QUERIES}"])
    return [*found, ["… its facets, counted (ms)", f"{visitor.milliseconds('/library/facets/', times):.1f}", ""]]


def reader_rows(visitor: Visitor, times: int) -> list[Row]:
    """Somebody who is no administrator and has every other model shared with them."""
    title = f"library, 50 of {JOBS // 2:,} that are shared (ms)"
    return [[title, f"{visitor.milliseconds('/library/', times):.1f}", "<= 40"]]


def tick_rows(visitor: Visitor, made: dict[str, Any], service: int, times: int) -> list[Row]:
    """A page asks for news of a running job of which there is none, within the interval after somebody asked."""
    address = tick_of(visitor.get(f"/jobs/{made['still']}/").body)
    visitor.get(address, live=True)
    before = calls(service)
    answers = [visitor.get(address, live=True) for _ in range(times)]
    asked = calls(service) - before
    longest = max(len(answer.body) for answer in answers)
    taken = 1000 * float(np.median([answer.seconds for answer in answers]))
    return [
        ["asking for news where there is none (ms)", f"{taken:.1f}", "<= 5"],
        ["… bytes of the answer", str(longest), "0"],
        [f"… the service was asked, in {sum(answer.seconds for answer in answers):.2f} s", str(asked), "0"],
    ]


def audience_rows(port: int, made: dict[str, Any], service: int, seconds: float) -> list[Row]:
    """People watch jobs that move."""
    audience = Audience(port, made["sessions"], made["moving"])
    before = calls(service)
    audience.watch(seconds)
    asked = calls(service) - before
    taken = 1000 * np.array([answer.seconds for answer in audience.answers])
    news = sum(1 for answer in audience.answers if answer.body)
    title = f"{PEOPLE} people watch {WATCHED} jobs for {seconds:.0f} s"
    return [
        [f"{title}: asked of the service", str(asked), f"<= {WATCHED * math.ceil(seconds / TICK_SECONDS)}"],
        [f"… a tick, 95 of 100 of {len(taken):,} (ms)", f"{np.percentile(taken, 95):.1f}", "<= 50"],
        ["… the median (ms)", f"{np.median(taken):.1f}", ""],
        ["… ticks that brought news", f"{news:,}", ""],
    ]


def calls(service: int) -> int:
    """How often the service was asked about a job so far."""
    with urlopen(f"http://127.0.0.1:{service}/counted") as answer:
        return int(orjson.loads(answer.read()).get("job", 0))


def store_rows(made: dict[str, Any]) -> list[Row]:
    return [
        [f"storing {LONG:,} snapshots (s)", f"{made['store_seconds']:.2f}", "<= 2"],
        ["… bytes of the database each", f"{made['store_bytes'] / LONG:.1f}", "<= 40"],
    ]


if __name__ == "__main__":
    main()
