"""Evaluations: a model asked the examples of a dataset version, its answers, and how many are as expected.

The examples themselves stay with their dataset: an answer names its row. Where the examples are deleted, the answers
go with them, and the scores stay.
"""

from datetime import timedelta
from typing import ClassVar, Self

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.datasets.models import DatasetVersion
from dashboard.evaluations.scoring import Share
from dashboard.fingerprints import fingerprint
from dashboard.library.models import Role, TunedModel
from dashboard.messages import Message, code_of, explain
from tuning.errors import ServiceError

AT_IT = timedelta(minutes=5)
"""Longer than services are waited for: who began a turn so long ago was killed over it."""
PAUSES = (5, 15, 30, 60, 120, 300)
"""Seconds until a service that gave no answer is asked again; after the last the evaluation ends."""
LONGEST_PAUSE = 600
LONGEST_ANSWER = 100_000
"""Characters that are kept."""
DETAIL = 500
"""Characters of a service's own words that are kept."""


class State(models.TextChoices):
    """The values are those of jobs, so that a page shows them alike."""

    RUNNING = "RUNNING", _("Asking")
    DONE = "SUCCEEDED", _("Done")
    FAILED = "FAILED", _("Ended early")
    STOPPED = "CANCELLED", _("Stopped")


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, user: User) -> Self:
        """Those of the models that ``user`` may see."""
        return self.filter(model__in=TunedModel.objects.visible_to(user).order_by())

    def running(self) -> Self:
        return self.filter(state=State.RUNNING)

    def done(self) -> Self:
        return self.filter(state=State.DONE)

    def due(self) -> Self:
        """Those with examples to be asked now. While a model is in the bin its evaluations wait."""
        now = timezone.now()
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        return self.running().filter(free, next_try__lte=now, by__is_active=True, model__removed=None)

    def claim(self, evaluation: "Evaluation") -> bool:
        """Whether the caller is the one who asks for it now."""
        now = timezone.now()
        return self.due().filter(pk=evaluation.pk).update(leased_until=now + AT_IT, turn=now) == 1

    def stop_those_of(self, person: User) -> int:
        """Stop what ``person`` has going on. How many that were."""
        return self.running().filter(by=person).update(state=State.STOPPED, finished=timezone.now())


class Evaluation(models.Model):
    """One model, asked the first :attr:`total` examples of one dataset version at temperature 0."""

    model = models.ForeignKey(TunedModel, on_delete=models.CASCADE, related_name="evaluations")
    baseline = models.BooleanField(default=False)
    """Whether its base model was asked in its place, to compare with."""
    dataset_version = models.ForeignKey(
        DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="evaluations"
    )
    """``None`` where the examples were deleted."""
    examples_of = models.CharField(max_length=150)
    """What the version was called."""
    in_training = models.BooleanField(default=False)
    """Whether the model, or one that it was tuned from, was tuned on these very examples."""
    total = models.PositiveIntegerField()
    max_output_tokens = models.PositiveIntegerField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="evaluations")
    """In whose name the service is asked."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True)

    answered = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    """Examples that the service did not answer, and would not."""
    exact = models.PositiveIntegerField(default=0)
    normalised = models.PositiveIntegerField(default=0)
    likeness = models.FloatField(default=0.0)
    """The sum of all answers' similarities."""

    trouble = models.JSONField(default=dict)
    """Why the service could not be asked the last time, or why it ended: code, params, detail."""
    tries = models.PositiveIntegerField(default=0)
    """Turns in a row in which nothing was answered."""
    next_try = models.DateTimeField(default=timezone.now)
    turn = models.DateTimeField(default=timezone.now)
    """When its last turn began: those that wait take turns."""
    leased_until = models.DateTimeField(null=True)
    """Until when somebody asks for it."""

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["by", "model", "baseline"], condition=Q(state="RUNNING"), name="evaluations_one_at_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_try"], condition=Q(state="RUNNING"), name="evaluations_under_way"),
            models.Index(fields=["model", "-created"], name="evaluations_of_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model.display_name} · {self.examples_of}"

    def get_absolute_url(self) -> str:
        return reverse("evaluations:detail", args=[self.pk])

    @property
    def name(self) -> str:
        """The service's, of the model that is asked."""
        return self.model.base_model if self.baseline else self.model.name

    @property
    def shown_name(self) -> str:
        """The same, as people know it."""
        return self.model.base_model if self.baseline else self.model.display_name

    @property
    def is_over(self) -> bool:
        return self.state != State.RUNNING

    @property
    def asked(self) -> int:
        return self.answered + self.failed

    @property
    def as_expected(self) -> Share:
        return Share(self.exact, self.answered)

    @property
    def nearly(self) -> Share:
        """The share of what is as expected but for case and punctuation."""
        return Share(self.normalised, self.answered)

    @property
    def similarity(self) -> float | None:
        """The mean of all answers; ``None`` where there are none."""
        return self.likeness / self.answered if self.answered else None

    @property
    def fingerprint(self) -> str:
        """Changes whenever something that a page shows does."""
        return fingerprint((self.state, self.answered, self.failed, self.trouble.get("code")))

    def why(self) -> Message | None:
        """What keeps the service from being asked, or why it ended, in words; ``None`` where all is well."""
        if not self.trouble:
            return None
        return explain(ServiceError(self.trouble.get("code"), **self.trouble.get("params", {})))

    def may_be_changed_by(self, user: User) -> bool:
        """Whether it is ``user``'s to stop, to go on with and to delete: who began it, and the model's owner."""
        return self.by_id == user.pk or self.model.role_of(user) is Role.OWNER

    def rows_to_ask(self, most: int) -> list[int]:
        """The next examples without an answer, by their rows, which count from 1."""
        had = set(self.answers.values_list("row", flat=True))
        return [row for row in range(1, self.total + 1) if row not in had][:most]

    def rest(self) -> None:
        """Let others have their turn: something was answered."""
        self._while_running(leased_until=None, tries=0, trouble={}, next_try=timezone.now())

    def put_off(self, error: ServiceError) -> None:
        """Note that the service gave no answer: it is asked again later, and at last no more."""
        if self.tries >= len(PAUSES):
            self.end(State.FAILED, error)
            return
        pause = min(max(PAUSES[self.tries], error.retry_after or 0), LONGEST_PAUSE)
        again = timezone.now() + timedelta(seconds=pause)
        self._while_running(leased_until=None, tries=self.tries + 1, trouble=told(error), next_try=again)

    def end(self, state: State, error: ServiceError | None = None) -> bool:
        """End it, for the reason that ``error`` is. False where it was over already."""
        trouble = told(error) if error else {}
        with transaction.atomic():
            is_news = self._while_running(state=state, finished=timezone.now(), leased_until=None, trouble=trouble)
            if is_news and state == State.DONE:
                tell_model(self.model_id)
        return is_news

    def go_on(self) -> bool:
        """Have what is still to be asked be asked. False where it cannot: it is done, its examples are gone, or another
        one of the model is under way.
        """
        afresh: dict[str, object] = {"trouble": {}, "tries": 0, "next_try": timezone.now(), "finished": None}
        ended = Evaluation.objects.filter(pk=self.pk, state__in=[State.FAILED, State.STOPPED])
        try:
            with transaction.atomic():
                return bool(ended.exclude(dataset_version=None).update(state=State.RUNNING, **afresh))
        except IntegrityError:
            return False

    def _while_running(self, **changes: object) -> bool:
        return bool(Evaluation.objects.running().filter(pk=self.pk).update(**changes))


class Answer(models.Model):
    """What the model answered to the example of one row, or why it did not."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="answers")
    row = models.PositiveIntegerField()
    """Of the version, counted from 1."""
    text = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    exact = models.BooleanField(default=False)
    normalised = models.BooleanField(default=False)
    similarity = models.FloatField(null=True)
    seconds = models.FloatField(default=0.0)
    problem = models.CharField(max_length=50, blank=True)
    """Why there is no answer: a code of ``dashboard/messages/``."""
    detail = models.TextField(blank=True)
    """The service's own words about it."""

    class Meta:
        ordering: ClassVar = ["row"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["evaluation", "row"], name="evaluations_one_answer_a_row")
        ]

    def __str__(self) -> str:
        return f"row {self.row}"

    def keep(self) -> bool:
        """Store it, and count it in. False where the evaluation is over, or gone."""
        counts = {"failed": F("failed") + 1} if self.problem else self._counted()
        with transaction.atomic():
            if not Evaluation.objects.running().filter(pk=self.evaluation_id).update(**counts):
                return False
            self.save(force_insert=True)
        return True

    def _counted(self) -> dict[str, object]:
        return {
            "answered": F("answered") + 1,
            "exact": F("exact") + self.exact,
            "normalised": F("normalised") + self.normalised,
            "likeness": F("likeness") + (self.similarity or 0.0),
        }


def told(error: ServiceError) -> dict[str, object]:
    """What is kept of ``error``."""
    params = {name: str(value)[:DETAIL] for name, value in error.params.items()}
    return {"code": code_of(error), "params": params, "detail": error.detail[:DETAIL]}


def tell_model(model: int) -> None:
    """Keep with the model of this key how its last evaluation went: lists sort by that."""
    last = Evaluation.objects.done().filter(model=model, baseline=False).order_by("-finished", "-pk").first()
    share = last.as_expected.value if last and last.answered else None
    TunedModel.objects.filter(pk=model).update(last_match=share)


@receiver(pre_delete, sender=DatasetVersion)
def take_answers_away(instance: DatasetVersion, **_kwargs: object) -> None:
    """Answers go with the examples that they answer; what still asks for these ends."""
    evaluations = Evaluation.objects.filter(dataset_version=instance)
    gone = {"state": State.STOPPED, "finished": timezone.now(), "trouble": {"code": "examples_gone"}}
    evaluations.running().update(**gone)
    Answer.objects.filter(evaluation__in=evaluations.values("pk")).delete()
