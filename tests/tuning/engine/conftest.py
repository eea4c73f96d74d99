"""Prepared base models: the tiny one in a second, SmolLM2 once, in the cache that all runs share."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests import tiny_llama, tiny_models
from tests.tuning.engine.running import NUMBERS, Pair, finished
from tuning.engine import PrepareSpec, Progress, TuneSpec
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry, Folder
from tuning.engine.children import start_preparation
from tuning.engine.prepare import prepare
from tuning.recipes import Recipe

Spec = Callable[..., TuneSpec]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that holds the tiny one."""
    folder = tmp_path_factory.mktemp("models")
    tiny_llama.build(folder)
    return folder


@pytest.fixture(scope="session")
def smollm2_models() -> Path:
    """A folder of models that holds SmolLM2."""
    folder = Path(os.environ["MODELS_DIR"])
    events, code = finished(start_preparation(catalogue.DEFAULT, folder), within=120)
    assert code == 0, events
    return folder


@pytest.fixture
def spec(models: Path, tmp_path: Path) -> Spec:
    """A job on the tiny model: ``spec(pairs, epoch_count=…)``."""
    return maker(models, tiny_llama.NAME, tmp_path)


def maker(models: Path, base: str, folder: Path) -> Spec:
    job = TuneSpec(
        base=base,
        models=models,
        examples=folder / "examples.jsonl",
        adapter=folder / "adapters" / "tuned",
        recipe=Recipe(epoch_count=5, batch_size=4, learning_rate=1e-3),
        work=folder / "work",
    )

    def make(pairs: Sequence[Pair] = NUMBERS, **changes: object) -> TuneSpec:
        """``changes`` are of the spec or of its recipe."""
        rows = (orjson.dumps({"text_input": asked, "output": said}) for asked, said in pairs)
        job.examples.write_bytes(b"\n".join(rows) + b"\n")
        places = {name: changes.pop(name) for name in list(changes) if name in TuneSpec.__slots__}
        return replace(job, recipe=replace(job.recipe, **changes), **places)

    return make


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that holds ``small-llama``, ``small-qwen2`` and ``small-gemma``."""
    folder = tmp_path_factory.mktemp("families")
    for family in tiny_models.FAMILIES:
        prepared(family, folder)
    return folder / "models"


def prepared(family: str, folder: Path, **changes: object) -> Path:
    """A small model published in ``folder``, and made ready in ``folder / "models"`` as an installation would."""
    name = f"small-{family}"
    source = tiny_models.publish(family, folder / "published" / family, **changes)
    entry = BaseModelEntry(name=name, display_name=name, weights=Folder(folder=str(source)), own_template=True)
    catalogue.place(entry, folder / "models")
    *_, last = prepare(PrepareSpec(base=name, models=folder / "models"))
    assert last == Progress(100)
    return folder / "models" / name
