"""Libraries being written or brought in by the worker, and how that went."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.messages import Message, explain
from dashboard.moving.leaving import Outcome
from tuning.errors import TuningError

UNHEARD = timedelta(minutes=5)
"""Who has told of no progress for so long was killed over it. One model may take minutes."""


class Kind(models.TextChoices):
    EXPORT = "export", _("Export")
    IMPORT = "import", _("Import")


class MoveQuerySet(models.QuerySet["Move"]):
    def unfinished(self) -> Self:
        return self.filter(finished=None)

    def claim(self, pk: int) -> bool:
        """Whether the caller is the one who does it now."""
        idle = Q(heard=None) | Q(heard__lt=timezone.now() - UNHEARD)
        return self.unfinished().filter(idle, pk=pk).update(heard=timezone.now()) == 1


class Move(models.Model):
    """One export or import. It is begun anew where the worker was killed: what is there already stays."""

    kind = models.CharField(max_length=10, choices=Kind.choices)
    file = models.CharField(max_length=200)
    """Its name in MOVING_DIR."""
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now)
    heard = models.DateTimeField(null=True)
    """When the worker last told of progress."""
    finished = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    """Models."""
    told = models.JSONField(default=dict)
    """``models``, ``datasets``, ``there``, and ``failed``: ``[name, code, detail, what the sentence names]`` each."""
    problem = models.CharField(max_length=50, blank=True)
    """Why it came to nothing, or why it waits: a code of ``dashboard/messages/``."""
    about = models.CharField(max_length=200, blank=True)
    """What the sentence of :attr:`problem` names."""

    objects = MoveQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]

    def __str__(self) -> str:
        return self.file

    @property
    def path(self) -> Path:
        return Path(settings.MOVING_DIR) / self.file

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def why(self) -> Message | None:
        """:attr:`problem` in words."""
        return explain(TuningError(self.problem, name=self.about)) if self.problem else None

    @property
    def failed(self) -> list[tuple[str, Message, str]]:
        """The models that are missing or incomplete, and why."""
        rows = self.told.get("failed", ())
        return [(name, explain(TuningError(code, name="".join(about))), detail) for name, code, detail, *about in rows]

    def hear(self, done: int, total: int) -> None:
        """Note how many models of how many are done."""
        Move.objects.filter(pk=self.pk).update(done=done, total=total, heard=timezone.now())

    def wait(self, error: TuningError) -> None:
        """Leave it to the worker's next round."""
        Move.objects.filter(pk=self.pk).update(problem=error.code[:50], about="", heard=None)

    def fail(self, error: TuningError) -> None:
        changes = {"problem": error.code[:50], "about": _about(error), "finished": timezone.now()}
        Move.objects.filter(pk=self.pk).update(**changes)

    def finish(self, outcome: Outcome) -> None:
        failed = [[name, error.code, error.detail[:500], _about(error)] for name, error in outcome.failed]
        told = {"models": outcome.models, "datasets": outcome.datasets, "there": outcome.there, "failed": failed}
        Move.objects.filter(pk=self.pk).update(told=told, problem="", finished=timezone.now())


def _about(error: TuningError) -> str:
    return str(error.params.get("name", ""))[:200]
