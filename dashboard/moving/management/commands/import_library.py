"""``manage.py import_library FILE``: a library that ``export_library`` wrote, brought in."""

from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from dashboard import audit
from dashboard.messages import explain
from dashboard.moving import archive
from dashboard.moving.arriving import Arrival
from dashboard.moving.command import MovingCommand
from tuning.errors import TuningError


class Command(MovingCommand):
    help = "Checks FILE, then brings in what is in it. What is here already stays: begin anew after an interruption."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, file: Path, **_options: object) -> None:
        try:
            with archive.reading(file) as source:
                outcome = Arrival(source, self.administrator()).bring(self.progress)
        except TuningError as error:
            said = explain(error)
            raise CommandError(f"{said.title}. {said.advice}") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        audit.record(None, "library.imported", None, models=outcome.models, datasets=outcome.datasets)
        self.report(outcome)
