"""What the server's processes do not load: the api and the tuner stay small."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "peft", "xllamacpp", "gguf", "safetensors", "tokenizers", "dashboard"}

LOADS = {
    "api": "import tuning.server.wsgi; from django.urls import get_resolver; get_resolver().url_patterns",
    "tuner": "import tuning.server.wsgi; import tuning.server.tuner, tuning.server.management.commands.tuner",
}


@pytest.mark.parametrize("process", LOADS)
def test_process_loads_no_machine_learning_library(process: str) -> None:
    code = f"{LOADS[process]}; import sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "django" in loaded
    assert not HEAVY & set(loaded)
