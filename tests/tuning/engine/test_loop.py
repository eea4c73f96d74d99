"""The training loop on a tiny model: its steps, its losses, and what it leaves behind."""

import hashlib
import math
import socket
from pathlib import Path

import pytest
import torch
from peft import PeftModel

from tests.tuning.engine.conftest import Spec
from tests.tuning.engine.running import NUMBERS
from tuning.engine import TuneSpec, loop
from tuning.engine.batches import IGNORED, Batch, batches
from tuning.errors import EngineError
from tuning.resources import TuningSnapshot


def losses(snapshots: list[TuningSnapshot]) -> list[float]:
    return [snapshot.mean_loss for snapshot in snapshots]


def answers_of(spec: TuneSpec, prompts: list[str]) -> list[str]:
    """What transformers and PEFT, in float32, say with the saved adapter."""
    from tests.tuning.engine.reference import Reference

    reference = Reference(spec.models, spec.base, spec.adapter)
    return [reference.answer(prompt) for prompt in prompts]


def test_steps_and_epochs_run_as_at_the_recorded_service(spec: Spec) -> None:
    snapshots = list(loop.tune(spec(epoch_count=5, batch_size=4)))

    assert [snapshot.step for snapshot in snapshots] == list(range(1, 20))
    assert [snapshot.epoch for snapshot in snapshots] == [step * 4 // 15 for step in range(1, 20)]
    assert all(math.isfinite(loss) for loss in losses(snapshots))
    assert snapshots == sorted(snapshots, key=lambda snapshot: snapshot.compute_time or 0)


@pytest.mark.parametrize(("epochs", "batch", "steps"), [(1, 15, 1), (1, 16, 1), (2, 7, 5), (3, 1, 45)])
def test_total_steps_are_examples_times_epochs_over_batch_rounded_up(
    spec: Spec, epochs: int, batch: int, steps: int
) -> None:
    assert len(list(loop.tune(spec(epoch_count=epochs, batch_size=batch)))) == steps


def test_the_same_job_gives_the_same_losses_bit_for_bit(spec: Spec) -> None:
    job = spec(epoch_count=3)

    first, second = losses(list(loop.tune(job))), losses(list(loop.tune(job)))

    assert first == second


def test_another_seed_gives_other_losses(spec: Spec) -> None:
    assert losses(list(loop.tune(spec(seed=0)))) != losses(list(loop.tune(spec(seed=1))))


def test_the_loss_falls_and_the_examples_are_learnt(spec: Spec) -> None:
    job = spec(NUMBERS[:4], epoch_count=60, learning_rate=5e-3)

    curve = losses(list(loop.tune(job)))

    assert curve[0] > 3
    assert curve[-1] < 0.2
    assert answers_of(job, [asked for asked, _ in NUMBERS[:4]]) == [said for _, said in NUMBERS[:4]]


def test_the_loss_looks_at_outputs_only(spec: Spec) -> None:
    """What stands as the target of a prompt's tokens, or of padding, is no part of the mean."""
    job = spec()
    corpus = loop.corpus_of(job)
    (batch, *_) = batches(corpus, 4, 1, seed=0)
    model = loop.adapted(loop.base_model(job), job)

    expected = mean_over_outputs(model, batch)

    assert loop.output_loss(model, batch).item() == pytest.approx(expected, rel=1e-5)
    # An end of turn is learnt as a part of each output, the opening of the model's turn is not.
    ends = batch.tokens[batch.labels != IGNORED].eq(2).sum().item()
    assert ends == 4


def mean_over_outputs(model: PeftModel, batch: Batch) -> float:
    """The definition, written out: token by token, over whole logits."""
    logits = model(input_ids=batch.tokens, attention_mask=batch.mask).logits.float().log_softmax(-1)
    terms = [
        -logits[row, place - 1, batch.tokens[row, place]].item()
        for row, place in torch.nonzero(batch.labels != IGNORED).tolist()
    ]
    return sum(terms) / len(terms)


def test_padding_does_not_change_the_loss(spec: Spec) -> None:
    job = spec()
    corpus = loop.corpus_of(job)
    model = loop.adapted(loop.base_model(job).float(), job)
    short, long = sorted((corpus[number] for number in range(len(corpus))), key=lambda example: len(example[0]))[::14]

    from tuning.engine.batches import collate

    alone = [loop.output_loss(model, collate([example])).item() for example in (short, long)]
    learnt = [len(tokens) - given for tokens, given in (short, long)]
    together = loop.output_loss(model, collate([short, long])).item()

    weighted = sum(loss * count for loss, count in zip(alone, learnt, strict=True)) / sum(learnt)
    assert together == pytest.approx(weighted, rel=1e-4)


def test_the_base_model_is_not_changed(spec: Spec, models: Path) -> None:
    before = fingerprints(models)

    job = spec()
    base = loop.base_model(job)
    weights = {name: values.clone() for name, values in base.state_dict().items()}
    list(loop.steps(loop.adapted(base, job), loop.corpus_of(job), job))

    after = {name.replace(".base_layer", ""): values for name, values in base.state_dict().items()}
    assert all(torch.equal(values, after[name]) for name, values in weights.items())
    assert fingerprints(models) == before


def fingerprints(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_adapter_folder_is_safetensors_and_gguf_and_nothing_of_this_machine(spec: Spec) -> None:
    job = spec()
    list(loop.tune(job))

    assert {path.name for path in job.adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "adapter.gguf",
    }
    assert str(job.models) not in (job.adapter / "adapter_config.json").read_text()
    assert [path.name for path in job.adapter.parent.iterdir()] == ["tuned"]


def test_a_saved_adapter_gives_the_loss_it_had(spec: Spec) -> None:
    job = spec()
    corpus = loop.corpus_of(job)
    (batch, *_) = batches(corpus, 4, 1, seed=0)
    model = loop.adapted(loop.base_model(job), job)
    list(loop.steps(model, corpus, job))
    model.eval()
    loop.save(model, job)

    loaded = PeftModel.from_pretrained(loop.base_model(job), str(job.adapter))

    assert loop.output_loss(loaded, batch).item() == loop.output_loss(model, batch).item()


def test_tuning_goes_on_where_its_source_ended(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = spec(epoch_count=20, learning_rate=5e-3)
    curve = losses(list(loop.tune(first)))
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))

    second = spec(source=first.adapter, adapter=tmp_path / "adapters" / "further", epoch_count=20, learning_rate=5e-3)
    further = losses(list(loop.tune(second)))

    assert further[0] < curve[0] / 2
    assert further[-1] < curve[-1]
    assert {path.name for path in second.adapter.iterdir()} == {path.name for path in first.adapter.iterdir()}
    assert asked == []


def test_a_source_that_learns_nothing_more_stays_as_it_was(spec: Spec, tmp_path: Path) -> None:
    first = spec(epoch_count=5, learning_rate=5e-3)
    list(loop.tune(first))
    second = spec(source=first.adapter, adapter=tmp_path / "adapters" / "same", learning_rate=0.0)
    list(loop.tune(second))
    for name in ("adapter.gguf", "adapter_model.safetensors"):
        assert (second.adapter / name).read_bytes() == (first.adapter / name).read_bytes()


def test_a_source_without_weights_is_named_as_the_reason(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as ended:
        list(loop.tune(spec(source=tmp_path)))

    assert ended.value.code == "source_missing"


def test_a_tuning_that_diverges_ends_with_that_reason_and_leaves_no_adapter(spec: Spec) -> None:
    job = spec(learning_rate=1e30, epoch_count=20)

    with pytest.raises(EngineError) as ended:
        list(loop.tune(job))

    assert ended.value.code == "diverged"
    assert not job.adapter.exists()


def test_tuning_asks_nothing_of_the_network(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: asked.append(host))

    list(loop.tune(spec(epoch_count=1)))

    assert asked == []


def test_an_unknown_base_model_is_named_as_the_reason(spec: Spec) -> None:
    with pytest.raises(EngineError) as ended:
        list(loop.tune(spec(base="no-such-model")))

    assert ended.value.code == "base_model_missing"


def test_a_job_stopped_half_way_leaves_no_adapter(spec: Spec) -> None:
    job = spec()
    running = loop.tune(job)
    next(running)
    running.close()

    assert not job.adapter.parent.exists()


def test_tuning_again_replaces_the_adapter(spec: Spec) -> None:
    job = spec(epoch_count=1)
    list(loop.tune(job))
    before = (job.adapter / "adapter.gguf").read_bytes()

    list(loop.tune(spec(epoch_count=2)))

    assert (job.adapter / "adapter.gguf").read_bytes() != before
