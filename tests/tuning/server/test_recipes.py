"""``POST /tuneboard/v1/jobs``: every hyperparameter, held-out examples, and what is told of them."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL
from tests.tuning.server.test_findings import sampled, validated
from tests.tuning.server.test_queue import claimed, make_job, point
from tuning.resources import Role
from tuning.server import files, retention
from tuning.server.keys import ApiKey, digest
from tuning.server.models import Job, Upload
from tuning.server.queue import Claim

pytestmark = pytest.mark.django_db

JOBS = "/tuneboard/v1/jobs"
DATA = "a" * 64


@pytest.fixture(autouse=True)
def folders(settings: Settings, tmp_path: Any) -> None:
    for name in ("TRAINING_DIR", "ADAPTERS_DIR", "SOURCES_DIR"):
        setattr(settings, name, tmp_path / name)


@pytest.fixture
def people() -> None:
    for who in ("ada", "bob", "cleo", "eve"):
        ApiKey.objects.create(name=who, owner=f"{who}@example.com", digest=digest(who))


@pytest.fixture
def ada(client: Client, people: None) -> Client:
    client.defaults["HTTP_X_GOOG_API_KEY"] = "ada"
    return client


def model(**chosen: object) -> dict[str, object]:
    """The tutorial's model, with hyperparameters as Google's API has them."""
    return TUTORIAL | {"tuning_task": TUTORIAL["tuning_task"] | {"hyperparameters": chosen}}


def post(client: Client, sent: dict[str, object]) -> HttpResponse:
    return client.post(JOBS, orjson.dumps(sent), content_type="application/json")


def create(client: Client, recipe: dict[str, object] | None = None, **more: object) -> Job:
    answer = post(client, {"tunedModel": model(), "recipe": recipe or {}} | more)
    assert answer.status_code == 200, answer.content
    return Job.objects.get(model_id=answer.json()["metadata"]["tunedModel"].removeprefix("tunedModels/"))


def told(client: Client, job: Job, query: str = "") -> dict[str, Any]:
    return dict(client.get(f"{JOBS}/{job.model_id}{query}").json())


def refused(answer: HttpResponse) -> str:
    assert answer.status_code == 400, answer.content
    return str(answer.json()["error"]["message"])


def upload(examples: int, data: str = DATA) -> None:
    Upload.objects.create(owner="ada@example.com", sha256=data, training_data=data, examples=examples, size=1)


def test_answer_is_the_operation_of_googles_create(ada: Client) -> None:
    answer = post(ada, {"tunedModelId": "mine", "tunedModel": TUTORIAL})
    operation = google.operation(answer.text)
    assert google.unpack(operation.metadata, google.Metadata).tuned_model == "tunedModels/mine"
    assert google.unpack(operation.metadata, google.Metadata).total_steps == 19


def test_recipe_is_used_and_told_as_it_was_asked_for(ada: Client) -> None:
    asked = {"epochCount": 2, "batchSize": 3, "learningRate": 0.002, "schedule": "cosine", "warmup": 0.1}
    asked |= {"weightDecay": 0.1, "gradientNorm": 0.5, "rank": 16, "alpha": 8, "dropout": 0.25, "longest": 64}
    asked |= {"seed": 7, "validation": 0.2, "patience": 1, "samples": 2}
    assert told(ada, create(ada, asked))["recipe"] == asked


def test_what_is_not_said_is_assumed(ada: Client) -> None:
    job = create(ada)
    recipe = told(ada, job)["recipe"]
    assert {name: recipe[name] for name in ("epochCount", "batchSize", "learningRate", "rank", "alpha")} == {
        "epochCount": 5,
        "batchSize": 4,
        "learningRate": 0.001,
        "rank": 8,
        "alpha": 16,
    }
    assert job.total_steps == 19


@pytest.mark.parametrize(
    ("examples", "expected"), [(1_000, (5, 4, 1e-3)), (1_001, (3, 8, 5e-4)), (10_001, (1, 16, 3e-4))]
)
def test_what_is_assumed_follows_the_size_of_the_dataset(
    ada: Client, examples: int, expected: tuple[int, int, float]
) -> None:
    upload(examples)
    job = create(ada, tunedModel={"baseModel": "models/gemini-1.0-pro-001"}, dataset=f"sha256:{DATA}")
    assert (job.epoch_count, job.batch_size, job.learning_rate) == expected


def test_multiplier_multiplies_what_would_be_assumed(ada: Client) -> None:
    upload(5_000)
    asked = {"learningRateMultiplier": 2}
    job = create(ada, asked, tunedModel={"baseModel": "models/gemini-1.0-pro-001"}, dataset=f"sha256:{DATA}")
    assert job.learning_rate == 0.001


def test_alpha_follows_the_rank(ada: Client) -> None:
    assert told(ada, create(ada, {"rank": 32}))["recipe"]["alpha"] == 64


def test_googles_hyperparameters_do_beside_a_recipe_that_says_others(ada: Client) -> None:
    recipe = told(ada, create(ada, {"rank": 4}, tunedModel=model(epoch_count=2)))["recipe"]
    assert (recipe["epochCount"], recipe["rank"]) == (2, 4)


def test_steps_are_those_of_the_examples_that_are_not_held_out(ada: Client) -> None:
    job = create(ada, {"validation": 0.2})  # 3 of 15
    assert job.total_steps == 15  # ceil(12 · 5 / 4)
    assert told(ada, job)["trainingData"]["heldOut"] == 3


def test_dataset_to_validate_on_leaves_the_training_data_whole(ada: Client) -> None:
    upload(6)
    job = create(ada, {"patience": 2}, validation={"dataset": f"sha256:{DATA}"})
    assert (job.total_steps, job.validation_data) == (19, DATA)
    assert told(ada, job)["trainingData"]["heldOut"] == 6


@pytest.mark.parametrize(
    ("recipe", "named"),
    [
        ({"epochCount": 0}, "recipe.epoch_count"),
        ({"batchSize": 1025}, "recipe.batch_size"),
        ({"learningRate": 0}, "recipe.learning_rate"),
        ({"learningRate": 2}, "recipe.learning_rate"),
        ({"learningRateMultiplier": 2000}, "recipe.learning_rate_multiplier"),
        ({"learningRate": 0.1, "learningRateMultiplier": 1}, "oneof"),
        ({"schedule": "steep"}, "one of constant, linear, cosine"),
        ({"warmup": 1.1}, "recipe.warmup"),
        ({"weightDecay": -0.1}, "recipe.weight_decay"),
        ({"gradientNorm": "Infinity"}, "recipe.gradient_norm"),
        ({"rank": 257}, "recipe.rank"),
        ({"rank": 1.5}, "recipe.rank"),
        ({"alpha": 0}, "recipe.alpha"),
        ({"dropout": 1}, "recipe.dropout"),
        ({"longest": 7}, "recipe.longest"),
        ({"seed": -1}, "recipe.seed"),
        ({"validation": 1}, "recipe.validation"),
        ({"validation": 0.1, "patience": 1001}, "recipe.patience"),
        ({"validation": 0.1, "samples": 21}, "recipe.samples"),
        ({"patience": 1}, "needs held-out examples"),
        ({"samples": 1}, "needs held-out examples"),
        ({"colour": "red"}, "colour"),
        *(({name: "NaN"}, "must be between") for name in ("learningRate", "warmup", "dropout", "alpha", "validation")),
    ],
)
def test_recipe_out_of_bounds_is_refused_by_its_path(ada: Client, recipe: dict[str, object], named: str) -> None:
    assert named in refused(post(ada, {"tunedModel": model(), "recipe": recipe}))
    assert not Job.objects.exists()


def test_what_google_said_is_not_said_again(ada: Client) -> None:
    sent = {"tunedModel": model(learning_rate_multiplier=2), "recipe": {"learningRate": 0.1}}
    assert "recipe.learning_rate" in refused(post(ada, sent))


def test_one_example_cannot_be_divided(ada: Client) -> None:
    upload(1)
    sent = {"tunedModel": {"baseModel": "models/gemini-1.0-pro-001"}, "dataset": f"sha256:{DATA}"}
    assert "none can be held out" in refused(post(ada, sent | {"recipe": {"validation": 0.5}}))


def test_share_and_dataset_to_validate_on_exclude_each_other(ada: Client) -> None:
    upload(6)
    sent = {"tunedModel": model(), "validation": {"dataset": f"sha256:{DATA}"}, "recipe": {"validation": 0.1}}
    assert "recipe.validation" in refused(post(ada, sent))


def test_model_without_a_model_is_refused(ada: Client) -> None:
    assert "tuned_model" in refused(post(ada, {"recipe": {}}))


def further(ada: Client, recipe: dict[str, object]) -> HttpResponse:
    source = create(ada, {"rank": 4})
    Job.objects.filter(pk=source.pk).update(state="SUCCEEDED")
    files.adapter(source).mkdir(parents=True)
    task = {"trainingData": {"examples": {"examples": [{"textInput": "1", "output": "2"}]}}}
    sent = {"tunedModelSource": {"tunedModel": source.name}, "tuningTask": task}
    return post(ada, {"tunedModelId": "further", "tunedModel": sent, "recipe": recipe})


def test_model_tuned_further_keeps_its_rank(ada: Client) -> None:
    assert further(ada, {"epochCount": 1}).status_code == 200
    recipe = Job.objects.get(model_id="further").recipe
    assert (recipe.rank, recipe.alpha) == (4, 8)


def test_model_tuned_further_takes_no_other_rank(ada: Client) -> None:
    assert "4, as in the model" in refused(further(ada, {"rank": 8}))


def run_some(ada: Client) -> Job:
    """A job of 15 steps that has made 6, with an epoch's end at 3 and 6."""
    job = create(ada, {"validation": 0.2, "samples": 1})
    claim = claimed()
    claim.record([point(step) for step in range(1, 7)])
    claim.validated([validated(3, 0.5), validated(6, float("nan"), best=False)])
    claim.sampled([sampled(3, "9"), sampled(6, "8")])
    return job


def test_validation_is_told_from_a_step_on(ada: Client) -> None:
    job = run_some(ada)
    assert [row[:3] for row in told(ada, job)["validation"]] == [[3, 1, 0.5], [6, 2, None]]
    assert [row[0] for row in told(ada, job, "?after=6")["validation"]] == [6]
    assert told(ada, job)["best"] == {"step": 3, "epoch": 1, "loss": 0.5}
    assert "stopped" not in told(ada, job)


def test_job_that_stops_early_says_where_and_is_done_all_the_same(ada: Client) -> None:
    job = run_some(ada)
    job.refresh_from_db()
    claim = Claim(job)
    claim.stopped(6)
    claim.succeed()
    assert told(ada, job)["stopped"] == 6
    operation = ada.get(f"/v1/{job.operation}").json()
    assert operation["metadata"]["completedSteps"] == 6
    assert operation["metadata"]["completedPercent"] == 100


def test_samples_are_told_prompt_by_prompt(ada: Client) -> None:
    job = run_some(ada)
    assert ada.get(f"{JOBS}/{job.model_id}/samples").json() == {
        "samples": [
            {
                "row": 1,
                "prompt": "7",
                "expected": "8",
                "answers": [{"step": 3, "epoch": 1, "answer": "9"}, {"step": 6, "epoch": 2, "answer": "8"}],
            }
        ]
    }


@pytest.mark.parametrize(("who", "role", "status"), [("bob", Role.WRITER, 200), ("cleo", Role.READER, 403)])
def test_samples_are_for_writers_but_not_for_readers(ada: Client, who: str, role: Role, status: int) -> None:
    job = run_some(ada)
    job.permissions.create(email=f"{who}@example.com", role=role)
    answer = ada.get(f"{JOBS}/{job.model_id}/samples", headers={"x-goog-api-key": who})
    assert answer.status_code == status


def test_official_paths_tell_nothing_new(ada: Client) -> None:
    job = run_some(ada)
    google.read(google.TunedModel, ada.get(f"/v1beta/{job.name}").text)
    google.operation(ada.get(f"/v1/{job.operation}").text)


def ended(days: int) -> Job:
    """A job of Ada's that ended so many days ago, and its data."""
    job = make_job("old", sent_by="ada@example.com", state="SUCCEEDED", training_data=DATA, completed_steps=9)
    job.permissions.create(email="ada@example.com", role=Role.OWNER)
    Job.objects.filter(pk=job.pk).update(finished=Now() - timedelta(days=days))
    files.training_data(DATA).parent.mkdir(exist_ok=True)
    files.training_data(DATA).write_text("{}\n")
    prompt = job.sample_prompts.create(row=1, prompt="7", expected="8")
    prompt.answers.create(step=9, epoch=1, answer="8")
    job.refresh_from_db()
    return job


def test_examples_are_kept_as_long_as_the_model_where_nothing_is_set(ada: Client) -> None:
    job = ended(days=5_000)
    retention.sweep()
    assert files.training_data(DATA).exists()
    assert told(ada, job)["trainingData"].keys() == {"sha256", "examples", "heldOut", "keptSince"}


def test_examples_go_when_their_time_is_over(ada: Client, settings: Settings) -> None:
    settings.TRAINING_DATA_DAYS = 30
    job = ended(days=31)
    retention.sweep()
    assert not files.training_data(DATA).exists()
    assert ada.get(f"{JOBS}/old/samples").json() == {"samples": []}
    answer = ada.get(f"{JOBS}/old/training-data")
    assert answer.status_code == 404
    assert "no longer there" in answer.json()["error"]["message"]
    assert told(ada, job)["trainingData"]["removed"]


def test_examples_stay_until_their_time_is_over(ada: Client, settings: Settings) -> None:
    settings.TRAINING_DATA_DAYS = 30
    job = ended(days=29)
    retention.sweep()
    assert ada.get(f"{JOBS}/old/training-data").status_code == 200
    assert job.finished is not None
    kept = told(ada, job)["trainingData"]["keptUntil"]
    assert kept.startswith((job.finished + timedelta(days=30)).strftime("%Y-%m-%d"))


def test_examples_that_a_younger_job_uses_stay_for_that_one(ada: Client, settings: Settings) -> None:
    settings.TRAINING_DATA_DAYS = 30
    ended(days=31)
    younger = make_job("younger", validation_data=DATA)
    younger.permissions.create(email="bob@example.com", role=Role.OWNER)
    retention.sweep()
    assert files.training_data(DATA).exists()
    assert ada.get(f"{JOBS}/old/training-data").status_code == 404


def test_dataset_sent_ahead_is_kept_no_longer_than_the_job_that_used_it(settings: Settings) -> None:
    settings.TRAINING_DATA_DAYS = 30
    ended(days=31)
    upload(1)
    Upload.objects.update(created=Now() - timedelta(days=31))
    retention.sweep()
    files.sweep()
    assert not Upload.objects.exists()
