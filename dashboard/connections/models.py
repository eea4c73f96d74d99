"""The tuning services people here can use, and the accounts they have there."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.closed import Closed
from dashboard.connections.sealed import SealedField
from tuning.providers import ConnectionSettings, Provider, open_provider

EARLY = timedelta(minutes=5)
"""So long before its end an access token is exchanged for a new one."""
LEASE = timedelta(seconds=30)
"""For so long one process has a refresh for itself; longer than the provider may take to answer."""


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def local(self) -> "Connection":
        """This machine's own tuning server. Its row is made by ``migrate`` and there is always one."""
        return self.get(built_in=True)

    def usable_by(self, user: User) -> Self:
        """The connections ``user`` may start jobs on, this machine first. Administrators may use each."""
        present = self.filter(removed=None)
        usable = present if user.is_administrator else present.filter(_open_to(user.pk))
        return usable.order_by("-built_in", "name")


class Connection(models.Model):
    """A tuning service, how to reach it, who may use it, and how it is proven who asks."""

    class Kind(models.TextChoices):
        LOCAL = "local", _("Tuneboard’s own tuning server")
        GEMINI = "gemini", _("Gemini API")
        VERTEX = "vertex", _("Vertex AI")

    class Proof(models.TextChoices):
        SECRET = "secret", _("A key that all share")
        SERVICE_ACCOUNT = "service_account", _("A service account that all share")
        OWN = "own", _("Each person’s own Google account")

    class Access(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody")
        CHOSEN = "chosen", _("Chosen teams and people")
        ADMINISTRATORS = "administrators", _("Administrators")

    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.LOCAL)
    name = models.CharField(_("Name"), max_length=100, unique=True)
    base_url = models.URLField(_("Address"), blank=True)
    """Empty for the built-in connection, whose address follows the settings, so that a changed port just works; and
    where Google's own is meant."""
    built_in = models.BooleanField(default=False)
    project = models.CharField(_("Project"), max_length=100, blank=True)
    location = models.CharField(_("Location"), max_length=60, blank=True)
    bucket = models.CharField(_("Bucket"), max_length=230, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    removed = models.DateTimeField(null=True)
    """Since when nobody may use it any more, and what hangs on it is being forgotten."""

    access = models.CharField(_("Who may use it"), max_length=20, choices=Access.choices, default=Access.EVERYBODY)
    """Administrators may in any case."""
    teams = models.ManyToManyField("teams.Team", blank=True, related_name="connections", verbose_name=_("Teams"))
    people = models.ManyToManyField(User, blank=True, related_name="connections", verbose_name=_("People"))

    proof = models.CharField(_("Who asks there"), max_length=20, choices=Proof.choices, default=Proof.SECRET)
    secret = SealedField()
    """Local: what the other server's assertions are signed with. Gemini: an API key."""
    service_account = SealedField()
    """A JSON key, as :mod:`dashboard.connections.service_accounts` keeps it."""
    oauth_client = SealedField()
    """``client_secret.json`` of Google's console; empty: the one that people sign in by."""

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["built_in"], condition=models.Q(built_in=True), name="connections_one_built_in"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("connections:detail", args=[self.pk])

    @property
    def address(self) -> str:
        return settings.TUNING_SERVER_URL if self.built_in else self.base_url

    @property
    def is_google(self) -> bool:
        """Whether it speaks as Google does, with Google's accounts."""
        return self.kind in {self.Kind.GEMINI, self.Kind.VERTEX}

    @property
    def wants_account(self) -> bool:
        """Whether each person asks there in the name of an account of their own."""
        return self.proof == self.Proof.OWN

    @property
    def knows_people(self) -> bool:
        """Whether its service is told who of us asks, and judges by that. Else all ask in one name, which may do
        everything with what anybody has there: then only the dashboard can tell one's own from others'.
        """
        return self.kind == self.Kind.LOCAL or self.wants_account

    def may_be_used_by(self, user: User) -> bool:
        if self.removed:
            return False
        if self.access == self.Access.EVERYBODY or user.is_administrator:
            return True
        return Connection.objects.usable_by(user).filter(pk=self.pk).exists()

    def account_of(self, user: User) -> "Account | None":
        return self.accounts.filter(person=user).first()

    def open_for(self, user: User) -> Provider:
        """The service, asked on behalf of ``user``; one that refuses everything where they may not use it."""
        return self.service_for(user) if self.may_be_used_by(user) else Closed()

    def service_for(self, user: User) -> Provider:
        """The service in the name of ``user``, whoever may use it now: to settle what they still have there."""
        return open_provider(self.kind, self.settings_for(user), user.identity())

    def settings_for(self, user: User) -> ConnectionSettings:
        """Where it is, and what proves that ``user`` asks."""
        from dashboard.connections import tokens  # noqa: PLC0415 - tokens are of these models

        # Another server could hand an assertion on: only our own is asked with what our own is signed with.
        secret = settings.TUNING_SECRET if self.built_in else self.secret
        return ConnectionSettings(
            base_url=self.address,
            secret=secret if self.proof == self.Proof.SECRET else "",
            token=tokens.source(self, user),
            project=self.project,
            location=self.location,
            bucket=self.bucket,
            base_models=tuple(settings.VERTEX_BASE_MODELS),
        )


class AccountQuerySet(models.QuerySet["Account"]):
    def connected(self) -> Self:
        return self.filter(state=Account.State.CONNECTED)

    def claim(self, account: "Account", until: datetime) -> bool:
        """Whether the caller is the one who exchanges the access token that ``account`` had when it was read."""
        now = timezone.now()
        free = Q(refreshing=None) | Q(refreshing__lt=now)
        mine = self.connected().filter(free, pk=account.pk, expires=account.expires)
        return mine.update(refreshing=until) == 1


class Account(models.Model):
    """A person's account at a service: what they allowed us there, for as long as they do."""

    class State(models.TextChoices):
        CONNECTED = "connected", _("Connected")
        RECONNECT = "reconnect", _("To be connected anew")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="accounts")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="service_accounts")
    state = models.CharField(max_length=20, choices=State.choices, default=State.CONNECTED)
    subject = models.CharField(max_length=255)
    """Who it is to the service, unchanging."""
    email = models.CharField(max_length=254, blank=True)
    scopes = models.JSONField(default=list)
    access_token = SealedField()
    refresh_token = SealedField()
    expires = models.DateTimeField()
    """When the access token does."""
    refreshing = models.DateTimeField(null=True)
    """Until when somebody has its exchange for themselves."""
    since = models.DateTimeField(default=timezone.now)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "person"], name="connections_one_account_each")
        ]

    def __str__(self) -> str:
        return f"{self.email} on {self.connection}"

    @property
    def is_connected(self) -> bool:
        return self.state == self.State.CONNECTED


def askable() -> Q:
    """Of rows with a ``connection`` and an ``owner``: those whose service can be asked in the owner's name, who may use
    it and has the account there that it takes.
    """
    here = {"connection": OuterRef("connection")}
    among = Connection.people.through.objects.filter(user=OuterRef("owner"), **here)
    teams = Connection.teams.through.objects.filter(team__members=OuterRef("owner"), **here)
    chosen = Q(connection__access=Connection.Access.CHOSEN) & (Exists(among) | Exists(teams))
    everybody = Q(connection__access=Connection.Access.EVERYBODY)
    allowed = everybody | chosen | Q(owner__is_administrator=True)
    account = Q(Exists(Account.objects.connected().filter(person=OuterRef("owner"), **here)))
    return Q(connection__removed=None) & allowed & (account | ~Q(connection__proof=Connection.Proof.OWN))


def _open_to(person: int) -> Q:
    """The connections that the person of this key may use without being an administrator."""
    everybody, chosen = Connection.Access.EVERYBODY, Connection.Access.CHOSEN
    among = Connection.people.through.objects.filter(connection=OuterRef("pk"), user=person)
    teams = Connection.teams.through.objects.filter(connection=OuterRef("pk"), team__members=person)
    return Q(access=everybody) | (Q(access=chosen) & (Exists(among) | Exists(teams)))
