"""The training loop: low-rank adapters (LoRA) on a frozen base model."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, PreTrainedModel

from tuning.engine import TuneSpec, catalogue, exports
from tuning.engine.batches import IGNORED, Batch, Corpus, batches, tokenise
from tuning.engine.prompts import Prompts
from tuning.engine.staging import locked, staged
from tuning.errors import EngineError
from tuning.jobs import epoch_at
from tuning.resources import TuningSnapshot

Loss = Callable[[PeftModel, Batch], Tensor]

LONGEST_GRADIENT = 1.0
"""Gradients are scaled down to this norm: one odd batch must not throw the adapter out of its valley."""


CORES = torch.get_num_threads()
"""The cores torch would use (all, or ``OMP_NUM_THREADS``)."""

SMALL_BATCH = 1024
"""Tokens a batch, below which a step runs on one core. Its thousands of small products gain little from more (13 s
become 8 for the tutorial's job on two idle cores) and wait for the slowest core at each: beside a busy browser 31 s
became 190. It depends on the job alone, so that the same job adds up its numbers in the same order.
"""


def tune(spec: TuneSpec, corpus: Corpus | None = None) -> Iterator[TuningSnapshot]:
    """Tune ``spec.base`` on ``spec.examples``, one snapshot a step; after the last the adapter's folder is in place.

    The folder holds the adapter as PEFT writes it and as llama.cpp reads it. The same spec on the same machine gives
    the same losses, bit for bit. ``corpus`` are the examples already tokenised by :func:`corpus_of`.

    Raises ``EngineError``: ``base_model_missing``, ``source_missing``, ``diverged``, and those of
    :func:`tuning.engine.batches.tokenise`.
    """
    corpus = corpus_of(spec) if corpus is None else corpus
    torch.set_num_threads(cores(corpus, spec))
    model = adapted(base_model(spec), spec)
    for step, loss in enumerate(steps(model, corpus, spec), start=1):
        epoch = epoch_at(step, spec.recipe.batch_size, len(corpus))
        yield TuningSnapshot(step=step, epoch=epoch, mean_loss=loss, compute_time=datetime.now(UTC))
    save(model, spec)


def corpus_of(spec: TuneSpec) -> Corpus:
    """The job's examples as tokens of its base model."""
    entry = catalogue.entry(spec.base, spec.models)
    return tokenise(spec.examples, Prompts(_prepared(spec), entry.prompt_format), entry)


def cores(corpus: Corpus, spec: TuneSpec) -> int:
    """On how many cores this job runs."""
    return CORES if len(corpus.tokens) * spec.recipe.batch_size >= SMALL_BATCH * len(corpus) else 1


def base_model(spec: TuneSpec) -> PreTrainedModel:
    """The base model in bfloat16, on the GPU if there is one."""
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        _prepared(spec), dtype=torch.bfloat16, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.to(device)  # type: ignore[arg-type, no-any-return]  # its wrapper loses the signature


def adapted(base: PreTrainedModel, spec: TuneSpec) -> PeftModel:
    """``base``, frozen, with adapters in float32 on all its linear layers: new ones, or the source's. Seeds torch.

    Raises ``EngineError("source_missing")``.
    """
    torch.manual_seed(spec.recipe.seed)
    if spec.source:
        return _continued(base, spec.source)
    lora = LoraConfig(
        r=spec.recipe.rank, lora_alpha=spec.recipe.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(base, lora)


def _continued(base: PreTrainedModel, source: Path) -> PeftModel:
    # Looked for here, because PEFT would ask the hub for what is not there.
    if not all((source / name).is_file() for name in (exports.ADAPTER_CONFIG, exports.ADAPTER_WEIGHTS)):
        raise EngineError("source_missing")
    return PeftModel.from_pretrained(base, str(source), is_trainable=True)


def steps(model: PeftModel, corpus: Corpus, spec: TuneSpec, loss: Loss | None = None) -> Iterator[float]:
    """Train; yields the mean loss of each step's batch before its update. Raises ``EngineError("diverged")``."""
    mean_loss = loss or output_loss
    learnt = [weights for weights in model.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=spec.recipe.learning_rate)
    model.train()
    for batch in batches(corpus, spec.recipe.batch_size, spec.recipe.epoch_count, spec.recipe.seed):
        value = mean_loss(model, batch.to(model.device))
        if not math.isfinite(value.item()):
            raise EngineError("diverged")
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learnt, LONGEST_GRADIENT)
        optimizer.step()
        yield value.item()


def output_loss(model: PeftModel, batch: Batch) -> Tensor:
    """The mean cross-entropy over the tokens of the outputs, in nats.

    Logits are made where there are labels only: over SmolLM2's 49,152 tokens they are the dearest part.
    """
    causal: Any = model.get_base_model()
    hidden = causal.model(input_ids=batch.tokens, attention_mask=batch.mask).last_hidden_state
    following = batch.labels[:, 1:]
    labelled = following != IGNORED
    logits = causal.lm_head(hidden[:, :-1][labelled])
    return cross_entropy(logits.float(), following[labelled])


def save(model: PeftModel, spec: TuneSpec) -> None:
    """Put the adapter's folder in place: safetensors, and GGUF for llama.cpp."""
    model.peft_config["default"].base_model_name_or_path = f"models/{spec.base}"  # a name, no path of this machine
    with locked(spec.adapter.parent), staged(spec.adapter) as folder:
        # The vocabulary is as it was; PEFT would ask the hub whether that is so.
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's model card is an empty form
        exports.write_adapter(folder, _prepared(spec))


def _prepared(spec: TuneSpec) -> Path:
    if not catalogue.is_prepared(spec.base, spec.models):
        raise EngineError("base_model_missing", name=spec.base)
    return spec.models / spec.base
