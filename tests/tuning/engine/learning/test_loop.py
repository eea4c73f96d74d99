"""The training loop on a tiny model: its steps, its losses, and what it leaves behind."""

import hashlib
import math
import shutil
import socket
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.tuning.engine.conftest import Spec
from tests.tuning.engine.running import NUMBERS
from tuning.engine import Event, Log, Resumed, Sampled, Step, Stopped, TuneSpec, Validated
from tuning.engine.learning import corpus, loop
from tuning.errors import EngineError
from tuning.recipes import Recipe, Schedule
from tuning.resources import TuningSnapshot


def tuned(spec: TuneSpec) -> list[TuningSnapshot]:
    """The snapshots of a job that is run from its beginning."""
    shutil.rmtree(spec.work, ignore_errors=True)
    return snapshots(loop.tune(spec))


def snapshots(events: Iterable[Event]) -> list[TuningSnapshot]:
    return [event.snapshot for event in events if isinstance(event, Step)]


def losses(made: list[TuningSnapshot]) -> list[float]:
    return [snapshot.mean_loss for snapshot in made]


def answers_of(spec: TuneSpec, prompts: list[str]) -> list[str]:
    """What transformers and PEFT, in float32, say with the saved adapter."""
    from tests.tuning.engine.reference import Reference

    reference = Reference(spec.models, spec.base, spec.adapter)
    return [reference.answer(prompt, most=64) for prompt in prompts]


def test_steps_and_epochs_run_as_at_the_recorded_service(spec: Spec) -> None:
    made = tuned(spec(epoch_count=5, batch_size=4))

    assert [snapshot.step for snapshot in made] == list(range(1, 20))
    assert [snapshot.epoch for snapshot in made] == [step * 4 // 15 for step in range(1, 20)]
    assert all(math.isfinite(loss) for loss in losses(made))
    assert made == sorted(made, key=lambda snapshot: snapshot.compute_time or 0)


@pytest.mark.parametrize(("epochs", "batch", "steps"), [(1, 15, 1), (1, 16, 1), (2, 7, 5), (3, 1, 45)])
def test_total_steps_are_examples_times_epochs_over_batch_rounded_up(
    spec: Spec, epochs: int, batch: int, steps: int
) -> None:
    assert len(tuned(spec(epoch_count=epochs, batch_size=batch))) == steps


def test_the_same_job_gives_the_same_losses_bit_for_bit(spec: Spec) -> None:
    job = spec(epoch_count=3)

    first, second = losses(tuned(job)), losses(tuned(job))

    assert first == second


def test_another_seed_gives_other_losses(spec: Spec) -> None:
    assert losses(tuned(spec(seed=0))) != losses(tuned(spec(seed=1)))


def test_the_loss_falls_and_the_examples_are_learnt(spec: Spec) -> None:
    job = spec(NUMBERS[:4], epoch_count=60, learning_rate=5e-3)

    curve = losses(tuned(job))

    assert curve[0] > 3
    assert curve[-1] < 0.2
    assert answers_of(job, [asked for asked, _ in NUMBERS[:4]]) == [said for _, said in NUMBERS[:4]]


def test_the_base_model_is_not_changed(spec: Spec, models: Path) -> None:
    before = fingerprints(models)

    tuned(spec())

    assert fingerprints(models) == before


def fingerprints(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_adapter_folder_is_safetensors_and_gguf_and_nothing_of_this_machine(spec: Spec) -> None:
    job = spec()
    tuned(job)

    assert {path.name for path in job.adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "adapter.gguf",
    }
    assert str(job.models) not in (job.adapter / "adapter_config.json").read_text()
    assert [path.name for path in job.adapter.parent.iterdir()] == ["tuned"]


def test_tuning_goes_on_where_its_source_ended(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = spec(epoch_count=20, learning_rate=5e-3)
    curve = losses(tuned(first))
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))

    second = spec(source=first.adapter, adapter=tmp_path / "adapters" / "further", epoch_count=20, learning_rate=5e-3)
    further = losses(tuned(second))

    assert further[0] < curve[0] / 2
    assert further[-1] < curve[-1]
    assert {path.name for path in second.adapter.iterdir()} == {path.name for path in first.adapter.iterdir()}
    assert asked == []


def test_a_source_that_learns_nothing_more_stays_as_it_was(spec: Spec, tmp_path: Path) -> None:
    first = spec(epoch_count=5, learning_rate=5e-3)
    tuned(first)
    second = spec(source=first.adapter, adapter=tmp_path / "adapters" / "same", learning_rate=0.0)
    tuned(second)
    for name in ("adapter.gguf", "adapter_model.safetensors"):
        assert (second.adapter / name).read_bytes() == (first.adapter / name).read_bytes()


def test_a_source_without_weights_is_named_as_the_reason(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as ended:
        tuned(spec(source=tmp_path))

    assert ended.value.code == "source_missing"


def test_a_tuning_that_diverges_ends_with_that_reason_and_leaves_no_adapter(spec: Spec) -> None:
    job = spec(learning_rate=1e30, epoch_count=20)

    with pytest.raises(EngineError) as ended:
        tuned(job)

    assert ended.value.code == "diverged"
    assert not job.adapter.exists()


def test_tuning_asks_nothing_of_the_network(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))

    tuned(spec(epoch_count=1))

    assert asked == []


def test_an_unknown_base_model_is_named_as_the_reason(spec: Spec) -> None:
    with pytest.raises(EngineError) as ended:
        tuned(spec(base="no-such-model"))

    assert ended.value.code == "base_model_missing"


def test_a_job_stopped_half_way_leaves_no_adapter(spec: Spec) -> None:
    job = spec()
    running = loop.tune(job)
    assert any(isinstance(event, Step) for event in running)
    running.close()

    assert not job.adapter.parent.exists()


def test_tuning_again_replaces_the_adapter(spec: Spec) -> None:
    job = spec(epoch_count=1)
    tuned(job)
    before = (job.adapter / "adapter.gguf").read_bytes()

    tuned(spec(epoch_count=2))

    assert (job.adapter / "adapter.gguf").read_bytes() != before


HELD = {"validation": 0.3, "samples": 2, "epoch_count": 4, "learning_rate": 5e-3}


def test_the_held_out_examples_are_judged_at_each_epochs_end(spec: Spec) -> None:
    events = list(loop.tune(spec(**HELD)))
    judged = [event for event in events if isinstance(event, Validated)]
    answered = [event for event in events if isinstance(event, Sampled)]

    assert [event.epoch for event in judged] == [1, 2, 3, 4]
    assert [(event.step, event.epoch) for event in judged] == [(3, 1), (6, 2), (9, 3), (11, 4)]
    losses_so_far = [min(event.mean_loss for event in judged[: place + 1]) for place in range(4)]
    assert [event.mean_loss for event in judged if event.best] == sorted(set(losses_so_far), reverse=True)
    assert [(event.epoch, event.row) for event in answered] == list(product((1, 2, 3, 4), (1, 2)))
    assert {(event.prompt, event.expected) for event in answered} <= set(NUMBERS)
    assert all(event.answer for event in answered)


def test_a_sample_is_what_the_model_would_answer(spec: Spec) -> None:
    job = spec(NUMBERS[:6], validation=0.3, samples=2, epoch_count=60, learning_rate=5e-3)
    events = [event for event in loop.tune(job) if isinstance(event, Sampled | Validated)]
    best = [event.step for event in events if isinstance(event, Validated) and event.best][-1]
    said = {event.prompt: event.answer for event in events if isinstance(event, Sampled) and event.step == best}

    assert list(said.values()) == answers_of(job, list(said))


def test_the_adapter_kept_is_the_best_one(spec: Spec) -> None:
    """Learning by heart what is learnt makes the held-out examples worse."""
    job = spec(**HELD | {"epoch_count": 40, "samples": 0})
    judged = [event for event in loop.tune(job) if isinstance(event, Validated)]
    best = min(judged, key=lambda event: event.mean_loss)
    assert best is not judged[-1]

    again = replace(job, source=job.adapter, work=job.work / "again", adapter=job.adapter.with_name("again"))
    recipe = replace(job.recipe, learning_rate=1e-30, weight_decay=0.0, epoch_count=1)
    (first, *_) = [event for event in loop.tune(replace(again, recipe=recipe)) if isinstance(event, Validated)]

    assert first.mean_loss == pytest.approx(best.mean_loss, rel=1e-3)


def test_tuning_stops_when_the_held_out_examples_get_no_better(spec: Spec) -> None:
    events = list(loop.tune(spec(**HELD | {"epoch_count": 40, "samples": 0, "patience": 2})))
    judged = [event for event in events if isinstance(event, Validated)]
    (stopped,) = [event for event in events if isinstance(event, Stopped)]

    assert [event.best for event in judged[-3:]] == [True, False, False]
    assert stopped.step == judged[-1].step == snapshots(events)[-1].step
    assert stopped.step < 120


def test_examples_of_their_own_may_be_held_out(spec: Spec, tmp_path: Path) -> None:
    others = tmp_path / "others.jsonl"
    others.write_bytes(b'{"text_input":"five","output":"six"}\n')

    events = list(loop.tune(spec(held_out=others, epoch_count=2, samples=3)))

    assert len(snapshots(events)) == 8
    assert [event.prompt for event in events if isinstance(event, Sampled)] == ["five", "five"]


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.2, "schedule": Schedule.COSINE, "warmup": 0.2}, HELD])
def test_a_job_that_was_interrupted_goes_on_as_if_it_had_not_been(spec: Spec, changes: dict[str, object]) -> None:
    job = spec(**changes, checkpoint_seconds=0)
    whole = [event for event in loop.tune(job) if not isinstance(event, Log)]
    kept = (job.adapter / "adapter.gguf").read_bytes()

    shutil.rmtree(job.work)
    for told in (2, 5, 9):
        interrupted = (event for event in loop.tune(job) if not isinstance(event, Log))
        for _ in range(told):
            next(interrupted)
        interrupted.close()
    rest = [event for event in loop.tune(job) if not isinstance(event, Log)]

    assert isinstance(rest[0], Resumed)
    assert rest[0].step > 0
    assert timeless(rest[1:]) == timeless(whole[1:])
    assert (job.adapter / "adapter.gguf").read_bytes() == kept


def timeless(events: list[Event]) -> list[object]:
    return [
        replace(event.snapshot, compute_time=None)
        if isinstance(event, Step)
        else replace(event, compute_time=None)  # type: ignore[arg-type]
        if isinstance(event, Validated)
        else event
        for event in events
    ]


def test_what_was_stored_is_not_told_again(spec: Spec) -> None:
    job = spec(checkpoint_seconds=0)
    tuned(job)

    rest = list(loop.tune(replace(job, recorded=7)))

    assert [event for event in rest if isinstance(event, Resumed)] == [Resumed(19)]
    assert [snapshot.step for snapshot in snapshots(rest)] == list(range(8, 20))


def test_a_spoilt_checkpoint_is_passed_over(spec: Spec) -> None:
    job = spec(checkpoint_seconds=0)
    whole = losses(tuned(job))
    newest = job.work / "checkpoint-19.safetensors"
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)

    events = list(loop.tune(job))

    assert any(isinstance(event, Log) and event.level == "warning" for event in events)
    assert [event for event in events if isinstance(event, Resumed)] == [Resumed(18)]
    assert losses(snapshots(events)) == whole


def test_without_a_readable_checkpoint_the_job_begins_anew(spec: Spec) -> None:
    job = spec(checkpoint_seconds=0)
    whole = losses(tuned(job))
    for path in job.work.glob("checkpoint-*"):
        path.write_bytes(b"no such thing")

    assert losses(snapshots(loop.tune(job))) == whole


def test_a_checkpoint_that_knows_more_than_the_journal_is_spoilt(spec: Spec) -> None:
    job = spec(checkpoint_seconds=0)
    whole = losses(tuned(job))
    (job.work / "journal.jsonl").write_bytes(b"")

    assert losses(snapshots(loop.tune(job))) == whole


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ({}, [1.0, 1.0, 1.0, 1.0]),
        ({"warmup": 0.5}, [0.5, 1.0, 1.0, 1.0]),
        ({"schedule": Schedule.LINEAR}, [1.0, 0.75, 0.5, 0.25]),
        ({"schedule": Schedule.COSINE, "warmup": 0.5}, [0.5, 1.0, 1.0, 0.5]),
    ],
)
def test_the_learning_rate_follows_its_schedule(changes: dict[str, object], rates: list[float]) -> None:
    recipe = Recipe(epoch_count=1, batch_size=1, learning_rate=1.0, **changes)  # type: ignore[arg-type]

    assert [loop.learning_rate(recipe, step, 4) for step in (1, 2, 3, 4)] == pytest.approx(rates)


def test_dropout_and_clipping_change_what_is_learnt(spec: Spec) -> None:
    plain = losses(tuned(spec()))

    assert losses(tuned(spec(dropout=0.3)))[1:] != plain[1:]
    assert losses(tuned(spec(gradient_norm=1e-3)))[-1] > plain[-1]
    assert losses(tuned(spec(gradient_norm=0.0)))[0] == plain[0]


def test_the_pieces_of_a_batch_count_by_their_labels(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = losses(tuned(spec(batch_size=8)))
    monkeypatch.setitem(corpus.PIECE, "cpu", 40)

    assert losses(tuned(spec(batch_size=8))) == pytest.approx(whole, rel=2e-2)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_adapters_that_the_last_step_spoilt_are_not_kept(spec: Spec, share: float) -> None:
    """Its own loss was fine: it is told before the step is made."""
    job = spec(validation=share, epoch_count=1, batch_size=15, learning_rate=1e39)

    with pytest.raises(EngineError) as ended:
        tuned(job)

    assert ended.value.code == "diverged"
    assert not job.adapter.exists()
