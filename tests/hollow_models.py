"""Base models of any size whose weights are a hole in a file: they take no room until they are prepared."""

import os
from pathlib import Path

import orjson

from tests import tiny_models
from tuning.engine.bases import shape, weights
from tuning.engine.bases.catalogue import CONFIG_FILE, WEIGHTS_FILE

WIDE = {"hidden_size": 1024, "intermediate_size": 4096}
"""About 16 million numbers a layer."""


def publish(folder: Path, layers: int) -> Path:
    """A Llama of so many wide layers, as a hub would have it; every weight is zero."""
    tiny_models.publish("llama", folder)
    config = orjson.loads((folder / CONFIG_FILE).read_bytes()) | WIDE | {"num_hidden_layers": layers}
    (folder / CONFIG_FILE).write_bytes(orjson.dumps(config))
    found = shape.shape(config)
    file = folder / WEIGHTS_FILE
    for _ in weights.write(file, found.tensors(), lambda name: []):  # the header alone
        pass
    os.truncate(file, file.stat().st_size + 2 * found.parameters)
    return folder
