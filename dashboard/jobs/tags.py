"""Words that people put on jobs and on tuned models. A tag is the same in any letter case, and is everybody's here."""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from dashboard.accounts.models import User
from dashboard.library.models import TunedModel

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

NAME_LENGTH = 40
TAGS_SUGGESTED = 200


def folded(name: str) -> str:
    """``name`` as it is compared: letter case, look-alikes and blanks make no other tag. Folding may lengthen it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:NAME_LENGTH]


class TagQuerySet(models.QuerySet["Tag"]):
    def seen_by(self, user: User) -> "TagQuerySet":
        """The tags on jobs and models that ``user`` may see, in order of their names."""
        on_jobs = Tag.jobs.through.objects.filter(tag=OuterRef("pk"))
        on_models = TunedModel.tags.through.objects.filter(tag=OuterRef("pk"))
        if not user.is_administrator:
            shared = TunedModel.objects.visible_to(user)
            on_jobs = on_jobs.filter(Q(job__owner=user) | Q(job__library_model__in=shared))
            on_models = on_models.filter(tunedmodel__in=shared)
        return self.filter(Exists(on_jobs) | Exists(on_models)).order_by("key")

    def called(self, name: str) -> "Tag":
        """The tag of that name, in the spelling in which it was first used."""
        found, _made = self.get_or_create(key=folded(name), defaults={"name": name[:NAME_LENGTH]})
        return found

    def put_on(self, jobs: "Iterable[Job]", name: str) -> None:
        """Tag ``jobs``. One that has the tag keeps it."""
        self.called(name).jobs.add(*jobs)

    def put_on_models(self, models: Iterable[TunedModel], name: str) -> None:
        self.called(name).tuned_models.add(*models)

    def take_off(self, jobs: "Iterable[Job]", name: str) -> None:
        """Take a tag from ``jobs``; a tag that nothing bears is gone."""
        if found := self.filter(key=folded(name)).first():
            found.jobs.remove(*jobs)
            self._let_go(found)

    def take_off_models(self, models: Iterable[TunedModel], name: str) -> None:
        if found := self.filter(key=folded(name)).first():
            found.tuned_models.remove(*models)
            self._let_go(found)

    def _let_go(self, tag: "Tag") -> None:
        self.filter(pk=tag.pk, jobs=None, tuned_models=None).delete()


class Tag(models.Model):
    """A word on jobs and tuned models."""

    name = models.CharField(max_length=NAME_LENGTH)
    key = models.CharField(max_length=NAME_LENGTH, unique=True)
    """:func:`folded`."""

    objects = TagQuerySet.as_manager()

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.name
