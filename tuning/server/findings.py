"""What a job found out about itself besides its losses: on held-out examples, at the ends of its epochs.

Writing is safe to repeat: a child that goes on from a checkpoint may tell once more what it told before.
"""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from django.db import models

from tuning.engine import Sampled, Validated

if TYPE_CHECKING:
    from tuning.server.models import Job


class ValidationPoint(models.Model):
    """The mean loss over the held-out examples after a step that ended an epoch."""

    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="validation_points")
    step = models.IntegerField()
    epoch = models.IntegerField()
    """Epochs completed."""
    loss = models.FloatField(null=True)
    """``None`` where it was no finite number."""
    time = models.DateTimeField()
    best = models.BooleanField()
    """Whether none was lower so far: the last such point is the model that is kept."""

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="validation_point_once_a_step")]

    def __str__(self) -> str:
        return f"{self.job_id} step {self.step}: {self.loss}"


class SamplePrompt(models.Model):
    """A held-out example that is answered at each epoch's end."""

    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="sample_prompts")
    row = models.IntegerField()
    """Counts the held-out examples from 1."""
    prompt = models.TextField()
    expected = models.TextField()

    class Meta:
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="sample_prompt_once_a_row")]

    def __str__(self) -> str:
        return f"{self.job_id} row {self.row}"


class SampleAnswer(models.Model):
    """What the model answered after a step that ended an epoch."""

    prompt = models.ForeignKey(SamplePrompt, on_delete=models.CASCADE, related_name="answers")
    step = models.IntegerField()
    epoch = models.IntegerField()
    answer = models.TextField()

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["prompt", "step"], name="sample_answer_once_a_step")]

    def __str__(self) -> str:
        return f"{self.prompt_id} step {self.step}"


def keep_validated(job: "Job", points: Sequence[Validated]) -> None:
    """Store validation losses of ``job``."""
    rows = [
        ValidationPoint(
            job=job,
            step=point.step,
            epoch=point.epoch,
            loss=point.mean_loss if isfinite(point.mean_loss) else None,
            time=point.compute_time,
            best=point.best,
        )
        for point in points
    ]
    ValidationPoint.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["job", "step"],
        update_fields=["epoch", "loss", "time", "best"],
    )


def keep_sampled(job: "Job", answers: Sequence[Sampled]) -> None:
    """Store sample answers of ``job``; a prompt once, however often it is answered."""
    for said in answers:
        prompt, _ = SamplePrompt.objects.get_or_create(
            job=job, row=said.row, defaults={"prompt": _text(said.prompt), "expected": _text(said.expected)}
        )
        SampleAnswer.objects.update_or_create(
            prompt=prompt, step=said.step, defaults={"epoch": said.epoch, "answer": _text(said.answer)}
        )


def cut_after(job: "Job", step: int) -> None:
    """Forget what ``job`` found out after ``step``: its new attempt goes on from there."""
    ValidationPoint.objects.filter(job=job, step__gt=step).delete()
    SampleAnswer.objects.filter(prompt__job=job, step__gt=step).delete()


def samples(job: "Job") -> list[dict[str, object]]:
    """The held-out prompts of ``job`` with their answers so far, as ``/tuneboard/v1`` tells them."""
    made = SampleAnswer.objects.filter(step__lte=job.completed_steps)
    prompts = job.sample_prompts.prefetch_related(models.Prefetch("answers", made))
    return [
        {
            "row": prompt.row,
            "prompt": prompt.prompt,
            "expected": prompt.expected,
            "answers": [
                {"step": said.step, "epoch": said.epoch, "answer": said.answer} for said in prompt.answers.all()
            ],
        }
        for prompt in prompts
    ]


def _text(said: str) -> str:
    """PostgreSQL stores no NUL."""
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")
