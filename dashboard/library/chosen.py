"""How a person likes the library."""

from django.db import models

from dashboard.accounts.models import User


class LibrarySettings(models.Model):
    """What a person has chosen for the library."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    as_table = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"library of {self.user}"

    @classmethod
    def shows_table(cls, user: User) -> bool:
        """Whether ``user`` looks at a table; who has chosen nothing sees cards."""
        return cls.objects.filter(user=user, as_table=True).exists()
