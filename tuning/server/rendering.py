"""Jobs and base models as the API's resources."""

from tuning import resources
from tuning.jobs import JobState
from tuning.resources import GranteeType, ModelState, Role
from tuning.server.base_models import Offer
from tuning.server.messages import failure_sentence
from tuning.server.models import Job, Permission

STATES = {
    JobState.QUEUED: ModelState.CREATING,
    JobState.RUNNING: ModelState.CREATING,
    JobState.SUCCEEDED: ModelState.ACTIVE,
    JobState.FAILED: ModelState.FAILED,
    JobState.CANCELLED: ModelState.FAILED,
}

GEMINI = ("generateContent", "countTokens", "createTunedModel")
PALM = ("generateText", "countTextTokens", "createTunedTextModel")
METHODS = GEMINI + PALM
"""What scripts look for in a base model."""

CANCELLED, INTERNAL, RESOURCE_EXHAUSTED, INVALID_ARGUMENT = 1, 13, 8, 3
"""gRPC codes (https://grpc.io/docs/guides/status-codes/)."""
FAILURE_CODES = {
    "out_of_memory": RESOURCE_EXHAUSTED,
    "disk_full": RESOURCE_EXHAUSTED,
    "example_too_long": INVALID_ARGUMENT,
    "no_labels": INVALID_ARGUMENT,
    "diverged": INVALID_ARGUMENT,
}


def tuned_model(job: Job) -> resources.TunedModel:
    """The tuned model of ``job``; its training data is never shown."""
    return resources.TunedModel(
        name=job.name,
        base_model=None if job.source else job.base_asked,
        tuned_model_source=_source(job) if job.source else None,
        display_name=job.display_name,
        description=job.description,
        state=STATES[JobState(job.state)],
        create_time=job.created,
        update_time=job.updated,
        tuning_task=_tuning_task(job),
        reader_project_numbers=tuple(job.reader_project_numbers),
        temperature=job.temperature,
        top_p=job.top_p,
        top_k=job.top_k,
    )


def _source(job: Job) -> resources.TunedModelSource:
    return resources.TunedModelSource(tuned_model=job.source, base_model=job.base_asked)


def permission(granted: Permission) -> resources.Permission:
    return resources.Permission(
        name=granted.name,
        grantee_type=GranteeType(granted.grantee_type),
        email_address=granted.email or None,
        role=Role(granted.role),
    )


def operation(job: Job) -> resources.Operation:
    return resources.Operation(
        name=job.operation,
        metadata=resources.CreateTunedModelMetadata(
            total_steps=job.total_steps,
            completed_steps=job.completed_steps,
            completed_percent=_percent(job),
            snapshots=_snapshots(job),
            tuned_model=job.name,
        ),
        done=job.is_final,
        error=_failure(job),
        response=tuned_model(job) if job.state == JobState.SUCCEEDED else None,
    )


def _percent(job: Job) -> float:
    """A job that stopped early, because it had learnt what there was to learn, is as done as any."""
    return 100.0 if job.state == JobState.SUCCEEDED else 100 * job.completed_steps / job.total_steps


def base_model(offer: Offer) -> resources.Model:
    entry = offer.entry
    stands_for = f"Answered by {entry.display_name}. " if offer.is_alias else ""
    return resources.Model(
        name=offer.name,
        version="001",
        display_name=offer.name.removeprefix("models/") if offer.is_alias else entry.display_name,
        description=stands_for + entry.description,
        input_token_limit=entry.input_token_limit,
        output_token_limit=entry.output_token_limit,
        supported_generation_methods=METHODS,
        temperature=offer.temperature,
        top_p=offer.top_p,
        top_k=offer.top_k,
    )


def _tuning_task(job: Job) -> resources.TuningTask:
    return resources.TuningTask(
        start_time=job.started,
        complete_time=job.finished,
        snapshots=_snapshots(job),
        hyperparameters=resources.Hyperparameters(
            epoch_count=job.epoch_count, batch_size=job.batch_size, learning_rate=job.learning_rate
        ),
    )


def _snapshots(job: Job) -> resources.Snapshots:
    curve = job.curve()
    return resources.PackedSnapshots(curve) if curve else ()


def _failure(job: Job) -> resources.Status | None:
    match job.state:
        case JobState.CANCELLED:
            return resources.Status(code=CANCELLED, message=failure_sentence("cancelled"))
        case JobState.FAILED:
            code = FAILURE_CODES.get(job.failure_code, INTERNAL)
            return resources.Status(code=code, message=failure_sentence(job.failure_code))
    return None
