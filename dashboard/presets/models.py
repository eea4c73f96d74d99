"""Presets: settings of a job with a name, to begin others with."""

from dataclasses import asdict
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from tuning.recipes import GOOGLES, Recipe, whole

NAME_LENGTH = 60


class PresetQuerySet(models.QuerySet["Preset"]):
    def visible_to(self, user: User) -> Self:
        """The presets that ``user`` may begin a job with: their own, and what others share; administrators see all."""
        return self if user.is_administrator else self.filter(Q(owner=user) | Q(shared=True))

    def changeable_by(self, user: User) -> Self:
        """Those that ``user`` may change and delete."""
        return self if user.is_administrator else self.filter(owner=user)


class Preset(models.Model):
    """A recipe with a name, and perhaps the base model it was found for."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(_("Name"), max_length=NAME_LENGTH)
    shared = models.BooleanField(default=False)
    base_model = models.CharField(max_length=200, blank=True)
    """By its service's name; empty where any will do."""
    settings = models.JSONField()
    """The fields of :class:`tuning.recipes.Recipe`."""
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = PresetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("presets:detail", args=[self.pk])

    @property
    def recipe(self) -> Recipe:
        more = {name: value for name, value in self.settings.items() if name not in GOOGLES}
        epochs, batch, rate = (self.settings[name] for name in GOOGLES)
        return whole(epochs, batch, rate, more)

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        self.settings = asdict(recipe)

    def may_be_changed_by(self, user: User) -> bool:
        return user.is_administrator or self.owner_id == user.pk
