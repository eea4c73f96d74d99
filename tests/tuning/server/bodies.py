"""What tests send: the published tutorial's job, shorter and longer ones."""

from copy import deepcopy
from typing import Any

PAIRS = [("1", "2"), ("3", "4"), ("-3", "-2"), ("twenty two", "twenty three"), ("two hundred", "two hundred one")]
PAIRS += [("ninety nine", "one hundred"), ("8", "9"), ("-98", "-97"), ("1,000", "1,001"), ("10,100,000", "10,100,001")]
PAIRS += [("thirteen", "fourteen"), ("eighty", "eighty one"), ("one", "two"), ("three", "four"), ("seven", "eight")]

TUTORIAL: dict[str, Any] = {
    "display_name": "number generator",
    "base_model": "models/gemini-1.0-pro-001",
    "tuning_task": {
        "hyperparameters": {"batch_size": 4, "learning_rate": 0.001, "epoch_count": 5},
        "training_data": {"examples": {"examples": [{"text_input": one, "output": two} for one, two in PAIRS]}},
    },
}
"""The body of the published tutorial."""


def body(*, epochs: int = 1, **changes: Any) -> dict[str, Any]:
    """A request for a job of 4 · ``epochs`` steps, to be changed as a test likes."""
    asked = deepcopy(TUTORIAL) | changes
    if "tuning_task" not in changes:
        asked["tuning_task"]["hyperparameters"] = {"batch_size": 4, "epoch_count": epochs}
    return asked


LONG = 1000
"""Epochs of a job that is still running when a test wants to stop it."""
