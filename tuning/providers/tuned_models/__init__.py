"""A service that is known to speak the tuned-models API and nothing besides: Google's, ours, or another's."""

from collections.abc import Iterator, Sequence

import orjson

from tuning.client import TunedModels
from tuning.errors import AlreadyExists, InvalidRequest, NotFound, PermissionDenied
from tuning.jobs import JobStatus, Point
from tuning.providers import reading
from tuning.providers.base import Capabilities, JobRef, JobSpec, Takeaway
from tuning.providers.existing import Existing, Found
from tuning.providers.tuned_models import telling
from tuning.providers.tuned_models.asking import Asking
from tuning.providers.tuned_models.names import UNKNOWN, model_id, model_name, ref_of, tuned_model_id
from tuning.providers.tuned_models.sharing import Sharing
from tuning.resources import (
    Dataset,
    Example,
    Examples,
    Hyperparameters,
    Operation,
    TunedModel,
    TunedModelSource,
    TuningTask,
)

__all__ = ["TunedModelsProvider", "tuned_model_id"]


SENT = frozenset({"epoch_count", "batch_size", "learning_rate"})
"""Of a recipe, what the API's hyperparameters have."""


class TunedModelsProvider(Asking, Sharing):
    """What the API itself has: the examples travel within the create request, losses are the model's snapshots.

    A job is found again by its operation's name, ``tunedModels/ID/operations/OPERATION``. Its id is made of the job's
    key, so that a create whose answer was lost is found again.
    """

    capabilities = Capabilities(cancel=True, delete=True, permissions=True, streaming=True, recipe=SENT)

    def __init__(self, service: TunedModels) -> None:
        self._service = service

    def create(self, spec: JobSpec) -> JobRef:
        model = _described(spec)
        with self._service.within(spec.patience):
            try:
                return ref_of(self._service.create(model, tuned_model_id(spec)).name)
            except AlreadyExists as taken:
                return self._sent_before(spec, taken)

    def status(self, ref: JobRef) -> JobStatus:
        return self.refresh(ref)[0]

    def points(self, ref: JobRef, after: int = 0) -> Sequence[Point]:
        return self.refresh(ref, after)[1]

    def refresh(self, ref: JobRef, after: int = 0) -> tuple[JobStatus, Sequence[Point]]:
        found = self._told(model_name(ref))
        return found.status, [point for point in found.points if point.step > after]

    def cancel(self, ref: JobRef) -> None:
        self._service.cancel(ref)

    def delete(self, ref: JobRef) -> None:
        try:
            self._service.delete(model_name(ref))
        except NotFound:
            return

    def existing(self) -> Iterator[Existing]:
        return map(telling.existing, self._service.list())

    def found(self, model: str) -> Found:
        return self._told(model)

    def training_data(self, ref: JobRef) -> Takeaway | None:
        """The API takes examples and never hands them out."""
        return None

    def _told(self, model: str) -> Found:
        """What model and operation say, which is two requests."""
        with reading.answers():
            name = f"tunedModels/{model_id(model)}"
            return telling.found(self._service.get(name), self._operation(name))

    def _sent_before(self, spec: JobSpec, taken: AlreadyExists) -> JobRef:
        """The job that an earlier ``create`` with the same key made; its answer was lost. Raises ``taken`` else."""
        name = f"tunedModels/{tuned_model_id(spec)}"
        try:
            self._service.get(name)
        except (NotFound, PermissionDenied):
            raise taken from None
        return ref_of(self._operation(name).name)

    def _operation(self, model: str) -> Operation:
        """That made ``model``; one that says nothing where the service tells of none."""
        try:
            operation = next(self._service.operations(model), None)
        except (NotFound, InvalidRequest):
            operation = None
        return operation or Operation(name=f"{model}/operations/{UNKNOWN}")


def _described(spec: JobSpec) -> TunedModel:
    """``spec`` as the API has it. Raises ``InvalidRequest`` where it asks for more than that can say."""
    if spec.validation or spec.recipe.validation:
        raise InvalidRequest("validation_unknown")
    task = TuningTask(
        hyperparameters=Hyperparameters(
            epoch_count=spec.recipe.epoch_count,
            batch_size=spec.recipe.batch_size,
            learning_rate=spec.recipe.learning_rate,
        ),
        training_data=Dataset(examples=Examples(examples=tuple(_examples(spec)))),
    )
    return TunedModel(
        display_name=spec.display_name,
        description=spec.description,
        base_model=None if spec.tuned_from else spec.base_model,
        tuned_model_source=TunedModelSource(tuned_model=spec.tuned_from) if spec.tuned_from else None,
        tuning_task=task,
    )


def _examples(spec: JobSpec) -> Iterator[Example]:
    with spec.dataset.open("rb") as rows:
        for row in rows:
            pair = orjson.loads(row)
            yield Example(text_input=pair["text_input"], output=pair["output"])
