"""What has come out of a sweep so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.jobs.last_epoch import last_epoch_losses
from dashboard.jobs.models import Job
from dashboard.sweeps.models import Sweep, Trial
from tuning.jobs import JobState


@dataclass(frozen=True, slots=True)
class Results:
    """Where a sweep is. ``best`` is the done trial of the lowest loss."""

    trials: Sequence[Trial]
    best: Trial | None
    by_held_out: bool
    """Whether jobs are judged by their best loss over held-out examples; else by the last epoch's training loss."""

    def loss_of(self, trial: Trial) -> float | None:
        """The loss that counts when jobs are compared."""
        return trial.job.best_loss if self.by_held_out else trial.loss

    @property
    def ended(self) -> int:
        return sum(trial.job.is_final for trial in self.trials)

    @property
    def failed(self) -> int:
        return sum(trial.job.state == JobState.FAILED for trial in self.trials)

    @property
    def is_over(self) -> bool:
        return self.ended == len(self.trials)

    @property
    def percent(self) -> int:
        """Of all steps, those made; a job that has ended makes no more."""
        steps = sum(trial.job.total_steps for trial in self.trials)
        return 100 * sum(map(_made, self.trials)) // steps if steps else 0

    @property
    def elapsed(self) -> float | None:
        """Seconds from the first start to the last end, or until now."""
        started = [job.started for job in self.jobs if job.started]
        if not started:
            return None
        ends = [job.finished for job in self.jobs if job.finished] if self.is_over else []
        running = max(ends) - min(started) if ends else None
        return running.total_seconds() if running else max(job.elapsed or 0.0 for job in self.jobs)

    @property
    def jobs(self) -> list[Job]:
        return [trial.job for trial in self.trials]


def results(sweep: Sweep) -> Results:
    """What has come out of ``sweep``. Notes the losses of jobs that are done since somebody last asked."""
    trials = sweep.all_trials()
    done = [trial for trial in trials if trial.job.state == JobState.SUCCEEDED]
    _note_losses([trial for trial in done if trial.loss is None])
    by_held_out = bool(done) and all(trial.job.best_loss is not None for trial in done)
    losses = {trial: trial.job.best_loss if by_held_out else trial.loss for trial in done}
    judged = {trial: loss for trial, loss in losses.items() if loss is not None}
    return Results(trials, min(judged, key=lambda trial: judged[trial], default=None), by_held_out)


def _note_losses(trials: Sequence[Trial]) -> None:
    """Keep the mean training loss of the last epoch of each of ``trials``, whose jobs are done."""
    losses = last_epoch_losses([trial.job for trial in trials])
    for trial in trials:
        trial.loss = losses[trial.job_id]
    if noted := [trial for trial in trials if trial.loss is not None]:
        Trial.objects.bulk_update(noted, ["loss"])


def _made(trial: Trial) -> int:
    return trial.job.total_steps if trial.job.is_final else trial.job.completed_steps
