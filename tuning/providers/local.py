"""A tuning server of ours, on this machine or another, asked in the name of the person who is signed in."""

import hashlib
import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tuning import assertions, resources
from tuning.client import bearer
from tuning.client.tuneboard import Tuneboard
from tuning.errors import AlreadyExists, BadAnswer, NotFound, PermissionDenied
from tuning.jobs import Conditions, JobStatus, Point
from tuning.providers import reading
from tuning.providers.base import (
    Answer,
    ApiKey,
    BaseModel,
    Capabilities,
    ConnectionSettings,
    Export,
    Identity,
    JobRef,
    JobSpec,
    LogPage,
    Prompt,
    Sample,
    Takeaway,
    Tally,
)
from tuning.providers.local_engine import LocalEngine
from tuning.providers.local_existing import LocalExisting
from tuning.providers.local_keeping import LocalKeeping
from tuning.providers.local_sharing import LocalSharing
from tuning.resources import (
    Content,
    GenerateContentRequest,
    GenerationConfig,
    JobRecipe,
    Model,
    NewJob,
    Part,
    TunedModel,
    TunedModelSource,
    ValidationData,
)

TIMEOUT = 20.0
ID_CHARACTERS = 40
KEY_CHARACTERS = 12
"""Of an id that stand for the job's key: 62 bits."""
BASE_36 = string.digits + string.ascii_lowercase
OPERATION = re.compile(r"tunedModels/[a-z0-9-]+/operations/[a-z0-9-]+")
KEY_ID = re.compile(r"[0-9]{1,15}", re.ASCII)


class LocalProvider(LocalEngine, LocalExisting, LocalKeeping, LocalSharing):
    """The tuned-models API, and ``/tuneboard/v1`` beside it. A fresh assertion signs every request.

    A job is found again by its operation's name, ``tunedModels/ID/operations/OPERATION``.
    """

    capabilities = Capabilities(cancel=True, delete=True, permissions=True, validation=True)

    def __init__(self, settings: ConnectionSettings, identity: Identity) -> None:
        sign = bearer(lambda: assertions.issue(identity, settings.secret))
        self._service = Tuneboard(settings.base_url, sign, timeout=TIMEOUT)

    def base_models(self) -> Sequence[BaseModel]:
        offered = [_base_model(model) for model in self._service.models()]
        return sorted(offered, key=lambda model: not model.tunable)

    def create(self, spec: JobSpec) -> JobRef:
        dataset = self._sent(spec.dataset)
        validation = self._sent(spec.validation) if spec.validation else ""
        job = _new_job(spec, dataset, validation)
        try:
            return _ref(self._service.create_job(job).name)
        except AlreadyExists as taken:
            return self._sent_before(job.tuned_model_id, taken)

    def status(self, ref: JobRef) -> JobStatus:
        return self.refresh(ref, after=reading.NO_POINTS)[0]

    def points(self, ref: JobRef, after: int = 0) -> Sequence[Point]:
        return self.refresh(ref, after)[1]

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        with reading.answers():
            try:
                job = self._service.job(_model_id(ref), after=str(after))
            except NotFound:
                return self._plainly(_model_name(ref), after)
            return reading.status(job), reading.points(job)

    def log(self, ref: JobRef, after: int = 0) -> LogPage:
        with reading.answers():
            return reading.log(self._service.job(_model_id(ref), "log", after=str(after)))

    def samples(self, ref: JobRef) -> Sequence[Sample]:
        with reading.answers():
            return reading.samples(self._service.job(_model_id(ref), "samples"))

    def conditions(self, ref: JobRef) -> Conditions:
        with reading.answers():
            return reading.conditions(self._service.job(_model_id(ref), after=str(reading.NO_POINTS)))

    def export(self, ref: JobRef, form: Export) -> Takeaway:
        with reading.answers():
            return reading.takeaway(self._service.take(_model_id(ref), form))

    def cancel(self, ref: JobRef) -> None:
        self._service.cancel(ref)

    def delete(self, ref: JobRef) -> None:
        try:
            self._service.delete(_model_name(ref))
        except NotFound:
            return

    def generate(self, model: str, prompt: Prompt) -> Answer:
        answered = self._service.generate_content(model, _question(prompt))
        candidate = next(iter(answered.candidates), None)
        if candidate is None or candidate.content is None:
            raise BadAnswer(detail="an answer without candidates")
        usage = answered.usage_metadata
        return Answer(
            text="".join(part.text or "" for part in candidate.content.parts),
            finish_reason=candidate.finish_reason,
            prompt_tokens=usage.prompt_token_count if usage else 0,
            answer_tokens=usage.candidates_token_count if usage else 0,
        )

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

    def _sent_before(self, model_id: str, taken: AlreadyExists) -> JobRef:
        """The job that an earlier ``create`` with the same key made; its answer was lost. Raises ``taken`` else."""
        try:
            job = self._service.job(model_id, after=str(reading.NO_POINTS))
        except (NotFound, PermissionDenied):
            raise taken from None
        return _ref(job.get("operation"))


def tuned_model_id(spec: JobSpec) -> str:
    """The id under which ``spec`` is sent: words of its display name, and an end that its key decides."""
    plain = unicodedata.normalize("NFKD", spec.display_name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)).lstrip(string.digits + "-") or "tuned-model"
    number = int.from_bytes(hashlib.sha256(spec.key.encode()).digest())
    end = "".join(BASE_36[number // 36**place % 36] for place in range(KEY_CHARACTERS))
    return f"{slug[: ID_CHARACTERS - KEY_CHARACTERS - 1].rstrip('-')}-{end}"


def _ref(operation: object) -> JobRef:
    if not isinstance(operation, str) or not OPERATION.fullmatch(operation):
        raise BadAnswer(detail="no operation's name")
    return JobRef(operation)


def _model_name(ref: JobRef) -> str:
    return ref.partition("/operations/")[0]


def _model_id(ref: JobRef) -> str:
    return _model_name(ref).removeprefix("tunedModels/")


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


def _question(prompt: Prompt) -> GenerateContentRequest:
    config = GenerationConfig(
        temperature=prompt.temperature,
        top_p=prompt.top_p,
        top_k=prompt.top_k,
        max_output_tokens=prompt.max_output_tokens,
    )
    content = Content(parts=(Part(text=prompt.text),), role="user")
    return GenerateContentRequest(contents=(content,), generation_config=config)


def _base_model(model: Model) -> BaseModel:
    return BaseModel(
        name=model.name,
        display_name=model.display_name or model.name,
        description=model.description,
        tunable="createTunedModel" in model.supported_generation_methods,
        input_token_limit=model.input_token_limit,
        output_token_limit=model.output_token_limit,
        temperature=model.temperature,
        top_p=model.top_p,
        top_k=model.top_k,
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
