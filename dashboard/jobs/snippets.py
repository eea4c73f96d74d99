"""The same job as code: what to type to do without the dashboard what it does."""

import json
import shlex
from typing import Any

from dashboard.jobs.models import Job

EXAMPLES_SHOWN = 3


def curl(job: Job) -> str:
    """The create request for a shell. ``$TUNEBOARD_KEY`` is an API key."""
    body = json.dumps(_body(job, EXAMPLES_SHOWN), indent=2, ensure_ascii=False)
    return (
        f"curl -X POST {shlex.quote(job.connection.address + '/v1beta/tunedModels')} \\\n"
        f'  -H "x-goog-api-key: $TUNEBOARD_KEY" \\\n'
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def python(job: Job) -> str:
    """The whole flow with requests: create, wait, ask."""
    body = _body(job, 0)
    body["tuning_task"].pop("training_data")
    return PYTHON.format(
        base_url=json.dumps(job.connection.address),
        body=_python_literal(body),
        file=f"v{job.dataset_version.number}.jsonl",
    )


PYTHON = """\
import json, os, time
import requests

base_url = {base_url}
headers = {{"x-goog-api-key": os.environ["TUNEBOARD_KEY"]}}

with open("{file}", encoding="utf-8") as lines:  # the dataset, as downloaded from its page
    examples = [json.loads(line) for line in lines]

job = {body}
job["tuning_task"]["training_data"] = {{"examples": {{"examples": examples}}}}

answer = requests.post(f"{{base_url}}/v1beta/tunedModels", headers=headers, json=job)
answer.raise_for_status()
operation = answer.json()
model = operation["metadata"]["tunedModel"]

while not operation.get("done"):
    time.sleep(2)
    operation = requests.get(f"{{base_url}}/v1/{{operation['name']}}", headers=headers).json()
    print(operation["metadata"].get("completedPercent", 0), "%")

question = {{"contents": [{{"parts": [{{"text": "LXIII"}}]}}]}}
answer = requests.post(f"{{base_url}}/v1beta/{{model}}:generateContent", headers=headers, json=question)
print(answer.json()["candidates"][0]["content"]["parts"][0]["text"])
"""


def _body(job: Job, examples: int) -> dict[str, Any]:
    shown = [
        {"text_input": example.text_input, "output": example.output}
        for example in (job.dataset_version.preview(0, examples) if examples else ())
    ]
    return {
        "display_name": job.display_name,
        "base_model": job.base_model,
        "tuning_task": {
            "hyperparameters": {
                "epoch_count": job.epoch_count,
                "batch_size": job.batch_size,
                "learning_rate": job.learning_rate,
            },
            "training_data": {"examples": {"examples": shown}},
        },
    }


def _python_literal(body: dict[str, Any]) -> str:
    # The body holds texts and numbers only, which JSON and Python spell alike.
    return json.dumps(body, indent=4, ensure_ascii=False)
