"""People, the link that lets the first of them in, and failed tries to sign in."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tuning.assertions import Identity, same_in_any_spelling


class EmailAddressField(models.EmailField[str, str]):
    """An e-mail address that is the same in any letter case: kept, and looked for, in lower case."""

    def to_python(self, value: Any) -> Any:
        return same_in_any_spelling(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        email = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, email)
        return email


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person; without a password they cannot sign in by one."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """An administrator: the word ``manage.py createsuperuser`` has for it."""
        return self.create_user(email, password, is_administrator=True, **fields)


class User(AbstractBaseUser):
    """A person, known by e-mail."""

    email = EmailAddressField(_("E-mail"), unique=True, max_length=254)
    name = models.CharField(_("Name"), max_length=100, blank=True)
    is_administrator = models.BooleanField(_("Administrator"), default=False)
    is_active = models.BooleanField(_("Active"), default=True)
    session_epoch = models.PositiveIntegerField(default=0)
    """Part of what a session is checked against: raising it ends every session of this person."""
    created = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.email

    def identity(self) -> Identity:
        """Who this person is to a tuning service."""
        teams = tuple(team.address for team in self.teams.all())
        return Identity(email=self.email, teams=teams, administrator=self.is_administrator)

    @property
    def may_invite(self) -> bool:
        """Whether they may make links that let people in: administrators, and managers for their teams."""
        return self.is_administrator or self.memberships.filter(is_manager=True).exists()

    @property
    def comes_by_password(self) -> bool:
        """Whether they can sign in by a password."""
        return settings.LOCAL_ACCOUNTS and self.has_usable_password()

    def end_sessions(self) -> None:
        """Sign out everywhere, here included."""
        self.session_epoch += 1
        self.save(update_fields=["session_epoch"])

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        # Django asks this for the current secret key and for each fallback.
        state = f"{self.password}:{self.session_epoch}"
        return salted_hmac("dashboard.accounts.session", state, secret=secret, algorithm="sha256").hexdigest()


class WelcomeLink(models.Model):
    """The one link that makes the first person. Only a digest of its token is kept."""

    digest = models.CharField(max_length=64)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"until {self.expires:%Y-%m-%d %H:%M}"


class SignInTry(models.Model):
    """A try to sign in that has not succeeded. A digest stands for the e-mail: people type passwords there."""

    email_digest = models.CharField(max_length=64, db_index=True)
    address = models.GenericIPAddressField(db_index=True)
    time = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"from {self.address} at {self.time:%Y-%m-%d %H:%M:%S}"
