"""What goes along with a tuned model that is taken elsewhere: a model card, and a Modelfile for Ollama."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from math import isfinite

from tuning.curves import summary
from tuning.engine.bases.catalogue import BaseModelEntry
from tuning.jobs import Point
from tuning.server import base_models
from tuning.server.models import Job

ROWS = 12
"""Of the curve's table."""
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 48
"""Characters of the drawn curve."""


def card(job: Job) -> str:
    """The model card, in Markdown with the head that model hubs read."""
    entry = base_models.known(job.base)
    title = " ".join((job.display_name or job.model_id).split())
    parts = [_head(job, entry), f"# {title}", job.description.strip()]
    parts += [_told(job, entry), _losses(job), _use(job, entry)]
    return "\n\n".join(part for part in parts if part) + "\n"


def modelfile(job: Job) -> str:
    """How Ollama is to ask the merged GGUF file, which is to lie beside it."""
    entry = base_models.known(job.base)
    form = entry.prompt_format
    system = "{{ if .System }}{{ .System }}\n\n{{ end }}"
    return (
        f"FROM ./{job.model_id}.gguf\n"
        f'TEMPLATE """{form.before}{system}{{{{ .Prompt }}}}{form.after}{{{{ .Response }}}}"""\n'
        f'PARAMETER stop "{form.end}"\n'
        f"PARAMETER temperature {job.temperature}\n"
        f"PARAMETER top_p {job.top_p}\n"
        f"PARAMETER top_k {job.top_k}\n"
        f"PARAMETER num_ctx {entry.context_tokens}\n"
    )


def _head(job: Job, entry: BaseModelEntry) -> str:
    said = {"license": entry.licence.lower(), "base_model": entry.display_name, "library_name": "peft"}
    lines = [f"{name}: {value}" for name, value in said.items() if value]
    return "\n".join(["---", *lines, "pipeline_tag: text-generation", "tags: [lora, gguf, tuneboard]", "---"])


def _told(job: Job, entry: BaseModelEntry) -> str:
    """How it came about: everything that is needed to do it again."""
    recipe = {name.replace("_", " "): value for name, value in asdict(job.recipe).items() if value is not None}
    rows: dict[str, object] = {
        "base model": entry.display_name,
        "licence": entry.licence or "not known",
        "tuned further from": job.source,
        "training data (SHA-256)": f"`{job.training_data}`",
        "examples": job.example_count,
        "held out": job.validation_count,
        "steps": job.completed_steps,
        **recipe,
        "finished": job.finished.date().isoformat() if job.finished else "",
    }
    shown = ((name, value) for name, value in rows.items() if value != "")
    return "## How it was tuned\n\n" + _table(("", ""), shown)


def _losses(job: Job) -> str:
    """First, last, lowest, and the curve between."""
    points = [point for point in job.points() if isfinite(point.value)]
    found = summary(points)
    if found is None:
        return ""
    rows = {"first": found.first, "last": found.last, "lowest": found.best}
    said = [f"{name} {point.value:.4g} (step {point.step})" for name, point in rows.items()]
    if best := job.best():
        said.append(f"best on held-out examples {best.loss:.4g} (step {best.step}), which was kept")
    table = ((point.step, point.epoch, f"{point.value:.4g}") for point in _thinned(points, ROWS))
    return "\n\n".join(
        (
            "## Losses",
            f"Mean loss of a step: {', '.join(said)}.",
            f"`{_drawn(_thinned(points, WIDTH))}`",
            _table(("step", "epochs", "loss"), table),
        )
    )


def _use(job: Job, entry: BaseModelEntry) -> str:
    name = job.model_id
    return f"""## How to use it

PEFT, on the weights of {entry.display_name}:

```python
from peft import PeftModel
model = PeftModel.from_pretrained(base_model, "{name}")
```

llama.cpp, with the base model as GGUF: `llama-cli -m base.gguf --lora adapter.gguf`; or with the merged file alone: \
`llama-cli -m {name}.gguf`. Ollama: `ollama create {name} -f Modelfile`.

A prompt is written as {entry.prompt_format.before!r}, the prompt, {entry.prompt_format.after!r}; an answer ends with \
{entry.prompt_format.end!r}."""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = chain([head, ["---"] * len(head)], rows)
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '&#124;') for cell in line)} |" for line in lines)


def _thinned(points: Sequence[Point], count: int) -> list[Point]:
    """At most ``count`` of them at equal distances, the first and the last included."""
    if len(points) <= count:
        return list(points)
    return [points[number * (len(points) - 1) // (count - 1)] for number in range(count)]


def _drawn(points: Sequence[Point]) -> str:
    """The curve as a line of blocks."""
    lowest, highest = min(point.value for point in points), max(point.value for point in points)
    span = highest - lowest or 1.0
    return "".join(BARS[min(7, int(8 * (point.value - lowest) / span))] for point in points)
