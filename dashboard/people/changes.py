"""What administrators change about people. One administrator who can sign in is always left."""

from collections.abc import Iterable

from django.db import transaction

from dashboard.accounts.models import User
from dashboard.notices.models import Delivery, Webhook
from dashboard.people.models import Farewell
from dashboard.teams.models import Invitation


class LastAdministrator(Exception):
    """There is no other administrator who can sign in."""


class StillLeaving(Exception):
    """What somebody left behind is still being handed over."""


@transaction.atomic
def set_administrator(person: User, wanted: bool) -> None:
    """Raises ``LastAdministrator``."""
    if not wanted:
        _leave_an_administrator(person)
    person.is_administrator = wanted
    person.save(update_fields=["is_administrator"])


@transaction.atomic
def deactivate(person: User, by: User) -> Farewell:
    """Sign ``person`` out, for good until they are active again; their keys are still to be revoked.

    Raises ``LastAdministrator``, and ``StillLeaving`` for who is being seen off.
    """
    if Farewell.objects.unfinished().filter(person=person, heir__isnull=False).exists():
        raise StillLeaving
    _lock_out(person)
    return _begun(person, by)


@transaction.atomic
def activate(person: User) -> None:
    """Let ``person`` sign in again. Raises ``StillLeaving``."""
    if Farewell.objects.unfinished().filter(person=person, heir__isnull=False).exists():
        raise StillLeaving
    Farewell.objects.filter(person=person).delete()
    person.is_active = True
    person.save(update_fields=["is_active"])


@transaction.atomic
def see_off(person: User, by: User, heir: User, removes: Iterable[str] = ()) -> Farewell:
    """Begin to see ``person`` off: they are out at once, what is theirs is still to be handed over or removed.

    Safe to repeat; what was said last counts. Raises ``LastAdministrator``.
    """
    _lock_out(person)
    person.is_administrator = False
    person.save(update_fields=["is_administrator"])
    person.memberships.all().delete()
    person.favourites.clear()
    Webhook.objects.filter(person=person).delete()
    Invitation.objects.open().filter(made_by=person).delete()
    return _begun(person, by, heir=heir, removes=sorted(removes))


def _lock_out(person: User) -> None:
    _leave_an_administrator(person)
    person.is_active = False
    person.session_epoch += 1
    person.save(update_fields=["is_active", "session_epoch"])
    Delivery.objects.filter(person=person).update(next_try=None)


def _begun(person: User, by: User, **plan: object) -> Farewell:
    anew: dict[str, object] = {"by": by, "heir": None, "removes": [], "tried": None, "problem": "", "finished": None}
    farewell, _new = Farewell.objects.update_or_create(person=person, defaults=anew | plan)
    return farewell


def _leave_an_administrator(person: User) -> None:
    """Raise ``LastAdministrator`` unless ``person`` is none, or there is another one."""
    # All are held, so that two who take each other away wait for one another.
    active = list(User.objects.select_for_update().filter(is_administrator=True, is_active=True))
    if active and all(one.pk == person.pk for one in active):
        raise LastAdministrator
