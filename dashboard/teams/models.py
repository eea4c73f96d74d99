"""Teams, who is in them, and the links by which people are invited."""

import hashlib
import secrets
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import EmailAddressField, User

NAME_LENGTH = 60
DOMAIN = "teams.tuneboard"
"""Of the addresses by which services know teams: no mail goes there."""


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> Self:
        """The teams that ``user`` may see: those they are in; administrators see all."""
        return self if user.is_administrator else self.filter(members=user)

    def managed_by(self, user: User) -> Self:
        """Those that ``user`` may change: those they manage; administrators change all."""
        return self if user.is_administrator else self.filter(memberships__person=user, memberships__is_manager=True)


class Team(models.Model):
    """People to whom models are shared as one."""

    name = models.CharField(_("Name"), max_length=NAME_LENGTH, unique=True)
    address = models.EmailField(unique=True, editable=False)
    """The group that it is at tuning services. Made of the name once, and never anew: what was shared with the
    team under this address stays so when it is renamed, and no later team of that name inherits it."""
    created = models.DateTimeField(default=timezone.now, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="teams"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the team; a new one gets its address."""
        self.address = self.address or f"{slugify(self.name) or 'team'}-{secrets.token_hex(4)}@{DOMAIN}"
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_absolute_url(self) -> str:
        return reverse("teams:detail", args=[self.pk])

    def may_be_seen_by(self, user: User) -> bool:
        return user.is_administrator or self.memberships.filter(person=user).exists()

    def may_be_changed_by(self, user: User) -> bool:
        return user.is_administrator or self.memberships.filter(person=user, is_manager=True).exists()


class Membership(models.Model):
    """That a person is in a team, and whether they manage it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    is_manager = models.BooleanField(_("Manager"), default=False)
    """Managers rename the team and say who is in it."""
    joined = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "person"], name="teams_once_in_a_team")]

    def __str__(self) -> str:
        return f"{self.person} in {self.team}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: User) -> Self:
        """Those that ``user`` may see and revoke: to the teams they manage; administrators all."""
        return self if user.is_administrator else self.filter(team__in=Team.objects.managed_by(user))

    def open(self) -> Self:
        """Those that still let somebody in."""
        return self.filter(used=None, expires__gt=timezone.now())

    def of_token(self, token: str) -> "Invitation | None":
        """The open invitation whose link has ``token``."""
        return self.open().select_related("team", "made_by").filter(digest=digest(token)).first()


class Invitation(models.Model):
    """A link that lets one person in, to a team perhaps. Only a digest of its token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    email = EmailAddressField(_("E-mail"), max_length=254, blank=True)
    """Whom it is for; blank: whoever has the link."""
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations")
    makes_administrator = models.BooleanField(default=False)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField()
    used_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    used = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(used_by=None) | Q(used__isnull=False), name="teams_used_when_used_by")
        ]

    def __str__(self) -> str:
        return self.email or gettext("whoever has the link")

    @property
    def is_honoured(self) -> bool:
        """Whether whoever made it may still let in those whom it lets in."""
        maker = self.made_by
        if not maker.is_active or (self.makes_administrator and not maker.is_administrator):
            return False
        return maker.is_administrator or (self.team is not None and self.team.may_be_changed_by(maker))

    def is_for(self, person: User) -> bool:
        """Whether it gives ``person``, who has an account, anything."""
        if self.email and self.email != person.email:
            return False
        joins = self.team is not None and not self.team.members.filter(pk=person.pk).exists()
        return joins or (self.makes_administrator and not person.is_administrator)


def digest(token: str) -> str:
    """What is kept of an invitation's ``token``."""
    return hashlib.sha256(token.encode()).hexdigest()
