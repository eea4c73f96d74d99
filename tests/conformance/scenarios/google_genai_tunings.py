"""``client.tunings`` of google-genai, in the versions that send the training data."""

from checks import LONG, PAIRS, check, made, refused, wait_until
from google.genai import errors, types
from google_genai_client import BASE, client

DATA = types.TuningDataset(examples=[types.TuningExample(text_input=one, output=two) for one, two in PAIRS])


def tune(base: str = BASE, epochs: int = 2) -> types.TuningJob:
    config = types.CreateTuningJobConfig(
        tuned_model_display_name="Seasons", epoch_count=epochs, batch_size=2, learning_rate=0.001
    )
    return client.tunings.tune(base_model=base, training_dataset=DATA, config=config)


@check("tunedModels.create")
def create() -> None:
    job = tune()
    assert job.state == types.JobState.JOB_STATE_QUEUED
    made.name = job.name


@check("tunedModels.get: tunings.get()")
def get_job() -> None:
    job = wait_until(lambda: ended(made.name))
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.tuned_model.model == made.name
    assert job.create_time <= job.start_time <= job.end_time


@check("tunedModels.list: tunings.list()")
def list_jobs() -> None:
    assert made.name in [job.name for job in client.tunings.list(config={"page_size": 1})]


@check("tunedModels.create: multiplier")
def create_with_multiplier() -> None:
    config = types.CreateTuningJobConfig(epoch_count=LONG, batch_size=2, learning_rate_multiplier=1.5)
    made.long_job = client.tunings.tune(base_model=BASE, training_dataset=DATA, config=config).name


@check("tunedModels.cancel")
def cancel() -> None:
    client.tunings.cancel(name=made.long_job)
    assert wait_until(lambda: ended(made.long_job)).state == types.JobState.JOB_STATE_FAILED


@check("error 404")
def unknown_base() -> None:
    with refused(errors.ClientError, "404", "gemini-9"):
        tune("models/gemini-9")


def ended(name: str) -> types.TuningJob | None:
    """The job once it is over: google-genai reads ACTIVE as SUCCEEDED, and CREATING as RUNNING."""
    job = client.tunings.get(name=name)
    return job if job.has_ended else None
