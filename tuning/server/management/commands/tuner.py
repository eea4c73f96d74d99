"""``python -m tuning.server tuner [--after URL]``"""

import signal
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from tuning.server.tuner import Tuner


class Command(BaseCommand):
    help = "Run queued tuning jobs and keep the inference process alive, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--after", metavar="URL", default="", help="start only when URL answers (30 s at most)")

    def handle(self, *, after: str, **options: object) -> None:
        tuner = Tuner()
        signal.signal(signal.SIGTERM, tuner.stop)
        signal.signal(signal.SIGINT, tuner.stop)
        tuner.run(after)
