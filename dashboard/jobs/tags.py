"""Words that people put on jobs. A tag is the same in any letter case, and belongs to everybody here."""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

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
        """The tags on jobs that ``user`` may see, in order of their names."""
        shared = TunedModel.objects.visible_to(user)
        mine = self if user.is_administrator else self.filter(Q(jobs__owner=user) | Q(jobs__library_model__in=shared))
        return mine.filter(jobs__isnull=False).order_by("key").distinct()

    def called(self, name: str) -> "Tag":
        """The tag of that name, in the spelling in which it was first used."""
        found, _made = self.get_or_create(key=folded(name), defaults={"name": name[:NAME_LENGTH]})
        return found

    def put_on(self, jobs: "Iterable[Job]", name: str) -> None:
        """Tag ``jobs``. One that has the tag keeps it."""
        self.called(name).jobs.add(*jobs)

    def take_off(self, jobs: "Iterable[Job]", name: str) -> None:
        """Take a tag from ``jobs``; a tag that nothing bears is gone."""
        if found := self.filter(key=folded(name)).first():
            found.jobs.remove(*jobs)
            self.filter(pk=found.pk, jobs=None, tuned_models=None).delete()


class Tag(models.Model):
    """A word on jobs."""

    name = models.CharField(max_length=NAME_LENGTH)
    key = models.CharField(max_length=NAME_LENGTH, unique=True)
    """:func:`folded`."""

    objects = TagQuerySet.as_manager()

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.name
