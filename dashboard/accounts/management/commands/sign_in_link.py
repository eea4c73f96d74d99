"""``manage.py sign_in_link E-MAIL``: a link that lets its person in, once."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard import audit
from dashboard.accounts import ways_in
from dashboard.accounts.models import User


class Command(BaseCommand):
    help = "Prints a link that lets a person in once, within an hour; for those whom their provider does not let in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose account it is")

    def handle(self, email: str, **_options: object) -> None:
        person = User.objects.filter(email=email, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active account of {email}.")
        audit.record(None, "person.way_in_made", person)
        self.stdout.write(ways_in.issue(person))
