"""A base model served in float32, so that nothing but a mistake can tell llama.cpp from transformers."""

from pathlib import Path

import numpy as np

from tuning.engine.bases import catalogue, exports


def float32_models(models: Path, base: str, target: Path) -> Path:
    """A folder of models whose ``base`` has the same weights in a float32 GGUF."""
    source, folder = models / base, target / base
    folder.mkdir(parents=True)
    for name in (catalogue.CONFIG_FILE, catalogue.TOKENIZER_FILE, catalogue.ENTRY_FILE, catalogue.WEIGHTS_FILE):
        (folder / name).symlink_to(source / name)
    exports.write_base(folder, folder / catalogue.GGUF_FILE, np.float32)
    return target
