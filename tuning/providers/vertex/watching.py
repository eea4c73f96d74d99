"""A job of Vertex AI under way: what is known of it, its curve, and its end before its time."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from tuning.client.google_cloud import GoogleCloud, Told
from tuning.errors import FailedPrecondition, InvalidRequest, NotFound, PermissionDenied
from tuning.jobs import JobState, JobStatus, Point
from tuning.providers.base import ConnectionSettings, JobRef
from tuning.providers.vertex import names, reading, series
from tuning.providers.vertex.series import Series

logger = logging.getLogger(__name__)


class Watching:
    """What of :class:`tuning.providers.Provider` follows a job, found again by its resource's name."""

    _settings: ConnectionSettings
    _service: GoogleCloud

    def status(self, ref: JobRef) -> JobStatus:
        return self.refresh(ref)[0]

    def points(self, ref: JobRef, after: int = 0) -> Sequence[Point]:
        return self.refresh(ref, after)[1]

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        with reading.answers():
            job = self._job(ref)
            self._check_there(job)
            return self._news(job, after)

    def cancel(self, ref: JobRef) -> None:
        try:
            self._service.tell("POST", f"v1/{self._here(ref)}:cancel", {})
        except (FailedPrecondition, InvalidRequest):
            with reading.answers():
                if not reading.status(self._job(ref)).state.is_final:
                    raise

    def _job(self, ref: JobRef) -> Told:
        return self._service.tell("GET", f"v1/{self._here(ref)}")

    def _here(self, ref: str) -> JobRef:
        """``ref``, unless it is of another location than is asked: there it would only seem to be gone."""
        place = names.place(ref)
        if place != self._settings.location:
            raise InvalidRequest("other_location", location=place)
        return names.job(ref)

    def _check_there(self, job: Told) -> None:
        """Google keeps the record of a job for ever: one whose model is gone is gone. Raises ``NotFound``."""
        if reading.status(job).state is JobState.SUCCEEDED:
            model = reading.text(reading.record(job, "tunedModel").get("model"))
            if not model:
                raise NotFound
            self._service.tell("GET", f"v1/{names.model(model)}")

    def _news(self, job: Told, after: int) -> tuple[JobStatus, Sequence[Point]]:
        """A curve that may not be read keeps nobody from the job."""
        if not job.get("startTime"):
            return reading.status(job), []
        try:
            curves = Series(self._service, job)
            points = curves.points(series.LOSS, after)
            held_out = curves.points(series.HELD_OUT_LOSS)  # all of them: they come later than their steps' losses
        except PermissionDenied as error:
            logger.info("the curves of a job cannot be read: %s", error.code)
            return reading.status(job), []
        status = reading.status(job, completed=curves.last(series.LOSS))
        return replace(status, validation=tuple(held_out)), points
