"""The tuning services people here can use."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from tuning.providers import ConnectionSettings, Provider, open_provider


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def local(self) -> "Connection":
        """This machine's own tuning server. Its row is made by ``migrate`` and there is always one."""
        return self.get(built_in=True)

    def usable_by(self, user: User) -> Self:
        """The connections ``user`` may start jobs on, this machine first. For now everybody may use each."""
        return self.order_by("-built_in", "name")


class Connection(models.Model):
    """A tuning service and how to reach it."""

    class Kind(models.TextChoices):
        LOCAL = "local", _("Tuneboard's own tuning server")

    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.LOCAL)
    name = models.CharField(_("Name"), max_length=100, unique=True)
    base_url = models.URLField(blank=True)
    """Empty for the built-in connection, whose address follows the settings, so that a changed port just works."""
    built_in = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["built_in"], condition=models.Q(built_in=True), name="connections_one_built_in"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return self.base_url or settings.TUNING_SERVER_URL

    def open_for(self, user: User) -> Provider:
        """The service, asked on behalf of ``user``."""
        secret = settings.TUNING_SECRET if self.kind == self.Kind.LOCAL else ""
        return open_provider(self.kind, ConnectionSettings(base_url=self.address, secret=secret), user.identity())
