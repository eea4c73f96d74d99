"""The training loop: low-rank adapters (LoRA) on a frozen base model.

Everything that decides a step is in the spec, in the step's own number (order, learning rate, dropout) or in the last
checkpoint (adapters, optimizer, best so far). So a job that was killed goes on as if nothing had been.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from tuning.engine import Event, Log, Sampled, Step, Stopped, TuneSpec, Validated
from tuning.engine.bases import catalogue
from tuning.engine.learning import adapter_folder
from tuning.engine.learning.adapters import Adapters, Size
from tuning.engine.learning.corpus import Example, order, pieces
from tuning.engine.learning.data import SAMPLE_TOKENS, Data, read
from tuning.engine.learning.decoder import Decoder
from tuning.engine.learning.optimizer import AdamW
from tuning.engine.learning.work import Checkpoint, Keeper, Work
from tuning.errors import EngineError
from tuning.jobs import epoch_at, total_steps
from tuning.recipes import Recipe, Schedule
from tuning.resources import TuningSnapshot


def tune(spec: TuneSpec, base: Decoder | None = None) -> Iterator[Event]:
    """Tune ``spec.base`` on ``spec.examples``; after the last event the adapter's folder is in place.

    Log lines come first, then ``Resumed``, then a ``Step`` each, and at an epoch's end what the held-out examples say.
    The same spec on the same machine with as many threads gives the same losses, bit for bit, however often it is
    interrupted. ``base`` is the base model, if it is loaded already.

    Raises ``EngineError``: ``base_model_missing``, ``source_missing``, ``diverged``, and those of
    :func:`tuning.engine.learning.corpus.tokenise`.
    """
    work = Work(spec.work)
    data = yield from read(spec)
    yield Log("info", f"loading {spec.base}")
    decoder = base or load(spec.base, spec.models)
    training = Training(decoder, begin(decoder, spec), data, spec.recipe)
    keeper = Keeper(work, training, spec.checkpoint_seconds)
    yield from keeper.restore()
    yield from work.told(after=spec.recorded)
    for event in training.run(keeper.keep):
        work.note(event)
        yield event
    adapter_folder.save(training.result(), spec.adapter, spec.base, spec.models, spec.recipe.dropout)


def load(base: str, models: Path) -> Decoder:
    """The base model, on the GPU if there is one. Raises ``EngineError("base_model_missing")``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Decoder(catalogue.prepared(base, models), precision(device), device)


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the machine computes in it; elsewhere it would be several times slower than float32."""
    native = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def begin(decoder: Decoder, spec: TuneSpec) -> Adapters:
    """The adapters to start with: new ones, or the source's. Raises ``EngineError("source_missing")``."""
    recipe = spec.recipe
    size = adapter_folder.size(spec.source) if spec.source else Size(recipe.rank, recipe.alpha)
    adapters = Adapters(decoder.shape, size, decoder.dtype, decoder.device, recipe.dropout)
    if spec.source:
        adapter_folder.load(spec.source, adapters)
    else:
        adapters.draw(recipe.seed)
    return adapters


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate of ``step`` (from 1) of ``steps``: up in the warm-up, then as the schedule says."""
    rising = math.ceil(recipe.warmup * steps)
    if step <= rising:
        return recipe.learning_rate * step / rising
    done = (step - rising - 1) / (steps - rising)
    left = {Schedule.CONSTANT: 1.0, Schedule.LINEAR: 1 - done, Schedule.COSINE: (1 + math.cos(math.pi * done)) / 2}
    return recipe.learning_rate * left[recipe.schedule]


@dataclass(frozen=True, slots=True)
class Best:
    """The adapters at the end of the epoch with the lowest validation loss."""

    step: int
    loss: float
    values: Tensor


class Training:
    """A model being tuned, after ``step`` steps."""

    def __init__(self, decoder: Decoder, adapters: Adapters, data: Data, recipe: Recipe) -> None:
        self._decoder, self._adapters, self._data, self._recipe = decoder, adapters, data, recipe
        self.steps = total_steps(len(data.learnt), recipe.epoch_count, recipe.batch_size)
        self.step = 0
        self._best: Best | None = None
        self._waited = 0
        self._optimizer = AdamW(adapters.values, adapters.gradients, recipe.weight_decay)

    def run(self, keep: Callable[[], Iterator[Event]]) -> Iterator[Event]:
        """Make the steps that are left; between two of them ``keep`` may look. Raises ``EngineError("diverged")``."""
        recipe, learnt = self._recipe, self._data.learnt
        numbers = order(len(learnt), recipe, start=self.step * recipe.batch_size)
        while chosen := list(islice(numbers, recipe.batch_size)):
            loss = self._learn([learnt[number] for number in chosen])
            self.step += 1
            epoch = epoch_at(self.step, recipe.batch_size, len(learnt))
            moment = datetime.now(UTC)
            yield Step(TuningSnapshot(step=self.step, epoch=epoch, mean_loss=loss, compute_time=moment))
            if len(self._data.held) and epoch > epoch_at(self.step - 1, recipe.batch_size, len(learnt)):
                yield self._validate(epoch)
                yield from self._answer(epoch)
                if 0 < recipe.patience <= self._waited and self.step < self.steps:
                    yield Stopped(self.step)
                    return
            yield from keep()

    def result(self) -> Adapters:
        """The adapters as they are best. Raises ``EngineError("diverged")`` where the last step spoilt them."""
        if self._best:
            self._adapters.values.copy_(self._best.values)
        if not self._adapters.values.isfinite().all():
            raise EngineError("diverged")
        return self._adapters

    def checkpoint(self) -> Checkpoint:
        """All that the next step needs."""
        optimizer = self._optimizer
        tensors = {"values": self._adapters.values, "mean": optimizer.mean, "square": optimizer.square}
        facts: dict[str, object] = {"waited": self._waited}
        if self._best:
            tensors["best"] = self._best.values
            facts["best"] = {"step": self._best.step, "loss": self._best.loss}
        return Checkpoint(self.step, tensors, facts)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from ``checkpoint``."""
        tensors, facts = checkpoint.tensors, checkpoint.facts
        values = self._adapters.values
        self.step, self._waited = checkpoint.step, facts["waited"]
        values.copy_(tensors["values"])
        self._adapters.adopt()
        self._optimizer.mean.copy_(tensors["mean"])
        self._optimizer.square.copy_(tensors["square"])
        if best := facts.get("best"):
            self._best = Best(best["step"], best["loss"], tensors["best"].to(values.device))

    def _learn(self, examples: Sequence[Example]) -> float:
        """One step; the mean loss over the outputs' tokens before it, in nats."""
        self._adapters.dropout.begin(self._recipe.seed, self.step)
        loss = self._mean_loss(examples, self._decoder.learn)
        self._adapters.dropout.end()
        if self._recipe.gradient_norm:
            self._optimizer.clip(self._recipe.gradient_norm)
        self._optimizer.step(self.step + 1, learning_rate(self._recipe, self.step + 1, self.steps))
        self._adapters.gradients.zero_()
        self._adapters.adopt()
        return loss

    def _mean_loss(self, examples: Sequence[Example], summed: Callable[..., Tensor]) -> float:
        """In pieces that fit through the model, each weighing what its labels do; ``diverged`` if it is no number."""
        labels = sum(len(example.tokens) - example.given for example in examples)
        batches = pieces(examples, self._decoder.device, self._decoder.dtype)
        mean = sum(summed(batch, self._adapters, 1 / labels).item() for batch in batches)
        if not math.isfinite(mean):
            raise EngineError("diverged")
        return mean

    def _validate(self, epoch: int) -> Validated:
        loss = self._mean_loss(self._data.held, self._decoder.loss)
        best = self._best is None or loss < self._best.loss
        self._waited = 0 if best else self._waited + 1
        if best:
            self._best = Best(self.step, loss, self._adapters.values.clone())
        return Validated(step=self.step, epoch=epoch, mean_loss=loss, compute_time=datetime.now(UTC), best=best)

    def _answer(self, epoch: int) -> Iterator[Sampled]:
        for question in self._data.questions:
            tokens = self._decoder.answer(question.tokens, self._adapters, SAMPLE_TOKENS, question.end)
            yield question.answered(self.step, epoch, tokens)
