"""Many models retired at once: a rule finds them, a person sees them, the worker does it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.fingerprints import fingerprint
from dashboard.http import Request
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.retiring import removing
from dashboard.retiring.models import Cleanup, CleanupItem, Fate


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What a model must be to be retired; what is empty demands nothing. A rule without any demand finds none."""

    unused_days: int | None = None
    """Nobody asked it, and nobody made it, in so many days."""
    older_days: int | None = None
    loss_above: float | None = None
    no_favourite: bool = False
    """Nobody's favourite."""
    not_shared: bool = False
    owner: int | None = None
    tag: str = ""

    def found(self, user: User, fate: Fate) -> QuerySet[TunedModel]:
        """The models of ``user`` that it means. What is archived already is not archived again."""
        if self == Rule():
            return TunedModel.objects.none()
        models = TunedModel.objects.with_role(user, Role.OWNER).filter(*self._demands())
        return models.filter(archived=None) if fate is Fate.ARCHIVE else models

    def _demands(self) -> Iterator[Q]:
        if self.unused_days is not None:
            since = _days_ago(self.unused_days)
            yield Q(created__lt=since) & (Q(last_used=None) | Q(last_used__lt=since))
        if self.older_days is not None:
            yield Q(created__lt=_days_ago(self.older_days))
        if self.loss_above is not None:
            yield Q(last_loss__gt=self.loss_above)
        if self.no_favourite:
            yield Q(~Exists(TunedModel.favourites.through.objects.filter(tunedmodel=OuterRef("pk"))))
        if self.not_shared:
            yield Q(~Exists(Grant.objects.filter(model=OuterRef("pk")).exclude(person=OuterRef("owner"))))
        if self.owner is not None:
            yield Q(owner=self.owner)
        if self.tag:
            yield Q(pk__in=TunedModel.tags.through.objects.filter(tag__key=self.tag).values("tunedmodel"))


def seen_as(keys: list[int]) -> str:
    """Stands for the models of a preview: another list has another."""
    return fingerprint(sorted(keys))


def begin(by: Request, cleanup: Cleanup, models: Sequence[TunedModel]) -> Cleanup:
    """Write down what is to be done with ``models``, as they were shown, and have the worker do it."""
    from dashboard.retiring.tasks import clean  # noqa: PLC0415 - tasks know this module

    try:
        with transaction.atomic():
            cleanup.save()
            rows = [CleanupItem(cleanup=cleanup, model=model, name=model.display_name) for model in models]
            CleanupItem.objects.bulk_create(rows, batch_size=500)
            audit.record(by, "cleanup.started", cleanup, models=len(rows), fate=cleanup.fate)
            clean.enqueue(cleanup.pk)
    except IntegrityError:  # the form was sent twice
        return Cleanup.objects.get(key=cleanup.key, by=cleanup.by)
    return cleanup


def go_on(cleanup: Cleanup) -> None:
    """Do what is left of it, a transaction a model. Two at once share the work."""
    for pk in list(cleanup.items.filter(done=None).values_list("pk", flat=True)):
        with transaction.atomic():
            if CleanupItem.objects.filter(pk=pk, done=None).update(done=timezone.now()):
                _do(cleanup, pk)
    if not cleanup.items.filter(done=None).exists():
        Cleanup.objects.unfinished().filter(pk=cleanup.pk).update(finished=timezone.now())


def _do(cleanup: Cleanup, pk: int) -> None:
    """Retire the model of the item; the person may have lost it since."""
    own = TunedModel.objects.with_role(cleanup.by, Role.OWNER)
    model = own.filter(pk__in=CleanupItem.objects.filter(pk=pk).values("model")).first()
    if model is None:
        CleanupItem.objects.filter(pk=pk).update(skipped=True)
    elif cleanup.fate == Fate.ARCHIVE:
        removing.archive(model, cleanup.by)
    else:
        removing.remove(model, cleanup.by, cleanup.by)


def _days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
