"""Tuned models as the dashboard keeps them, and who may do what with each.

Where a service keeps permissions, the grants here are a mirror of them (:mod:`dashboard.sharing`): they serve lists
and pages, while the service judges each action. Where it keeps none, they are the truth.
"""

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import EmailAddressField, User
from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.library.chosen import LibrarySettings
from dashboard.teams.models import Team
from tuning.providers import Role

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

__all__ = ["Grant", "LibrarySettings", "Role", "TunedModel"]


class GrantQuerySet(models.QuerySet["Grant"]):
    def giving(self, user: User, role: Role = Role.READER) -> Self:
        """What gives ``user`` that role or more: theirs, their teams', and everyone's."""
        named = Q(person=user) | Q(address=user.email, is_group=False) | Q(everyone=True)
        return self.filter(named | Q(team__in=user.teams.order_by().values("pk")), role__gte=role)


class TunedModelQuerySet(models.QuerySet["TunedModel"]):
    def present(self) -> Self:
        """Those that nobody has removed."""
        return self.filter(removed=None)

    def visible_to(self, user: User) -> Self:
        """The models that ``user`` may see: their own, and those shared with them; administrators see all."""
        return self.with_role(user, Role.READER)

    def in_bin_of(self, user: User) -> Self:
        """Those in the bin that ``user`` may bring back: what they own; administrators bring back any."""
        gone = self.filter(removed__isnull=False)
        return gone if user.is_administrator else gone.filter(self.granted(user, Role.OWNER))

    def with_role(self, user: User, role: Role) -> Self:
        """Those on which ``user`` has that role or more."""
        return self.present() if user.is_administrator else self.present().filter(self.granted(user, role))

    @staticmethod
    def granted(user: User, role: Role = Role.READER) -> Q:
        """The condition that ``user``, no administrator, has that role or more."""
        return Q(owner=user) | Q(pk__in=Grant.objects.giving(user, role).values("model"))

    def favourites_of(self, user: User) -> Self:
        return self.filter(pk__in=TunedModel.favourites.through.objects.filter(user=user).values("tunedmodel"))

    def starred_by(self, user: User) -> Self:
        """The same, each told whether it :attr:`~TunedModel.is_favourite` of ``user``."""
        own = TunedModel.favourites.through.objects.filter(user=user, tunedmodel=OuterRef("pk"))
        return self.annotate(is_favourite=Exists(own))

    def shared_with(self, user: User) -> Self:
        """Somebody else's that ``user``, their team or everyone was given a role on."""
        return self.exclude(owner=user).filter(pk__in=Grant.objects.giving(user).values("model"))

    def shared_by(self, user: User) -> Self:
        """Those of ``user`` that somebody else has a role on."""
        return self.filter(owner=user, pk__in=Grant.objects.order_by().values("model"))

    def keep(self, job: "Job") -> "TunedModel":
        """The record of what ``job`` made. Of one model there is one, whoever brings its job in besides."""
        source = self.filter(connection=job.connection_id, name=job.tuned_from).first() if job.tuned_from else None
        facts = {
            "owner_id": job.owner_id,
            "job": job,
            "display_name": job.display_name,
            "base_model": job.base_model,
            "dataset_version_id": job.dataset_version_id,
            "tuned_from": source,
            "notes": job.notes,
            "last_loss": job.last_loss,
            "created": job.finished or job.created,
        }
        kept, is_new = self.get_or_create(connection_id=job.connection_id, name=job.model, defaults=facts)
        if is_new:
            kept.tags.set(job.tags.all())
        elif kept.job_id is None:
            self.filter(pk=kept.pk, job=None).update(job=job)
        return kept

    def let_go(self, job: "Job") -> None:
        """Forget the model of ``job``, which its service has deleted."""
        self.filter(connection=job.connection_id, name=job.model).delete()


class TunedModel(models.Model):
    """A tuned model at a service."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="tuned_models")
    name = models.CharField(max_length=200)
    """The service's, e.g. "tunedModels/number-generator-x7"."""
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tuned_models")
    job = models.OneToOneField("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="library_model")
    """That it came from; ``None`` where that is not kept here any more."""
    display_name = models.CharField(_("name"), max_length=40)
    description = models.TextField(_("description"), blank=True)
    base_model = models.CharField(max_length=200)
    dataset_version = models.ForeignKey(
        DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="tuned_models"
    )
    tuned_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="descendants")
    """The tuned model that it was tuned further from."""
    temperature = models.FloatField(_("temperature"), null=True)
    top_p = models.FloatField(_("top-p"), null=True)
    top_k = models.PositiveIntegerField(_("top-k"), null=True)
    notes = models.TextField(_("notes"), blank=True)
    """Markdown: what people want to remember about it."""
    tags = models.ManyToManyField("jobs.Tag", blank=True, related_name="tuned_models")
    favourites = models.ManyToManyField(User, blank=True, related_name="favourites")
    """Whose favourite it is."""
    created = models.DateTimeField(default=timezone.now, db_index=True)
    last_used = models.DateTimeField(null=True)
    last_loss = models.FloatField(null=True)
    last_match = models.FloatField(null=True)
    """The share, from 0 to 1, of answers of its last evaluation that were as expected."""
    archived = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True, db_index=True)
    removed_on_expiry = models.BooleanField(default=False)
    """Whether it goes into the bin when it expires; else it is archived."""
    removed = models.DateTimeField(null=True)
    """Since when it is hidden; its service still has it until the grace is over."""
    removed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    permissions_read = models.DateTimeField(null=True, db_index=True)
    """When :class:`Grant` was last what the service said; ``None``: never asked."""

    is_favourite: bool
    """Whether it is one of the person's for whom it was read (:meth:`TunedModelQuerySet.starred_by`)."""

    objects = TunedModelQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["connection", "name"], name="library_one_record")]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-created"]),
            # All that the library is narrowed by, counted by and searched for, so that few rows themselves are read.
            models.Index(
                fields=[
                    "created",
                    "id",
                    "removed",
                    "archived",
                    "owner",
                    "connection",
                    "base_model",
                    "dataset_version",
                    "display_name",
                    "name",
                    "last_loss",
                    "last_used",
                    "last_match",
                ],
                name="library_listed",
            ),
            models.Index(fields=["owner"], condition=~Q(notes=""), name="library_noted"),
            models.Index(fields=["owner"], condition=~Q(description=""), name="library_described"),
            models.Index(fields=["connection", "name"], condition=Q(removed__isnull=False), name="library_in_bin"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("library:detail", args=[self.pk])

    def role_of(self, user: User) -> Role | None:
        """The most that ``user`` may do with it, or ``None``."""
        if user.is_administrator or self.owner_id == user.pk:
            return Role.OWNER
        most = self.grants.giving(user).aggregate(most=models.Max("role"))["most"]
        return Role(most) if most else None


class Grant(models.Model):
    """A role on a model that a person, a team or everyone has. The owner's own is :attr:`TunedModel.owner`."""

    model = models.ForeignKey(TunedModel, on_delete=models.CASCADE, related_name="grants")
    person = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="grants")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="grants")
    everyone = models.BooleanField(default=False)
    address = EmailAddressField(max_length=254, blank=True)
    """Of a person or a team that is not known here; who signs up with it has the role."""
    is_group = models.BooleanField(default=False)
    """Whether :attr:`address` is a team's, which gives no person anything."""
    role = models.PositiveSmallIntegerField(choices=[(role.value, role.name.lower()) for role in Role])
    ref = models.CharField(max_length=300, blank=True)
    """The permission's name at the service; empty where it keeps none."""

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "person"], name="library_one_grant_a_person"),
            models.UniqueConstraint(fields=["model", "team"], name="library_one_grant_a_team"),
            models.UniqueConstraint(fields=["model"], condition=Q(everyone=True), name="library_one_grant_to_everyone"),
            models.UniqueConstraint(
                fields=["model", "address"], condition=~Q(address=""), name="library_one_grant_an_address"
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False, team=None, everyone=False, address="")
                | Q(person=None, team__isnull=False, everyone=False, address="")
                | Q(person=None, team=None, everyone=True, address="")
                | (Q(person=None, team=None, everyone=False) & ~Q(address="")),
                name="library_one_grantee",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["address"], condition=~Q(address=""), name="library_addressed")]

    def __str__(self) -> str:
        return f"{self.grantee}: {self.role_name}"

    @property
    def role_name(self) -> str:
        return Role(self.role).name.lower()

    @property
    def grantee(self) -> str:
        """Who has it, as people know them."""
        return str(self.person or self.team or self.address or _("Everyone"))
