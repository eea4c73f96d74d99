"""Jobs that are brought into a stage of their lives and stay there for a while: what cancelling has to cope with."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from tests import hollow_models, tiny_llama
from tests.processes import TuningServer, child_running, is_running, wait_until
from tests.tuning.server.bodies import LONG
from tests.tuning.server.jobs import Watched, work_left

HOLLOW = "hollow"
LAYERS = 32
"""Of a base model that takes seconds to prepare."""
MANY = 30_000
"""Examples that take seconds to tokenise, and longer to measure a loss on."""
QUESTIONS = 20


def _always(job: Watched) -> bool:
    return True


def _never(job: Watched) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Stage:
    begin: Callable[[TuningServer, str, str], Watched]
    """A job, given a house, a key and a name."""
    reached: Callable[[Watched], object] = _always
    """Whether it is in the stage, once its process is there."""
    passed: Callable[[Watched], object] = _never
    """Whether it came to the stage's end."""
    process: str = "training"


def process_of(job: Watched, stage: Stage) -> int:
    """The process that works on ``job``, when it has reached ``stage``."""
    (tuner,) = job.house.tuners
    pid = wait_until(lambda: child_running(tuner.pid, stage.process))
    wait_until(lambda: stage.reached(job), every=0.01)
    return pid


def is_gone(job: Watched, process: int) -> bool:
    """Whether ``job`` is cancelled, and nothing is left of it: no process, no file."""
    return job.now()["state"] == "CANCELLED" and not is_running(process) and not left(job)


def left(job: Watched) -> list[Path]:
    """What takes room on the disk."""
    unprepared = models(job.house).glob(".*.part")
    return [*work_left(job.house), *(job.house.var_dir / "adapters" / job.model_id).glob("*"), *unprepared]


def models(house: TuningServer) -> Path:
    return Path(house.environment["MODELS_DIR"])


def _sent(house: TuningServer, key: str, rows: int) -> str:
    """A dataset of so many examples, sent ahead: how it is named."""
    pairs = ({"text_input": f"{row:>150}", "output": f"{row:>50}"} for row in range(rows))
    data = b"".join(orjson.dumps(pair, option=orjson.OPT_APPEND_NEWLINE) for pair in pairs)
    name = sha256(data).hexdigest()
    house.request("PUT", f"/tuneboard/v1/datasets/{name}", key, data=data).raise_for_status()
    return f"sha256:{name}"


def long_job(house: TuningServer, key: str, name: str, rows: int, held: int = 0, **recipe: object) -> Watched:
    """A long job on ``rows`` examples and ``held`` others to judge it by."""
    sent: dict[str, object] = {"dataset": _sent(house, key, rows)}
    if held:
        sent["validation"] = {"dataset": _sent(house, key, held)}
    model = {"baseModel": f"models/{recipe.pop('base', tiny_llama.NAME)}"}
    return Watched(house, key, name, tunedModel=model, recipe={"epochCount": LONG, "batchSize": 1, **recipe}, **sent)


def _preparing(house: TuningServer, key: str, name: str) -> Watched:
    published = hollow_models.publish(house.var_dir / HOLLOW, LAYERS)
    listed = f'[[base_model]]\nname = "{HOLLOW}"\nfolder = "{published}"\n'
    (house.var_dir / "base-models.toml").write_text(listed)
    return Watched(house, key, name, 1, base_model=f"models/{HOLLOW}")


def _plain(house: TuningServer, key: str, name: str) -> Watched:
    return Watched(house, key, name, LONG)


def _tokenising(house: TuningServer, key: str, name: str) -> Watched:
    return long_job(house, key, name, MANY, epochCount=1)


def _validating(house: TuningServer, key: str, name: str) -> Watched:
    return long_job(house, key, name, 1, MANY)


def _sampling(house: TuningServer, key: str, name: str) -> Watched:
    tiny_llama.build(models(house), "endless-llama", endless=True)
    return long_job(house, key, name, 1, QUESTIONS, base="endless-llama", samples=QUESTIONS)


def _saving(house: TuningServer, key: str, name: str) -> Watched:
    """The base model's configuration, which is read when half of the adapter is written, is a pipe nobody fills."""
    config = tiny_llama.build(models(house), f"of-{name}") / "config.json"
    job = Watched(house, key, name, LONG // 10, base_model=f"models/of-{name}")
    job.after(1)
    config.unlink()
    os.mkfifo(config)
    return job


def _written(folder: Path, pattern: str) -> bool:
    """Whether a file like ``pattern`` in ``folder`` has something in it."""
    with suppress(FileNotFoundError):  # removed just now
        return any(path.stat().st_size for path in folder.glob(pattern))
    return False


STAGES = {
    "preparing": Stage(
        begin=_preparing,
        reached=lambda job: _written(models(job.house), f".{HOLLOW}.part/*.safetensors"),
        passed=lambda job: (models(job.house) / HOLLOW / "f16.gguf").exists(),
        process="prepare",
    ),
    "loading": Stage(begin=_plain, passed=lambda job: job.now()["completedSteps"]),
    "tokenising": Stage(
        begin=_tokenising,
        reached=lambda job: _written(job.house.var_dir, "work/*/.examples.part/tokens.i32"),
        passed=lambda job: any(" examples, " in line for line in job.log()),
    ),
    "training": Stage(begin=_plain, reached=lambda job: job.now()["completedSteps"]),
    "validating": Stage(
        begin=_validating,
        reached=lambda job: job.now()["completedSteps"],
        passed=lambda job: job.whole()["validation"],
    ),
    "sampling": Stage(begin=_sampling, reached=lambda job: job.whole()["validation"]),
    "saving": Stage(
        begin=_saving,
        reached=lambda job: _written(job.house.var_dir, f"adapters/{job.model_id}/.*.part/adapter_model.safetensors"),
    ),
}
