"""How quickly tuned models answer, against llama.cpp's own server on the same base model in the same precision.

    make bench      or alone:  .venv/bin/python benchmarks/generate.py

Makes adapters of rank 8 on all linear layers of SmolLM2 with random weights: they cost what trained ones cost. Asks
llama.cpp's own server for the base model, our inference child for tuned models, and then the tuning server over
its REST API; greedy answers, streamed, the same prompt. The first two take turns. The network is not used.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import orjson
import psutil
import requests
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from api import surroundings, wait_for  # noqa: E402 - both folders are on the path by now
from table import drawn  # noqa: E402

from tuning.engine import AnswerSpec, Ending, Ready  # noqa: E402
from tuning.engine.answering import answers, lanes  # noqa: E402
from tuning.engine.bases import catalogue, exports, shape  # noqa: E402
from tuning.engine.bases.prompts import Prompts  # noqa: E402
from tuning.engine.children import start_inference, start_preparation  # noqa: E402

MODELS = Path(os.environ.get("MODELS_DIR") or ROOT / ".cache" / "models")
BASE = catalogue.DEFAULT
THREADS = os.cpu_count() or 1
LONG = "Tell me a long story about a lighthouse, a fisherman and a storm at sea."
SHORT = "twenty two"
"""A prompt of the tutorial's."""
RANK, AT_ONCE = 8, 8
SEVERAL = (2, 4, 8)


@dataclass(frozen=True)
class Heard:
    """An answer: seconds to its first piece and to its end, and its tokens."""

    first: float
    whole: float
    tokens: int

    @property
    def speed(self) -> float:
        """Tokens a second once the first is there."""
        return (self.tokens - 1) / (self.whole - self.first)


Ask = Callable[[str, int, Path | None], Heard]
"""Prompt, most tokens, adapter."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=3, help="runs to take the medians of")
    arguments.add_argument("--tokens", type=int, default=96, help="most tokens of an answer")
    arguments.add_argument("--markdown", action="store_true", help="print the table for benchmarks/README.md")
    chosen = arguments.parse_args()
    prepare()
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as place:
        adapters = [random_adapter(Path(place) / "adapters" / str(number), number) for number in range(AT_ONCE)]
        with bare() as theirs, child(adapters[0].parent) as ours:
            rows = in_turns(theirs, ours, adapters, chosen.runs, chosen.tokens)
        with api(adapters) as ask:
            rows += over_rest(ask, adapters, chosen.runs, chosen.tokens)
    title = f"Generation: {BASE}, F16, {THREADS} threads"
    print(drawn(title, ["", "measured", "bar"], judged(rows), markdown=chosen.markdown))


Rows = list[tuple[str, float, str]]


def in_turns(theirs: Ask, ours: Ask, adapters: list[Path], runs: int, tokens: int) -> Rows:
    """The inference child against llama.cpp."""
    tuned = adapters[0]
    for ask in (theirs, ours):
        ask(LONG, 8, tuned)
    pairs = [(theirs(LONG, tokens, None), ours(LONG, tokens, tuned)) for _ in range(runs)]
    bare_speed, speed = (median(heard.speed for heard in side) for side in zip(*pairs, strict=True))
    first = median(ours(SHORT, 8, tuned).first for _ in range(2 * runs))
    bare_first = median(theirs(SHORT, 8, None).first for _ in range(2 * runs))
    cold = median(ours(SHORT, 8, copied(tuned, number)).whole for number in range(runs))
    time.sleep(lanes.LATELY)
    alone = median(tokens_a_second(ours, adapters[:1], 1, tokens) for _ in range(runs))
    together = {many: at_once(ours, adapters[:many], runs, tokens) for many in (1, *SEVERAL)}
    rows = [
        ("llama.cpp's server, the base alone (tokens/s)", bare_speed, ""),
        ("a tuned model, asked of the inference child (tokens/s)", speed, ""),
        ("… of llama.cpp's speed", speed / bare_speed, ">= 0.75"),
        ("llama.cpp's server: first token of a short prompt (ms)", 1000 * bare_first, ""),
        ("a tuned model: first token of a short prompt, warm (ms)", 1000 * first, "<= 100"),
        ("first answer of an adapter never loaded before (s)", cold, "<= 1.5"),
        ("one question, its prompt counted (tokens/s)", alone, ""),
        (f"{AT_ONCE} questions at once to one tuned model (tokens/s)", together[1], ""),
        ("… of one question's", together[1] / alone, ">= 1.5"),
    ]
    for many in SEVERAL:
        rows.append((f"{AT_ONCE} questions at once to {many} tuned models (tokens/s)", together[many], ""))
        rows.append(("… of one question's", together[many] / alone, ">= 1.2"))
    return rows


def over_rest(ask: Ask, adapters: list[Path], runs: int, tokens: int) -> Rows:
    """The same over the REST API, for which there is no bar."""
    ask(LONG, 8, adapters[0])
    speed = median(ask(LONG, tokens, adapters[0]).speed for _ in range(runs))
    first = median(ask(SHORT, 8, adapters[0]).first for _ in range(2 * runs))
    return [
        ("a tuned model over the REST API (tokens/s)", speed, ""),
        ("… first token of a short prompt, warm (ms)", 1000 * first, ""),
        (f"… {AT_ONCE} questions at once to one (tokens/s)", at_once(ask, adapters[:1], runs, tokens), ""),
        (f"… {AT_ONCE} questions at once to 4 (tokens/s)", at_once(ask, adapters[:4], runs, tokens), ""),
    ]


def judged(rows: Rows) -> list[list[str]]:
    return [[name, f"{value:.0f}" if value > 10 else f"{value:.2f}", bar] for name, value, bar in rows]


def at_once(ask: Ask, adapters: Sequence[Path], runs: int, tokens: int) -> float:
    """The median throughput of eight questions together; the first time, when adapters are loaded, is left out."""
    return median([tokens_a_second(ask, adapters, AT_ONCE, tokens) for _ in range(runs + 1)][1:])


def tokens_a_second(ask: Ask, adapters: Sequence[Path], questions: int, tokens: int) -> float:
    """Tokens of all answers, from the first question to the end of the last answer."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(questions) as asking:
        turns = [asking.submit(ask, LONG, tokens, adapters[number % len(adapters)]) for number in range(questions)]
    return sum(turn.result().tokens for turn in turns) / (time.perf_counter() - begun)


def prepare() -> None:
    preparing = start_preparation(BASE, MODELS)
    while preparing.exit_code is None:
        preparing.events(1)


def random_adapter(folder: Path, seed: int) -> Path:
    """An adapter in ``folder``, as tuning leaves it. Its weights are too small to change what is said by much."""
    folder.mkdir(parents=True)
    draw, tensors = np.random.default_rng(seed), {}
    for name, size in shape.read(MODELS / BASE).tensors().items():
        module = name.removesuffix(".weight")
        if module.endswith(shape.PROJECTIONS):
            down, up = draw.normal(0, size[1] ** -0.5, (RANK, size[1])), draw.normal(0, 1e-3, (size[0], RANK))
            tensors[f"base_model.model.{module}.lora_A.weight"] = down.astype(np.float32)
            tensors[f"base_model.model.{module}.lora_B.weight"] = up.astype(np.float32)
    save_file(tensors, folder / exports.ADAPTER_WEIGHTS)
    (folder / exports.ADAPTER_CONFIG).write_bytes(orjson.dumps({"r": RANK, "lora_alpha": 16}))
    exports.write_adapter(folder, MODELS / BASE)
    return folder


def copied(adapter: Path, number: int) -> Path:
    """An adapter that nobody asked before."""
    return Path(shutil.copytree(adapter, adapter.with_name(f"cold-{number}")))


@contextmanager
def bare() -> Iterator[Ask]:
    """llama.cpp's own server, over its HTTP."""
    entry = catalogue.entry(BASE, MODELS)
    prompts = Prompts(MODELS / BASE, entry.prompt_format)
    command = ["benchmarks/bare.py", str(MODELS / BASE / catalogue.GGUF_FILE), str(entry.context_tokens), str(THREADS)]
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        address = server.stdout.readline().strip()
        with requests.Session() as session:

            def ask(prompt: str, most: int, _: Path | None) -> Heard:
                body = {"prompt": prompts.prompt(prompt), "n_predict": most, "temperature": 0, "stream": True}
                begun = time.perf_counter()
                lines = session.post(f"{address}/completion", json=body | {"cache_prompt": False}, stream=True)
                return heard(begun, lines, lambda event: event.get("tokens_predicted"))

            yield ask
        server.communicate()


@contextmanager
def child(adapters: Path) -> Iterator[Ask]:
    """Our inference child, asked as the api process asks it."""
    serving = start_inference(MODELS, adapters, threads=THREADS)
    try:
        (ready,) = serving.events(timeout=60)
        assert isinstance(ready, Ready)

        def ask(prompt: str, most: int, adapter: Path | None) -> Heard:
            spec = AnswerSpec(
                base=BASE,
                adapter=adapter,
                prompt=prompt,
                max_output_tokens=most,
                temperature=0.0,
                top_p=1.0,
                top_k=0,
            )
            begun = time.perf_counter()
            stream = answers.stream(ready.address, ready.key, spec)
            next(stream)
            first = time.perf_counter() - begun
            *_, ending = stream
            assert isinstance(ending, Ending)
            return Heard(first, time.perf_counter() - begun, ending.answer_tokens)

        yield ask
        peak = psutil.Process(serving.pid).memory_full_info()
        print(f"inference child: {peak.pss / 1e6:.0f} MB, {peak.uss / 1e6:.0f} MB of them its own", file=sys.stderr)
    finally:
        serving.stop()


@contextmanager
def api(adapters: list[Path]) -> Iterator[Ask]:
    """The tuning server with its tuner, and a tuned model for each of ``adapters``."""
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as var_dir:
        environment = {**surroundings(var_dir), "MODELS_DIR": str(MODELS)}
        names = {adapter: f"model-{number}" for number, adapter in enumerate(adapters)}
        for adapter, name in names.items():
            shutil.copytree(adapter, Path(var_dir) / "adapters" / name / "operation-1")
        fill = [sys.executable, "benchmarks/rows.py", str(len(adapters)), "20", "20"]
        filled = subprocess.run(fill, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        port = int(environment["API_PORT"])
        with running("api", environment), running("tuner", environment), requests.Session() as session:
            session.headers["x-goog-api-key"] = filled.stdout.strip()
            wait_for(("127.0.0.1", port))

            def ask(prompt: str, most: int, adapter: Path | None) -> Heard:
                assert adapter
                url = f"http://127.0.0.1:{port}/v1beta/tunedModels/{names[adapter]}:streamGenerateContent?alt=sse"
                config = {"temperature": 0, "maxOutputTokens": most}
                body = {"contents": [{"parts": [{"text": prompt}]}], "generationConfig": config}
                begun = time.perf_counter()
                lines = session.post(url, json=body, stream=True)
                return heard(begun, lines, lambda event: event.get("usageMetadata", {}).get("candidatesTokenCount"))

            wait_for_answers(ask, adapters[0])
            yield ask


@contextmanager
def running(command: str, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "tuning.server", command], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for_answers(ask: Ask, adapter: Path) -> None:
    """Until the tuner has its inference child, and its memory."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(requests.RequestException):
            ask(SHORT, 8, adapter)
            time.sleep(5)
            return
        time.sleep(0.5)
    raise SystemExit("The tuning server does not answer.")


def heard(begun: float, response: requests.Response, tokens: Callable[[dict], int | None]) -> Heard:
    """Reads server-sent events; ``tokens`` finds their number in one, the last of the answer."""
    response.raise_for_status()
    first, counted = 0.0, 0
    for line in response.iter_lines(chunk_size=1):
        first = first or time.perf_counter() - begun
        if line.startswith(b"data: {"):
            counted = tokens(orjson.loads(line.removeprefix(b"data: "))) or counted
    return Heard(first, time.perf_counter() - begun, counted)


if __name__ == "__main__":
    main()
