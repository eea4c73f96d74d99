"""What ARCHITECTURE.md promises about who knows whom, shown in fresh interpreters."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "transformers", "peft", "safetensors", "gguf", "xllamacpp", "llama_cpp"}
SETTINGS_FILES = ("dashboard/settings.py", "tuning/server/settings.py")

# Django imports a room's views when it resolves its first address, and a command's tasks when it starts.
WEB = "import dashboard.wsgi; from django.urls import get_resolver; get_resolver().reverse_dict"
WORKER = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'dashboard.settings'; import django; django.setup();"
    "from huey.contrib.djhuey.management.commands import run_huey;"
    "from django.utils.module_loading import autodiscover_modules; autodiscover_modules('tasks')"
)
LAUNCHER = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'dashboard.settings'; import django; django.setup();"
    "import dashboard.launch.__main__; from dashboard.accounts import welcome"
)


def modules_after(code: str) -> set[str]:
    """What a fresh interpreter has in memory once it has run ``code``."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    report = f"{code}; import sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", report], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("code", [WEB, WORKER, LAUNCHER], ids=["web", "worker", "launcher"])
def test_dashboard_process_has_no_model_library_in_memory(code: str) -> None:
    loaded = modules_after(code)
    assert "dashboard.accounts.models" in loaded
    assert not loaded & HEAVY


def test_dashboard_knows_neither_the_server_nor_the_engine() -> None:
    loaded = modules_after(WEB)
    assert "dashboard.jobs.views" in loaded
    assert not {name for name in loaded if name.startswith(("tuning.server", "tuning.engine"))}


def test_every_setting_is_in_the_example() -> None:
    read = {
        name
        for path in SETTINGS_FILES
        for name in re.findall(r"""env\.\w+\(\s*"([A-Z_]+)\"""", (ROOT / path).read_text())
    }
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read, "no setting was found: has the way of reading them changed?"
    assert shown == read


def test_nothing_in_the_example_is_set_by_copying_it() -> None:
    assert not re.findall(r"^[^#\n]", (ROOT / ".env.example").read_text(), re.MULTILINE)
