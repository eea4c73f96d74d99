"""Scripts' keys: given out once as text, kept as hashes, revoked."""

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

KEY_PREFIX = "tb-"
"""What every key begins with, so that one found in a file is known for what it is."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def find(self, key: str) -> "ApiKey | None":
        """The key a caller presented, unless it is unknown or revoked."""
        return self.filter(digest=digest(key), revoked=None).first()

    def issue(self, name: str, owner: str) -> tuple["ApiKey", str]:
        """A new key of ``owner``, and its text: nobody can learn that again."""
        text = f"{KEY_PREFIX}{secrets.token_urlsafe(32)}"
        key = self.create(name=name, owner=owner.lower(), digest=digest(text), ending=text[-4:])
        key.refresh_from_db()  # created: by the database's clock
        return key, text

    def revoke(self) -> int:
        """Make these keys useless from now on. Returns how many were in use."""
        return self.filter(revoked=None).update(revoked=Now())


class ApiKey(models.Model):
    """A script's key, kept as a hash. Plain SHA-256 will do: a key has 256 random bits, so nobody guesses it."""

    name = models.CharField(max_length=100)
    owner = models.CharField(max_length=254)
    """E-mail address, lower case."""
    digest = models.CharField(max_length=64, unique=True)
    ending = models.CharField(max_length=4, blank=True)
    """The last four characters, by which its owner tells it from others. Empty for keys of old."""
    created = models.DateTimeField(db_default=Now())
    last_used = models.DateTimeField(null=True)
    revoked = models.DateTimeField(null=True)
    window = models.BigIntegerField(default=0)
    """The minute since 1970 in which requests were last counted: :mod:`tuning.server.rates`."""
    drawn = models.IntegerField(default=0)
    """How many requests of that minute's limit have been given out."""

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.owner})"

    def touch(self) -> None:
        """Note that the key was used; once a minute is often enough, and reading stays free of writing."""
        stale = Q(last_used=None) | Q(last_used__lt=Now() - timedelta(minutes=1))
        ApiKey.objects.filter(stale, pk=self.pk).update(last_used=Now())


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
