"""Vertex AI's states in our words; its own word is told in :class:`tuning.providers.particulars.Particulars`."""

from tuning.jobs import JobState

STATES = {
    "JOB_STATE_QUEUED": JobState.QUEUED,
    "JOB_STATE_PENDING": JobState.QUEUED,
    "JOB_STATE_RUNNING": JobState.RUNNING,
    "JOB_STATE_UPDATING": JobState.RUNNING,
    "JOB_STATE_CANCELLING": JobState.RUNNING,
    "JOB_STATE_PAUSED": JobState.RUNNING,
    "JOB_STATE_SUCCEEDED": JobState.SUCCEEDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": JobState.SUCCEEDED,
    "JOB_STATE_FAILED": JobState.FAILED,
    "JOB_STATE_EXPIRED": JobState.FAILED,
    "JOB_STATE_CANCELLED": JobState.CANCELLED,
}
"""A job that is being cancelled still runs: it may yet succeed. One that expired was not done in time."""
UNKNOWN = JobState.QUEUED
"""Of a state that is none of these: nothing is over before the service says so."""


def state_of(word: object) -> JobState:
    return STATES.get(word, UNKNOWN) if isinstance(word, str) else UNKNOWN
