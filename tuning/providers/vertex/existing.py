"""The tuning jobs that a project has already, whoever made them."""

from collections.abc import Iterator

from tuning.client.google_cloud import LONG_TIMEOUT, CloudStorage, Told
from tuning.errors import NotFound, PermissionDenied
from tuning.providers.base import JobRef, Takeaway
from tuning.providers.existing import Existing, Found
from tuning.providers.vertex import names, reading
from tuning.providers.vertex.watching import Watching


class VertexExisting(Watching):
    """:class:`tuning.providers.Importer`: jobs of supervised tuning. One is named by its own name, for before it has
    ended there is no model.
    """

    _storage: CloudStorage
    _parent: str

    def existing(self) -> Iterator[Existing]:
        for job in self._service.pages(f"v1/{self._parent}/tuningJobs", "tuningJobs"):
            with reading.answers():
                if "supervisedTuningSpec" in job:
                    yield _existing(job)

    def found(self, model: str) -> Found:
        ref = self._here(model)
        with reading.answers():
            job = self._job(ref)
            status, points = self._news(job, 0)
            return Found(
                job=_existing(job),
                ref=ref,
                recipe=reading.recipe(job),
                examples=max(reading.stats(job).examples, 1),
                status=status,
                points=points,
                description=reading.text(job.get("description")),
                tuned_from=reading.text(reading.record(job, "preTunedModel").get("tunedModelName")),
            )

    def training_data(self, ref: JobRef) -> Takeaway | None:
        """The file in the bucket as it is; its lines are chats."""
        with reading.answers():
            job = self._job(ref)
            uri = reading.text(reading.spec(job).get("trainingDatasetUri"))
        try:
            download = self._storage.read(*names.file(uri), timeout=LONG_TIMEOUT)
        except (NotFound, PermissionDenied):
            return None
        return Takeaway(content_type="application/jsonl", size=None, chunks=download.chunks)


def _existing(job: Told) -> Existing:
    name = names.job(reading.text(job.get("name")))
    source = reading.record(job, "preTunedModel")
    return Existing(
        model=name,
        display_name=reading.text(job.get("tunedModelDisplayName")) or name.rpartition("/")[2],
        base_model=reading.text(job.get("baseModel")) or reading.text(source.get("baseModel")),
        state=reading.status(job).state,
        created=reading.time(job.get("createTime")),
    )
