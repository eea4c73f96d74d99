"""What the two commands have in common."""

from django.core.management.base import BaseCommand, CommandError

from dashboard.accounts.models import User
from dashboard.messages import explain
from dashboard.moving.leaving import Outcome


class MovingCommand(BaseCommand):
    def administrator(self) -> User:
        """In whose name services are asked."""
        found = User.objects.filter(is_administrator=True, is_active=True).order_by("pk").first()
        if found is None:
            raise CommandError("There is no administrator yet: sign up first, by the link that “make run” prints.")
        return found

    def progress(self, done: int, total: int) -> None:
        if total and (done == total or done % 50 == 0):
            self.stderr.write(f"{done} of {total} models")

    def report(self, outcome: Outcome) -> None:
        """Raises ``CommandError`` where something is missing."""
        self.stdout.write(f"{outcome.models} models, {outcome.datasets} datasets; {outcome.there} models were there.")
        for name, error in outcome.failed:
            self.stderr.write(f"{name}: {explain(error).title}. {error.detail}".strip())
        if outcome.failed:
            raise CommandError(f"{len(outcome.failed)} models are incomplete or missing.")
