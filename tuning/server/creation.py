"""From a create request to a queued job: every limit of the API, and what is assumed where nothing is said.

Limits: https://ai.google.dev/gemini-api/docs/model-tuning and the service's own answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from tuning.assertions import Identity
from tuning.errors import AlreadyExists, FailedPrecondition, InvalidRequest, ServiceError
from tuning.jobs import JobState, total_steps
from tuning.recipes import TOTAL_STEPS, held_out
from tuning.resources import Example, Hyperparameters, JobRecipe, Role, TunedModel
from tuning.server import base_models, files, hyperparameters, names, uploads
from tuning.server.hyperparameters import Held
from tuning.server.models import Job, Upload

DISPLAY_NAME_CHARACTERS = 40
DESCRIPTION_CHARACTERS = 10_000
PROJECT_NUMBERS = 1_000
INPUT_CHARACTERS = 40_000
OUTPUT_CHARACTERS = 5_000

ID_TRIES = 5

TASK = "tuned_model.tuning_task"


@dataclass(frozen=True, kw_only=True, slots=True)
class More:
    """What may come with a tuned model beside it. ``upload`` holds the examples, where they are not in the model."""

    upload: Upload | None = None
    validation: Upload | None = None
    recipe: JobRecipe | None = None


def create(
    owner: Identity,
    model: TunedModel,
    chosen_id: str,
    version: str,
    *,
    source: Job | None = None,
    more: More = More(),
) -> Job:
    """Queue the job that ``model`` and what comes with it ask for; given a ``source``, it goes on from that job's
    tuned model. Raises ``InvalidRequest``, ``NotFound``, ``FailedPrecondition`` or ``AlreadyExists``.
    """
    if chosen_id:
        names.check_model_id(chosen_id)
    check_presentation(model)
    draft = Job(api_version=version, operation_id=names.operation_id())
    draft.display_name, draft.description = model.display_name, model.description
    draft.reader_project_numbers = list(model.reader_project_numbers)
    _choose_base(draft, model, source)
    examples = _no_examples(model) if more.upload else _checked_examples(model)
    draft.example_count = more.upload.examples if more.upload else len(examples)
    _choose_recipe(draft, more, source, model.tuning_task.hyperparameters if model.tuning_task else None)
    with files.locked():
        draft.validation_data = uploads.hold(more.validation) if more.validation else ""
        draft.training_data = uploads.hold(more.upload) if more.upload else files.keep_training_data(examples)
        try:
            if source:
                files.keep_source(draft, source)
            return _insert(draft, owner, chosen_id)
        except ServiceError:
            files.free(draft)
            raise


def check_presentation(model: TunedModel) -> None:
    """What tells people and projects about a model. Raises ``InvalidRequest``."""
    check_length("tuned_model.display_name", model.display_name, DISPLAY_NAME_CHARACTERS)
    check_length("tuned_model.description", model.description, DESCRIPTION_CHARACTERS)
    if "\0" in model.display_name + model.description:
        raise InvalidRequest("out_of_range", field="tuned_model", value="a NUL character", rule="text")
    check_range("tuned_model.reader_project_numbers (count)", len(model.reader_project_numbers), 0, PROJECT_NUMBERS)
    for number in model.reader_project_numbers:
        check_range("tuned_model.reader_project_numbers", number, -(2**63), 2**63 - 1)


def check_sampling(model: TunedModel) -> None:
    """What is said about sampling. Raises ``InvalidRequest``."""
    for name, value, highest in (
        ("temperature", model.temperature, 1),
        ("top_p", model.top_p, 1),
        ("top_k", model.top_k, 1_000_000),
    ):
        if value is not None:
            check_range(f"tuned_model.{name}", value, 0, highest)


def _choose_base(draft: Job, model: TunedModel, source: Job | None) -> None:
    """The base model and how its answers are sampled unless the request says otherwise."""
    named = source.base_asked if source else model.base_model
    if not named:
        raise InvalidRequest("base_model_unnamed")
    check_sampling(model)
    offer = base_models.find(named)
    draft.base_asked, draft.base = offer.name, offer.entry.name
    if source:
        if source.state != JobState.SUCCEEDED:
            raise FailedPrecondition("source_not_active", name=source.name)
        # The very base it was tuned on: a name of the service's may stand for another by now.
        draft.source, draft.base = source.name, source.base
    draft.temperature = offer.temperature if model.temperature is None else model.temperature
    draft.top_p = offer.top_p if model.top_p is None else model.top_p
    draft.top_k = offer.top_k if model.top_k is None else model.top_k


def _no_examples(model: TunedModel) -> Sequence[Example]:
    if model.tuning_task and model.tuning_task.training_data:
        raise InvalidRequest("training_data_twice")
    return ()


def _checked_examples(model: TunedModel) -> Sequence[Example]:
    data = model.tuning_task.training_data if model.tuning_task else None
    examples = data.examples.examples if data and data.examples else ()
    if not examples:
        raise InvalidRequest("training_data_missing")
    for index, example in enumerate(examples):
        field = f"{TASK}.training_data.examples.examples[{index}]"
        for name, text, limit in (
            ("text_input", example.text_input, INPUT_CHARACTERS),
            ("output", example.output, OUTPUT_CHARACTERS),
        ):
            if not text:
                raise InvalidRequest("nothing_given", field=f"{field}.{name}")
            check_length(f"{field}.{name}", text, limit)
    return examples


def _choose_recipe(draft: Job, more: More, source: Job | None, google: Hyperparameters | None) -> None:
    """How the model is tuned, and how many steps that takes: held-out examples are none to learn from."""
    draft.validation_count = more.validation.examples if more.validation else 0
    held = Held(examples=draft.example_count, validation=draft.validation_count)
    recipe = hyperparameters.choose(google, more.recipe, held, source=source.recipe if source else None)
    draft.recipe = recipe
    apart = held_out(draft.example_count, recipe.validation)
    draft.validation_count += apart
    draft.total_steps = total_steps(draft.example_count - apart, recipe.epoch_count, recipe.batch_size)
    check_range(f"{TASK} (steps)", draft.total_steps, 1, TOTAL_STEPS)


def _insert(draft: Job, owner: Identity, chosen_id: str) -> Job:
    """Save ``draft`` as ``owner``'s, under the name the caller chose or one of ours. Raises ``AlreadyExists``."""
    draft.created = draft.updated = timezone.now()
    draft.sent_by = owner.email.lower()
    for _ in range(ID_TRIES):
        draft.model_id = chosen_id or names.model_id(draft.display_name)
        try:
            with transaction.atomic():
                draft.save(force_insert=True)
                draft.permissions.create(email=owner.email.lower(), role=Role.OWNER)
        except IntegrityError:
            if chosen_id:
                break
        else:
            return draft
    raise AlreadyExists(name=draft.name)


def check_length(field: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidRequest("too_long", field=field, limit=limit, length=len(text))


def check_range(field: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:  # so NaN is refused, too
        raise InvalidRequest("out_of_range", field=field, value=value, rule=f"between {lowest} and {highest}")
