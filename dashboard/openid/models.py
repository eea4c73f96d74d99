"""Who somebody here is elsewhere."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from dashboard.accounts.models import User
from dashboard.openid.client import is_offered


class OpenIdentityQuerySet(models.QuerySet["OpenIdentity"]):
    def opening(self) -> Self:
        """Those by which one can sign in as things are set."""
        return self.filter(issuer=settings.OPENID_ISSUER.rstrip("/")) if is_offered() else self.none()


class OpenIdentity(models.Model):
    """An account at a provider that lets ``user`` in. The provider's name and its word for the account are what it is
    known by: e-mails change hands.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    email = models.EmailField(max_length=254)
    """As the provider said last; for people to tell several apart."""
    linked = models.DateTimeField(auto_now_add=True)
    used = models.DateTimeField(null=True)

    objects = OpenIdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "open identities"
        ordering: ClassVar = ["linked", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["issuer", "subject"], name="openid_one_each")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_the_last_way_in(self) -> bool:
        """Whether nobody could come in by this account without it."""
        return not self.user.comes_by_password and not self.user.identities.opening().exclude(pk=self.pk).exists()
