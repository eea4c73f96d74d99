"""The training loss of a job's last epoch: what jobs are compared by, for of one step chance decides too much."""

from collections.abc import Sequence

import numpy as np
from django.db.models import F
from django.utils.translation import gettext

from dashboard.jobs.models import Job
from dashboard.jobs.series import SeriesChunk
from tuning import curves


def last_epoch_losses(jobs: Sequence[Job]) -> dict[int, float | None]:
    """The mean loss of the last epoch's steps by job; ``None`` where nothing finite is known. In one query."""
    if not jobs:
        return {}
    an_epoch = {job.pk: -(-job.learnt_from // job.batch_size) for job in jobs}
    parts: dict[int, list[bytes]] = {job.pk: [] for job in jobs}
    begins = F("job__completed_steps") - max(an_epoch.values())
    chunks = SeriesChunk.objects.filter(job__in=list(parts), last_step__gt=begins).order_by("pk")
    for pk, data in chunks.values_list("job_id", "data"):
        parts[pk].append(bytes(data))
    return {pk: _mean(b"".join(data), an_epoch[pk]) for pk, data in parts.items()}


def loss_name(by_held_out: bool) -> str:
    """What the losses are called by which jobs are told good from bad."""
    return gettext("Held-out loss") if by_held_out else gettext("Last epoch’s loss")


def _mean(packed: bytes, steps: int) -> float | None:
    last = curves.arrays(packed).values[-steps:]
    finite = last[np.isfinite(last)]
    return float(finite.mean(dtype=np.float64)) if len(finite) else None
