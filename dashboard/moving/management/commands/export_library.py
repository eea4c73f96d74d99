"""``manage.py export_library FILE``: the whole library in one file."""

from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from dashboard import audit
from dashboard.messages import explain
from dashboard.moving import leaving
from dashboard.moving.command import MovingCommand
from tuning.errors import TuningError


class Command(MovingCommand):
    help = "Writes models, curves, adapters, datasets, teams and people's names to FILE. What is in the bin stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, file: Path, **_options: object) -> None:
        try:
            outcome = leaving.export(file, self.administrator(), self.progress)
        except TuningError as error:
            raise CommandError(explain(error).title) from error
        audit.record(None, "library.exported", None, models=outcome.models, datasets=outcome.datasets)
        self.report(outcome)
