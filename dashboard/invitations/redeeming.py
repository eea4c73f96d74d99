"""Links that let somebody in: how they are made, and used once.

Opening the page of a link uses nothing up (mail and chat programs open links to show a preview): only its form's POST
does. What an invitation promises is kept only while whoever made it could promise it anew.
"""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from dashboard.accounts import tasks
from dashboard.accounts.models import User
from dashboard.invitations.forms import InvitationForm
from dashboard.teams.models import Invitation, digest


def issue(form: InvitationForm) -> tuple[Invitation, str]:
    """The invitation that a valid ``form`` describes, and its link, which nobody can look up later. Mailed where it is
    for an address and mail is sent here.
    """
    token = secrets.token_urlsafe(32)
    invitation = form.made(digest(token))
    link = settings.SITE_URL + reverse("invitations:accept", args=[token])
    if invitation.email and settings.EMAIL_URL:
        context = {"invitation": invitation, "link": link}
        subject = " ".join(render_to_string("invitations/mail_subject.txt", context).split())
        tasks.post.enqueue(subject, render_to_string("invitations/mail.txt", context), invitation.email)
    return invitation, link


def find(token: str) -> Invitation | None:
    """The invitation that ``token`` belongs to, while it is good."""
    invitation = Invitation.objects.of_token(token)
    return invitation if invitation and invitation.is_honoured else None


@transaction.atomic
def make_account(invitation: Invitation, make: Callable[[], User]) -> User | None:
    """The new person, as ``make`` makes them; ``None`` when somebody else was quicker to use the link."""
    if not _used_up(invitation):
        return None
    person = make()
    _keep_promises(invitation, person)
    return person


@transaction.atomic
def join(invitation: Invitation, person: User) -> bool:
    """Give ``person``, who has an account, what the invitation promises. False when somebody else was quicker."""
    if not _used_up(invitation):
        return False
    _keep_promises(invitation, person)
    return True


def _used_up(invitation: Invitation) -> bool:
    """Whether the caller is the one who uses it."""
    return Invitation.objects.open().filter(pk=invitation.pk).update(used=timezone.now()) == 1


def _keep_promises(invitation: Invitation, person: User) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(used_by=person)
    if invitation.team:
        invitation.team.memberships.get_or_create(person=person)
    if invitation.makes_administrator:
        person.is_administrator = True
        person.save(update_fields=["is_administrator"])
