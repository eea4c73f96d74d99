"""``python -m tuning.server apikey create NAME --owner EMAIL | list | revoke ID``"""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from tuning.server.keys import ApiKey


class Command(BaseCommand):
    help = "Make, list and revoke the keys by which scripts use the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a key and print it, this once")
        create.add_argument("name", help="what the key is for")
        create.add_argument("--owner", required=True, metavar="EMAIL", help="whose jobs the key sees")
        verbs.add_parser("list", help="show all keys, without their secrets")
        revoke = verbs.add_parser("revoke", help="make a key useless")
        revoke.add_argument("id", type=int, help="as list shows it")

    def handle(self, *, verb: str, **options: Any) -> None:
        match verb:
            case "create":
                self._create(options["name"], options["owner"])
            case "list":
                self._list()
            case "revoke":
                self._revoke(options["id"])

    def _create(self, name: str, owner: str) -> None:
        try:
            validate_email(owner)
        except ValidationError as exc:
            raise CommandError(f"{owner} is no e-mail address.") from exc
        _, text = ApiKey.objects.issue(name[:100], owner)
        self.stdout.write(text)

    def _list(self) -> None:
        for key in ApiKey.objects.order_by("pk"):
            used = f"last used {key.last_used:%Y-%m-%d}" if key.last_used else "never used"
            state = "revoked" if key.revoked else used
            self.stdout.write(f"{key.pk}\t{key.name}\t{key.owner}\t…{key.ending}\t{key.created:%Y-%m-%d}\t{state}")

    def _revoke(self, number: int) -> None:
        if not ApiKey.objects.filter(pk=number).revoke():
            raise CommandError(f"There is no key {number} in use.")
