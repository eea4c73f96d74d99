"""The curves of several jobs, read at once and thinned to what a chart of them shows."""

from collections.abc import Sequence
from typing import Any

from dashboard.charts import overlay
from dashboard.jobs.models import Job
from dashboard.jobs.series import SeriesChunk


def drawn(jobs: Sequence[Job], weight: float, together: int) -> list[dict[str, Any]]:
    """What a chart of so many curves ``together`` needs of each of ``jobs``, smoothed by ``weight``."""
    packed = _packed(jobs)
    most = overlay.buckets(together)
    return [_of(job, packed[job.pk], weight, most) for job in jobs]


def _packed(jobs: Sequence[Job]) -> dict[int, bytes]:
    """The packed losses of each of ``jobs``, in one query."""
    parts: dict[int, list[bytes]] = {job.pk: [] for job in jobs}
    chunks = SeriesChunk.objects.filter(job__in=list(parts)).order_by("pk")
    for pk, data in chunks.values_list("job_id", "data"):
        parts[pk].append(bytes(data))
    return {pk: b"".join(chunks) for pk, chunks in parts.items()}


def _of(job: Job, series: bytes, weight: float, most: int) -> dict[str, Any]:
    began = job.started.timestamp() if job.started else None
    columns = overlay.columns(series, weight=weight, most=most, began=began)
    return {
        "job": job.pk,
        "name": job.display_name,
        "stamp": job.fingerprint,
        "epochs_a_step": job.batch_size / max(job.learnt_from, 1),
        **columns,
        "held_out": overlay.held_out(job.validation, series, columns["began"]),
    }
