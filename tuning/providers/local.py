"""A tuning server of ours, on this machine or another, asked in the name of the person who is signed in."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tuning import assertions, resources, wire
from tuning.client import LONG_TIMEOUT, bearer
from tuning.client.tuneboard import Tuneboard
from tuning.errors import AlreadyExists, NotFound, PermissionDenied
from tuning.jobs import Conditions, JobStatus, Point
from tuning.providers import reading
from tuning.providers.base import (
    ApiKey,
    Capabilities,
    ConnectionSettings,
    Export,
    Identity,
    JobRef,
    JobSpec,
    LogPage,
    Sample,
    Takeaway,
    Tally,
)
from tuning.providers.existing import Found
from tuning.providers.local_engine import LocalEngine
from tuning.providers.local_keeping import LocalKeeping
from tuning.providers.tuned_models import TunedModelsProvider, telling
from tuning.providers.tuned_models.names import model_id, model_name, ref_of, tuned_model_id
from tuning.recipes import Recipe
from tuning.resources import JobRecipe, NewJob, TunedModel, TunedModelSource, ValidationData

TIMEOUT = 20.0
KEY_ID = re.compile(r"[0-9]{1,15}", re.ASCII)


class LocalProvider(TunedModelsProvider, LocalEngine, LocalKeeping):
    """The tuned-models API, and ``/tuneboard/v1`` beside it. A fresh assertion signs every request."""

    capabilities = Capabilities(cancel=True, delete=True, permissions=True, streaming=True, validation=True)
    _service: Tuneboard

    def __init__(self, settings: ConnectionSettings, identity: Identity) -> None:
        sign = bearer(lambda: assertions.issue(identity, settings.secret))
        super().__init__(Tuneboard(settings.base_url, sign, timeout=TIMEOUT, long_timeout=LONG_TIMEOUT))

    def create(self, spec: JobSpec) -> JobRef:
        with self._service.within(spec.patience):
            dataset = self._sent(spec.dataset)
            validation = self._sent(spec.validation) if spec.validation else ""
            job = _new_job(spec, dataset, validation)
            try:
                return ref_of(self._service.create_job(job).name)
            except AlreadyExists as taken:
                return self._sent_before(spec, taken)

    def status(self, ref: JobRef) -> JobStatus:
        return self.refresh(ref, after=reading.NO_POINTS)[0]

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        with reading.answers():
            try:
                job = self._service.job(_id(ref), after=str(after))
            except NotFound:
                return super().refresh(ref, after)
            return reading.status(job), reading.points(job)

    def found(self, model: str) -> Found:
        with reading.answers():
            try:
                told = self._service.job(model_id(model))
            except NotFound:
                return self._told(model)
            return _found(self._service.get(model), told)

    def training_data(self, ref: JobRef) -> Takeaway | None:
        try:
            return reading.takeaway(self._service.take(_id(ref), "training-data"))
        except (NotFound, PermissionDenied):
            return None

    def log(self, ref: JobRef, after: int = 0) -> LogPage:
        with reading.answers():
            return reading.log(self._service.job(_id(ref), "log", after=str(after)))

    def samples(self, ref: JobRef) -> Sequence[Sample]:
        with reading.answers():
            return reading.samples(self._service.job(_id(ref), "samples"))

    def conditions(self, ref: JobRef) -> Conditions:
        with reading.answers():
            return reading.conditions(self._service.job(_id(ref), after=str(reading.NO_POINTS)))

    def export(self, ref: JobRef, form: Export) -> Takeaway:
        with reading.answers():
            return reading.takeaway(self._service.take(_id(ref), form))

    def tally(self, base_model: str, dataset: Path) -> Tally:
        with reading.answers():
            return reading.tally(self._service.count_tokens_of(base_model, self._sent(dataset)))

    def api_keys(self) -> Sequence[ApiKey]:
        return [_api_key(key) for key in self._service.api_keys()]

    def create_api_key(self, name: str) -> ApiKey:
        return _api_key(self._service.create_api_key(name))

    def revoke_api_key(self, key_id: str) -> None:
        if not KEY_ID.fullmatch(key_id):
            raise NotFound("key_missing")
        self._service.revoke_api_key(key_id)

    def _sent(self, dataset: Path) -> str:
        """The name of ``dataset`` at the service, after it was sent there."""
        with dataset.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self._service.send_dataset(sha256, file)
        return f"sha256:{sha256}"


def _id(ref: JobRef) -> str:
    return model_id(model_name(ref))


def _new_job(spec: JobSpec, dataset: str, validation: str) -> NewJob:
    return NewJob(
        tuned_model_id=tuned_model_id(spec),
        tuned_model=TunedModel(
            display_name=spec.display_name,
            description=spec.description,
            base_model=None if spec.tuned_from else spec.base_model,
            tuned_model_source=TunedModelSource(tuned_model=spec.tuned_from) if spec.tuned_from else None,
        ),
        dataset=dataset,
        validation=ValidationData(dataset=validation) if validation else None,
        recipe=JobRecipe(**asdict(spec.recipe)),
    )


def _found(model: TunedModel, told: dict[str, Any]) -> Found:
    recipe = wire.loads(JobRecipe, orjson.dumps(told["recipe"]), ignore_unknown=True)
    said = {name: value for name, value in asdict(recipe).items() if value is not None}
    return Found(
        job=telling.existing(model),
        ref=JobRef(told["operation"]),
        recipe=Recipe(**said),
        examples=int(told["trainingData"]["examples"]),
        status=reading.status(told),
        points=reading.points(told),
        description=model.description,
        tuned_from=telling.source(model),
    )


def _api_key(key: resources.ApiKey) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        ending=key.ending,
        text=key.key,
        created=key.created,
        last_used=key.last_used,
        revoked=key.revoked,
    )
