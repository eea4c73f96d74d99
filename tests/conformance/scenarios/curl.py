"""curl with the manners of the published tutorials: snake_case, trailing commas, keys in the query, ``alt=sse``."""

import json
import subprocess
from typing import Any

from checks import KEY, PAIRS, URL

BEARER = ["-H", f"Authorization: Bearer {KEY}", "-H", "x-goog-user-project: my-project"]
JSON = ["-H", "Content-Type: application/json"]
EXAMPLES = "".join(f'{{"text_input": "{one}", "output": "{two}",}},' for one, two in PAIRS)


def text(*arguments: str) -> str:
    """What ``curl`` prints, line ends as they came."""
    command = ["curl", "--silent", "--show-error", "--max-time", "60", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def ask(method: str, path: str, *arguments: str, body: str = "") -> Any:
    """The JSON of an answer that is no error."""
    answer = json.loads(text("--request", method, URL + path, *JSON, *arguments, *(["--data", body] if body else [])))
    assert set(answer) != {"error"}, answer
    return answer


def status(method: str, path: str, *arguments: str) -> tuple[int, Any]:
    """HTTP's number, and Google's error."""
    said = text("--request", method, URL + path, *arguments, "--write-out", "\n%{http_code}")
    body, _, code = said.rpartition("\n")
    return int(code), json.loads(body)["error"]


def job(base: str, epochs: int = 2) -> str:
    """A tutorial's body. The commas before the brackets are no mistake of ours."""
    return f"""{{
      "display_name": "next season",
      "base_model": "{base}",
      "tuning_task": {{
        "hyperparameters": {{"batch_size": 2, "learning_rate": 0.001, "epoch_count": {epochs},}},
        "training_data": {{"examples": {{"examples": [{EXAMPLES}]}}}},
      }},
    }}"""
