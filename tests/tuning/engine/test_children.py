"""Children seen from their supervisor: what they say, how they end, and that none is left behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests import tiny_llama
from tests.tuning.engine.conftest import Spec
from tests.tuning.engine.running import NUMBERS, finished, until
from tuning.engine import Done, Event, Failed, Log, Progress, Resumed, Step, TuneSpec, Warmed
from tuning.engine.children import Child, start_inference, start_preparation, start_training
from tuning.engine.lines import encode

ROOT = Path(__file__).resolve().parents[3]
FOR_EVER = 100_000
"""Epochs of a job that is to be ended by other means."""


def steps(events: list[Event]) -> list[int]:
    return [event.snapshot.step for event in events if isinstance(event, Step)]


def started(child: Child, at_least: int = 1) -> list[Event]:
    """What the child said until so many steps were made."""
    events: list[Event] = []
    until(lambda: events.extend(child.events(0.1)) or len(steps(events)) >= at_least, within=60)
    return events


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_training_child_tells_its_steps_and_puts_the_adapter_in_place(spec: Spec) -> None:
    job = spec()

    events, code = finished(start_training(job))

    assert code == 0
    assert steps(events) == list(range(1, 20))
    assert [event for event in events if not isinstance(event, Log)][:2] == [Warmed(), Resumed(0)]
    assert events[-1] == Done()
    assert (job.adapter / "adapter.gguf").is_file()


def test_inputs_that_were_cut_are_told_once_and_without_their_text(spec: Spec) -> None:
    events, _ = finished(start_training(spec([("secret " * 100, "a"), ("secret " * 200, "b")])))

    warnings = [event for event in events if isinstance(event, Log) and event.level == "warning"]
    assert len(warnings) == 1
    assert "2 inputs" in warnings[0].text
    assert not any("secret" in event.text for event in events if isinstance(event, Log))


def test_a_job_that_cannot_be_run_says_why(spec: Spec) -> None:
    events, code = finished(start_training(spec([*NUMBERS, ("a", "b" * 100)])))

    assert (events, code) == ([Warmed(), Failed("example_too_long", "row 16")], 1)


def test_a_child_killed_by_a_signal_has_lost_nothing_it_said(spec: Spec) -> None:
    child = start_training(spec(epoch_count=FOR_EVER))
    events = started(child, at_least=3)
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: gone(child.pid))

    assert child.exit_code is None or child.events() == []
    until(lambda: events.extend(child.events()) or child.exit_code is not None)

    assert child.exit_code == -signal.SIGKILL
    assert steps(events) == list(range(1, len(steps(events)) + 1))
    child.stop()


def test_stopping_ends_a_child_at_once_and_leaves_no_adapter(spec: Spec) -> None:
    job = spec(epoch_count=FOR_EVER)
    child = start_training(job)
    started(child)

    child.stop()
    child.stop()

    assert not psutil.pid_exists(child.pid)
    child.events()
    assert child.exit_code not in (None, 0)
    assert not job.adapter.exists()


def test_a_child_that_does_not_listen_is_killed(spec: Spec) -> None:
    child = start_training(spec(epoch_count=FOR_EVER))
    started(child)
    os.kill(child.pid, signal.SIGSTOP)

    child.stop(grace=0.2)

    assert not psutil.pid_exists(child.pid)


SUPERVISOR = """
import sys, time
from pathlib import Path
from tuning.engine import TuneSpec
from tuning.engine.children import start_inference, start_training
from tuning.engine.lines import decode
job = decode(sys.stdin.buffer.readline(), TuneSpec)
children = [start_training(job), start_inference(job.models, job.adapter.parent)]
print(*(child.pid for child in children), flush=True)
while True:
    if any(child.events(0.1) for child in children):
        print("heard", flush=True)
"""


@pytest.mark.parametrize("hears_first", [True, False], ids=["while it works", "while it starts"])
def test_children_end_when_their_supervisor_is_killed(spec: Spec, hears_first: bool) -> None:
    job: TuneSpec = spec(epoch_count=FOR_EVER)
    program = [sys.executable, "-c", SUPERVISOR]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdin
        assert supervisor.stdout
        supervisor.stdin.write(encode(job))
        supervisor.stdin.flush()
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        if hears_first:
            for _ in range(4):
                assert supervisor.stdout.readline() == b"heard\n"
        supervisor.kill()

    assert len(pids) == 2
    until(lambda: all(gone(pid) for pid in pids))


def test_a_child_gets_no_secret_and_no_socket_and_a_session_of_its_own(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    monkeypatch.setenv("TUNING_SECRET", "s3cret")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.set_inheritable(True)
        child = start_inference(models, tmp_path)
        try:
            assert child.events(30)
            process = psutil.Process(child.pid)
            assert "s3cret" not in " ".join(process.environ().values())
            assert ours.getsockname()[1] not in {end.laddr.port for end in process.net_connections("inet")}
            assert os.getsid(child.pid) == child.pid
        finally:
            child.stop()


def test_preparing_what_is_prepared_changes_nothing(models: Path) -> None:
    before = (models / tiny_llama.NAME).stat().st_mtime_ns

    events, code = finished(start_preparation(tiny_llama.NAME, models))

    assert (events, code) == ([Progress(0), Progress(100), Done()], 0)
    assert (models / tiny_llama.NAME).stat().st_mtime_ns == before


def test_preparing_an_unknown_base_model_fails_with_that_reason(models: Path) -> None:
    events, code = finished(start_preparation("no-such-model", models))

    assert (events[-1], code) == (Failed("base_model_missing", "name no-such-model"), 1)
