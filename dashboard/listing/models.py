"""Lists under a name: what they are narrowed to and sorted by, kept by a person and, if they like, offered to all."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User

NAME_LENGTH = 60
QUERY_LENGTH = 2_000


class Room(models.TextChoices):
    """Whose list it is."""

    JOBS = "jobs", _("Jobs")
    LIBRARY = "library", _("Library")


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def offered_to(self, user: User, room: Room) -> Self:
        """Their own views of the list of ``room``, and those that others share."""
        offered = self.filter(Q(owner=user) | Q(shared=True), room=room)
        return offered.select_related("owner").order_by("name", "pk")


class SavedView(models.Model):
    """Filters and an order of a list under a name. Whoever opens a shared one sees in it what they may see."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="views")
    room = models.CharField(max_length=20, choices=Room.choices)
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH, blank=True)
    """As in the address, without ``?``."""
    shared = models.BooleanField(default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "room", "name"], name="listing_one_view_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    def give_to(self, heir: User) -> None:
        """Make it ``heir``'s, under another name where they have one of its name."""
        taken = set(SavedView.objects.filter(owner=heir, room=self.room).values_list("name", flat=True))
        names = (f"{self.name[: NAME_LENGTH - 5]} {number}" for number in range(2, 1_000))
        name = self.name if self.name not in taken else next(name for name in names if name not in taken)
        SavedView.objects.filter(pk=self.pk).update(owner=heir, name=name)


class Opening(models.Model):
    """What a person's list opens with; each list keeps besides what else they chose for it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    opens_with = models.ForeignKey(SavedView, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        abstract = True

    @property
    def opening(self) -> SavedView | None:
        """What the list opens with, as long as it is theirs or shared with them."""
        view = self.opens_with
        return view if view and (view.shared or view.owner_id == self.user_id) else None

    @classmethod
    def of(cls, user: User) -> Self:
        """Theirs; of somebody who has chosen nothing, an unsaved one."""
        return cls._default_manager.filter(user=user).select_related("opens_with").first() or cls(user=user)
