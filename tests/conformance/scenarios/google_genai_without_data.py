"""``client.tunings`` of google-genai since 1.47: it takes the training data and does not send it."""

import json
from urllib.request import Request, urlopen

from checks import EXAMPLES, KEY, URL, check, made, refused, wait_until
from google import genai
from google.genai import errors, types
from google_genai_client import BASE, client


@check("tunedModels.create: refused, the data never came")
def create_without_data() -> None:
    data = types.TuningDataset(examples=[types.TuningExample(**example) for example in EXAMPLES])
    with refused(errors.ClientError, "400", "google-genai since 1.47 drop the training data", "google-genai 1.44"):
        client.tunings.tune(base_model=BASE, training_dataset=data)


@check("tunedModels.get: tunings.get()")
def get_job() -> None:
    made.name = create_by_http()
    job = wait_until(lambda: ended(made.name))
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.tuned_model.model == made.name


@check("tunedModels.get: on v1")
def get_on_v1() -> None:
    since_3 = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=URL))  # v1 by default
    assert since_3.models.get(model=made.name).name == made.name


@check("tunedModels.cancel")
def cancel() -> None:
    name = create_by_http(epochs=1000)
    client.tunings.cancel(name=name)
    assert wait_until(lambda: ended(name)).state == types.JobState.JOB_STATE_FAILED
    client.models.delete(model=name)


def create_by_http(epochs: int = 2) -> str:
    """What to do instead: the same job in plain HTTP."""
    task = {
        "hyperparameters": {"epochCount": epochs, "batchSize": 2},
        "trainingData": {"examples": {"examples": EXAMPLES}},
    }
    body = json.dumps({"baseModel": BASE, "displayName": "Seasons", "tuningTask": task}).encode()
    headers = {"Content-Type": "application/json", "x-goog-api-key": KEY}
    with urlopen(Request(f"{URL}/v1beta/tunedModels", body, headers)) as answer:
        return str(json.load(answer)["metadata"]["tunedModel"])


def ended(name: str) -> types.TuningJob | None:
    job = client.tunings.get(name=name)
    return job if job.has_ended else None
