"""Jobs with losses, as if their service had told them."""

import time

from dashboard.jobs.models import Job
from tuning.jobs import JobState, JobStatus, Point


def with_points(job: Job, last: int, state: JobState = JobState.RUNNING, **facts: object) -> Job:
    """``job`` after step ``last``, its loss falling from 3."""
    series = [Point(step, 0, 3.0 / step, time.time()) for step in range(1, last + 1)]
    job.store(JobStatus(state=state, model="tunedModels/m", total_steps=19, **facts), series)  # type: ignore[arg-type]
    return job
