"""What administrators change about people. One who can sign in is always left."""

from django.db import transaction

from dashboard.accounts.models import User


class LastAdministrator(Exception):
    """There is no other administrator who can sign in."""


@transaction.atomic
def set_administrator(person: User, wanted: bool) -> None:
    """Raises ``LastAdministrator``."""
    if not wanted:
        leave_an_administrator(person)
    person.is_administrator = wanted
    person.save(update_fields=["is_administrator"])


def leave_an_administrator(person: User) -> None:
    """Raise ``LastAdministrator`` unless there is one besides ``person``. To be called in the change's transaction."""
    # All are held, so that two who take each other away wait for one another.
    active = User.objects.select_for_update().filter(is_administrator=True, is_active=True)
    if not [one for one in active if one.pk != person.pk]:
        raise LastAdministrator
