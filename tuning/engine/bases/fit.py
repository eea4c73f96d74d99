"""Will it fit? What a base model takes of memory and disk, held against what a machine has, before it is loaded."""

import os
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tuning.engine.bases.shape import PROJECTIONS, Shape

TUNED_TOKENS = 1024
"""Tokens of the step that is reckoned with: four examples of 256."""
RANK = 8
LIBRARIES = 300 << 20
"""Bytes that Python and torch take by themselves."""
ROOM = 0.85
"""The share of the memory that may be planned with: the system and the server's own processes have the rest."""


class Verdict(StrEnum):
    FITS = "fits"
    """Tuning and answering at the same time."""
    TIGHT = "tight"
    """One of them, or both with nothing to spare: short examples and small batches will do."""
    DOES_NOT_FIT = "does_not_fit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What there is, in bytes."""

    memory: int
    disk: int
    """Free, where the base models are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """The verdict, what it was reached from (bytes), and what is short: ``memory``, ``disk``."""

    verdict: Verdict
    parameters: int
    tuning: int
    """Memory while a step is made."""
    answering: int
    """Memory while a question is answered, a full context in its cache."""
    disk: int
    """What preparation still writes."""
    machine: Machine
    short_of: tuple[str, ...] = ()


def fit(shape: Shape, machine: Machine, *, context: int, prepared: bool = False) -> Fit:
    """Hold a base model against a machine. ``context`` are the tokens of prompt and answer together."""
    tuning, answering, disk = tuning_bytes(shape), answering_bytes(shape, context), 0 if prepared else disk_bytes(shape)
    short = [
        name
        for name, lacks in (("memory", max(tuning, answering) > machine.memory), ("disk", disk > machine.disk))
        if lacks
    ]
    if short:
        verdict = Verdict.DOES_NOT_FIT
    else:
        verdict = Verdict.FITS if tuning + answering <= ROOM * machine.memory else Verdict.TIGHT
    return Fit(
        verdict=verdict,
        parameters=shape.parameters,
        tuning=tuning,
        answering=answering,
        disk=disk,
        machine=machine,
        short_of=tuple(short),
    )


def tuning_bytes(shape: Shape) -> int:
    """Weights in bf16, on a processor once for each direction; adapters, their gradients and AdamW's two moments in
    fp32; what a step keeps to go back over. SmolLM2: 1.7 GB, of which a job of such steps was measured to take 1.66.
    """
    adapters = shape.layers * sum(RANK * sum(shape.projection(part)) for part in PROJECTIONS)
    kept = shape.layers * TUNED_TOKENS * (12 * shape.hidden + 4 * shape.inner) * 2
    embeddings = shape.vocabulary * shape.hidden if shape.tied else 0
    return 4 * shape.parameters + 2 * embeddings + 16 * adapters + kept + LIBRARIES


def answering_bytes(shape: Shape, context: int) -> int:
    """Weights in F16, keys and values of ``context`` tokens in F16."""
    cache = 2 * shape.layers * shape.key_heads * shape.head_dim * context * 2
    return 2 * shape.parameters + cache + LIBRARIES // 4


def disk_bytes(shape: Shape) -> int:
    """bf16 safetensors and F16 GGUF."""
    return 4 * shape.parameters + (64 << 20)


def this_machine(folder: Path) -> Machine:
    """This machine, or the part of it that a container may use; the disk that ``folder`` is on."""
    while not folder.exists():
        folder = folder.parent
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(memory=min(physical, _allowed(physical)), disk=shutil.disk_usage(folder).free)


def _allowed(physical: int) -> int:
    """The memory limit of the control group (Linux, version 2)."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return physical
