"""Tuneboard's own launcher with ports and a VAR_DIR of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from tests.environment import PERSONAL, ROOT

START = 90
"""Seconds a start may take where two cores are busy with other things."""


class DidNotStart(Exception):
    """Holds what the launcher printed."""


@dataclass
class Product:
    """Tuneboard, running. ``link`` is what its start printed: the welcome link, where nobody had an account."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    link: str = ""
    said: list[str] = field(default_factory=list)
    heard: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        return "/".join(self.link.split("/")[:3])

    def listen(self) -> None:
        """Keep what the processes say, until they end; note the link."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line)
            if ready := re.search(r"Tuneboard is ready:\s+(http\S+)", line):
                self.link = ready[1]
                self.heard.set()
        self.heard.set()

    def plant(self, what: str) -> str:
        """Put into its database what nobody wants to wait for; what :mod:`tests.browser.planted` prints of it."""
        command = [sys.executable, "-m", "tests.browser.planted", what]
        return subprocess.check_output(command, cwd=ROOT, env=self.environment, text=True).strip()

    def manage(self, *arguments: str) -> str:
        """What ``manage.py ARGUMENTS`` prints."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.check_output(command, cwd=ROOT, env=self.environment, text=True).strip()

    def end(self) -> None:
        """As Ctrl-C ends it."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextmanager
def running(var_dir: Path, **settings: str) -> Iterator[Product]:
    """Tuneboard with its data in ``var_dir``; ends it at the end. Raises ``DidNotStart``."""
    kept = {name: value for name, value in os.environ.items() if name not in PERSONAL}
    port, api_port = free_ports(2)
    environment = {
        **kept,
        "ENV_FILE": os.devnull,
        "MODELS_DIR": os.environ.get("MODELS_DIR", str(ROOT / ".cache" / "models")),
        "VAR_DIR": str(var_dir),
        "PORT": str(port),
        "API_PORT": str(api_port),
        **settings,
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.launch"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    product = Product(process, environment)
    Thread(target=product.listen, daemon=True).start()
    try:
        if not product.heard.wait(START) or not product.link:
            raise DidNotStart("".join(product.said))
        yield product
    finally:
        product.end()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on. All are held before the first is let go, so that they differ."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
