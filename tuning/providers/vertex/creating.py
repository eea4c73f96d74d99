"""How a job is started at Vertex AI, once and no more.

Vertex AI has no word for "this job and no second one". So the job's key is a label of it, and whoever creates it claims
an object in the bucket by that label first, of which there can be one: what was claimed is created by who claimed it,
and anybody else finds it in the list. A create whose answer was lost is looked for before it is ever sent again.
"""

import hashlib
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf

from tuning.client.google_cloud import PIECE, CloudStorage, GoogleCloud, Told
from tuning.errors import BadAnswer, Internal, ServiceError, Unavailable
from tuning.providers.base import JobRef, JobSpec
from tuning.providers.vertex import datasets, names, reading
from tuning.recipes import Recipe, assumed

logger = logging.getLogger(__name__)

FOLDER = "tuneboard"
LABEL = "tuneboard"
LOOKED_THROUGH = 1_000
"""Jobs of a project among which one that was sent before is looked for."""
UPLOAD_SECONDS = 120.0
"""After which an upload pauses, to go on with the next try."""
CLAIM = timedelta(seconds=120)
"""How long a claim keeps others from creating the job: a create is answered, or given up, long before."""
WAIT = 10.0
NAME_CHARACTERS = 128


class Creating:
    """:meth:`tuning.providers.Provider.create`."""

    _service: GoogleCloud
    _storage: CloudStorage
    _parent: str
    _bucket: str

    def create(self, spec: JobSpec) -> JobRef:
        with self._service.within(spec.patience), self._storage.within(spec.patience):
            return self._taken(spec)

    def _taken(self, spec: JobSpec) -> JobRef:
        label = hashlib.sha256(spec.key.encode()).hexdigest()[:40]
        wanted = self._wanted(spec, label)
        if not self._claimed(label):
            if ref := self._sent_before(label):
                return ref
            raise Unavailable("being_started", retry_after=WAIT)
        return self._sent_before(label) or self._created(wanted, label)

    def _created(self, wanted: Told, label: str) -> JobRef:
        """Sent once. Where the answer says nothing about what became of it, it is looked for at once; what is not
        found then, the next call looks for, when the claim is over.
        """
        try:
            told = self._service.tell("POST", f"v1/{self._parent}/tuningJobs", wanted)
            return _ref(told)
        except (Unavailable, Internal) as lost:
            with suppress(ServiceError):
                if ref := self._sent_before(label):
                    return ref
            raise lost from None
        except ServiceError:
            with suppress(ServiceError):
                self._storage.remove(names.bucket(self._bucket), _claim(label))
            raise

    def _sent_before(self, label: str) -> JobRef | None:
        """The job of that label, if there is one."""
        jobs = islice(self._service.pages(f"v1/{self._parent}/tuningJobs", "tuningJobs"), LOOKED_THROUGH)
        with reading.answers():
            return next((_ref(job) for job in jobs if reading.record(job, "labels").get(LABEL) == label), None)

    def _claimed(self, label: str) -> bool:
        """Whether it is this call's turn to create. A claim that came to nothing is taken over, by one."""
        bucket, name = names.bucket(self._bucket), _claim(label)
        if self._storage.claim(bucket, name):
            return True
        there = self._storage.object(bucket, name) or {}
        with reading.answers():
            made = reading.time(there.get("timeCreated"))
            is_old = made is not None and datetime.now(UTC) - made > CLAIM
            return is_old and self._storage.claim(bucket, name, instead=reading.text(there.get("generation")))

    def _wanted(self, spec: JobSpec, label: str) -> Told:
        """The job as Vertex AI is asked for it, its examples sent ahead."""
        with datasets.written(spec) as (learnt, measured):
            training = {"trainingDatasetUri": self._sent(learnt, spec)}
            if measured:
                training["validationDatasetUri"] = self._sent(measured, spec)
            parameters = _parameters(spec.recipe, learnt.examples)
        return {
            **self._source(spec),
            "tunedModelDisplayName": spec.display_name[:NAME_CHARACTERS],
            "labels": {LABEL: label},
            "supervisedTuningSpec": {**training, "hyperParameters": parameters},
            **({"description": spec.description} if spec.description else {}),
        }

    def _source(self, spec: JobSpec) -> Told:
        """The base model, or the tuned one that is tuned further: of its endpoint, the model that is deployed there."""
        if not spec.tuned_from:
            return {"baseModel": spec.base_model}
        endpoint = self._service.tell("GET", f"v1/{names.endpoint(spec.tuned_from)}")
        with reading.answers():
            deployed = endpoint["deployedModels"][0]
            model, version = reading.text(deployed["model"]), reading.text(deployed.get("modelVersionId"))
            checkpoint = reading.text(deployed.get("checkpointId"))
        source = {"tunedModelName": names.model(f"{model}@{version}" if version and "@" not in model else model)}
        return {"preTunedModel": source | ({"checkpointId": checkpoint} if checkpoint else {})}

    def _sent(self, sent: datasets.Sent, spec: JobSpec) -> str:
        """Where the file is, after it was sent there. Named by its hash, so that sending it twice is harmless. While
        somebody waits, only one of a single piece is sent: they rather watch the others go.
        """
        bucket, name = names.bucket(self._bucket), f"{FOLDER}/{sent.sha256}.jsonl"
        most = inf if spec.patience is None else PIECE
        self._storage.send(bucket, name, sent.file, budget=UPLOAD_SECONDS, most=most, heard=spec.heard)
        return f"gs://{bucket}/{name}"


def _parameters(recipe: Recipe, examples: int) -> Told:
    """A multiplier multiplies the rate that Google chooses; ours that would be 1 is what is usual for so many
    examples.
    """
    size = min(reading.SIZES, key=lambda name: abs(reading.SIZES[name] - recipe.rank))
    multiplier = recipe.learning_rate / assumed(examples).learning_rate
    return {
        "epochCount": str(recipe.epoch_count),
        "learningRateMultiplier": round(multiplier, 6) or 1e-6,
        "adapterSize": size,
    }


def _claim(label: str) -> str:
    return f"{FOLDER}/claims/{label}"


def _ref(job: Told) -> JobRef:
    name = job.get("name")
    if not isinstance(name, str) or not names.JOB.fullmatch(name):
        raise BadAnswer(detail="no tuning job's name")
    return JobRef(name)
