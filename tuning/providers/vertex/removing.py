"""How a job's model is removed from Vertex AI: taken off its endpoints, those deleted, and then the model itself."""

import time

from tuning.client.google_cloud import Told
from tuning.errors import NotFound, Unavailable
from tuning.providers.base import JobRef
from tuning.providers.vertex import names, reading
from tuning.providers.vertex.watching import Watching

PATIENCE = 60.0
"""Seconds that an operation may take while somebody waits for it."""
PAUSE = 1.0


class Removing(Watching):
    """:meth:`tuning.providers.Provider.delete`. Google keeps the record of a job itself; no method removes it. The
    examples stay in the bucket as well, since other jobs may read the same file: a lifecycle rule of the bucket
    removes them.
    """

    def delete(self, ref: JobRef) -> None:
        try:
            with reading.answers():
                job = self._job(ref)
                if not reading.status(job).state.is_final:
                    self.cancel(ref)
                self._remove(job)
        except NotFound:
            return

    def _remove(self, job: Told) -> None:
        made = reading.record(job, "tunedModel")
        points = [point.model for point in reading.checkpoints(job)]
        for endpoint in dict.fromkeys([reading.text(made.get("endpoint")), *points]):
            if endpoint:
                self._remove_endpoint(names.endpoint(endpoint))
        if model := reading.text(made.get("model")):
            self._gone(names.model(model).partition("@")[0])

    def _remove_endpoint(self, name: str) -> None:
        try:
            endpoint = self._service.tell("GET", f"v1/{name}")
        except NotFound:
            return
        for deployed in endpoint.get("deployedModels", []):
            sent: Told = {"deployedModelId": reading.text(deployed.get("id"))}
            self._done(self._service.tell("POST", f"v1/{name}:undeployModel", sent))
        self._gone(name)

    def _gone(self, name: str) -> None:
        try:
            self._done(self._service.tell("DELETE", f"v1/{name}"))
        except NotFound:
            return

    def _done(self, operation: Told) -> None:
        """Wait for it. Raises ``Unavailable`` where it takes too long: asked again, removing goes on from there."""
        until = time.monotonic() + PATIENCE
        while not operation.get("done"):
            if time.monotonic() > until:
                raise Unavailable("being_removed", retry_after=PAUSE)
            time.sleep(PAUSE)
            operation = self._service.tell("GET", f"v1/{names.operation(reading.text(operation.get('name')))}")
        if error := reading.record(operation, "error"):
            raise Unavailable("being_removed", detail=reading.text(error.get("message")))
