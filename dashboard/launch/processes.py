"""The Procfile's processes, run together by honcho, with little said."""

import http.client
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer

STOPPED_BY_PERSON = {130, 143}
"""honcho's return codes after SIGINT and SIGTERM."""
SERVER_PROCESSES = {"api", "tuner"}


def has_own_server() -> bool:
    """Whether the tuning server is this machine's own, rather than one that runs elsewhere."""
    address = urlsplit(settings.TUNING_SERVER_URL)
    return address.hostname in {"127.0.0.1", "localhost"} and address.port == settings.API_PORT


def run(link: str) -> int:
    """Run the processes until one ends or a signal comes; then end them all. Returns the exit status."""
    together = Together(link)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))  # the terminal was closed
    for name, command in _commands().items():
        together.add_process(name, f"exec {command}", env=_environment(), cwd=str(settings.ROOT))
    together.loop()
    return 0 if together.returncode in STOPPED_BY_PERSON else 1


def _commands() -> dict[str, str]:
    listed = parse_procfile((Path(settings.ROOT) / "Procfile").read_text()).processes
    own = has_own_server()
    return {name: command for name, command in listed.items() if own or name not in SERVER_PROCESSES}


def _environment() -> dict[str, str]:
    """This environment, with this interpreter's programs first and the ports the Procfile asks for."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ports = {"PORT": str(settings.PORT), "API_PORT": str(settings.API_PORT)}
    environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", **ports}
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # the two programs differ in it
    return environment


class Together(Manager):  # type: ignore[misc]  # honcho is untyped
    """honcho, quieter: the processes' own lines, the link once it can be opened, and why everything ended."""

    def __init__(self, link: str) -> None:
        super().__init__(printer=Quiet())
        self.link = link

    def _start(self) -> None:
        super()._start()
        Thread(target=self._announce, daemon=True).start()

    def _announce(self) -> None:
        """Print the link as soon as the web process answers."""
        while not answers(settings.PORT):
            time.sleep(0.05)
        say(f"\n  Tuneboard is ready:  {self.link}\n")

    def terminate(self) -> None:
        """Begin to end all, and say why when nobody asked for it."""
        if not self._all_started():
            # honcho would forget those that are just being started.
            again = Timer(0.1, self.terminate)
            again.daemon = True
            again.start()
            return
        if not self._terminating and self.returncode not in STOPPED_BY_PERSON:
            ended = [name for name, process in self._processes.items() if "returncode" in process]
            say(f"The process {' and '.join(ended)} ended unexpectedly, so all of Tuneboard ends. See above for why.")
        super().terminate()


class Quiet(Printer):  # type: ignore[misc]
    """Lines of the processes, each with its name; none of honcho's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(sys.stdout, **options)

    def write(self, message: Message) -> None:
        if message.name == "system":
            return
        line = message.data if isinstance(message.data, str) else message.data.decode("utf-8", "replace")
        say(f"{message.name:<7} {line.rstrip()}")


def say(line: str) -> None:
    """Print, unless the terminal has gone."""
    with suppress(OSError):
        print(line, flush=True)


def answers(port: int) -> bool:
    """Whether somebody speaks HTTP on ``port``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return bool(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
