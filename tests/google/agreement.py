"""A day of google-genai's own Vertex client against the stand-in. Runs in that client's environment, without our code.

What it sends, and that it can read what is answered, is what is tried: ``test_agreement.py`` looks at the rest.
"""

import json
import os

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

URL, PROJECT, LOCATION = (os.environ[f"CLOUD_{name}"] for name in ("URL", "PROJECT", "LOCATION"))
TRAINING, VALIDATION = os.environ["CLOUD_TRAINING"], os.environ["CLOUD_VALIDATION"]

client = genai.Client(
    vertexai=True,
    project=PROJECT,
    location=LOCATION,
    credentials=Credentials(token=os.environ["CLOUD_TOKEN"]),
    http_options=types.HttpOptions(base_url=URL, api_version="v1"),
)


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def described(job: types.TuningJob) -> dict[str, object]:
    return {"name": job.name, "state": job.state and job.state.name, "base_model": job.base_model}


def main() -> None:
    created = client.tunings.tune(
        base_model="gemini-2.5-flash",
        training_dataset=types.TuningDataset(gcs_uri=TRAINING),
        config=types.CreateTuningJobConfig(
            epoch_count=2,
            learning_rate_multiplier=0.5,
            adapter_size=types.AdapterSize.ADAPTER_SIZE_FOUR,
            tuned_model_display_name="Numbers",
            validation_dataset=types.TuningValidationDataset(gcs_uri=VALIDATION),
        ),
    )
    tell(created=described(created))
    tell(got=described(client.tunings.get(name=created.name)))
    tell(listed=[job.name for job in client.tunings.list(config={"page_size": 1})])
    other = client.tunings.tune(
        base_model="gemini-2.5-flash-lite", training_dataset=types.TuningDataset(gcs_uri=TRAINING)
    )
    client.tunings.cancel(name=other.name)
    tell(cancelled=described(client.tunings.get(name=other.name)))
    tell(listed=[job.name for job in client.tunings.list(config={"page_size": 1})])
    job = created
    while not job.has_ended:
        job = client.tunings.get(name=created.name)  # the stand-in is in a hurry
    points = [(point.checkpoint_id, point.epoch, point.step, point.endpoint) for point in job.tuned_model.checkpoints]
    tell(ended=described(job), model=job.tuned_model.model, endpoint=job.tuned_model.endpoint, checkpoints=points)
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    tell(examples=stats.tuning_dataset_example_count, experiment=job.experiment)
    config = types.GenerateContentConfig(temperature=0.0, max_output_tokens=8)
    for model in ("gemini-2.5-flash", job.tuned_model.endpoint):
        answer = client.models.generate_content(model=model, contents="41", config=config)
        tell(answered=answer.text, reason=answer.candidates[0].finish_reason.name)
    stream = client.models.generate_content_stream(model=job.tuned_model.endpoint, contents="so many words")
    tell(streamed=[chunk.text for chunk in stream])
    tell(counted=client.models.count_tokens(model="gemini-2.5-flash", contents="three words here").total_tokens)
    try:
        client.tunings.get(name=f"{created.name}0")
    except errors.ClientError as error:
        tell(missing=[error.code, error.status])


main()
