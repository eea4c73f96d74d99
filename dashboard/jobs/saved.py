"""How a person likes the list of jobs: views under a name, the columns shown, and what it opens with."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User

NAME_LENGTH = 60
QUERY_LENGTH = 2_000


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def offered_to(self, user: User) -> Self:
        """Their own views, and those that others share."""
        return self.filter(Q(owner=user) | Q(shared=True)).select_related("owner").order_by("name", "pk")


class SavedView(models.Model):
    """Filters and an order of the list under a name. Whoever opens a shared one sees in it what they may see."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH, blank=True)
    """As in the address, without ``?``."""
    shared = models.BooleanField(default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name


class ListSettings(models.Model):
    """What a person has chosen for the list."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list)
    """Their names; empty: the usual ones."""
    opens_with = models.ForeignKey(SavedView, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"list of {self.user}"

    @property
    def opening(self) -> SavedView | None:
        """What the list opens with, as long as it is theirs or shared with them."""
        view = self.opens_with
        return view if view and (view.shared or view.owner_id == self.user_id) else None

    @classmethod
    def of(cls, user: User) -> "ListSettings":
        """Theirs; of somebody who has chosen nothing, an unsaved one."""
        return cls.objects.filter(user=user).select_related("opens_with").first() or cls(user=user)
