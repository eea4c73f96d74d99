"""A job's whole way through the jobs room, over HTTP to a real tuning server that really tunes the tiny model."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs import tasks
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory
from tests.processes import TuningServer, wait_until
from tests.scripted import answer, scripted
from tuning.jobs import JobState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("server")]


@pytest.fixture
def dataset(alice: User) -> Dataset:
    return DatasetFactory(owner=alice)


def form(dataset: Dataset, /, **changes: object) -> dict[str, object]:
    target = f"{Connection.objects.local().pk}:models/tiny-llama"
    described = {"dataset": dataset.pk, "target": target, "display_name": "Number generator"}
    return described | {"epoch_count": 5, "batch_size": 4, "learning_rate": 0.001} | changes


def start(browser: Client, dataset: Dataset, /, **changes: object) -> Job:
    answer = browser.post("/jobs/new/", form(dataset, **changes))
    assert answer.status_code == 302, answer.content.decode()
    return Job.objects.get()


def ended(job: Job) -> bool:
    Job.objects.update(synced_at=None)
    job.refresh_quietly()
    job.refresh_from_db()
    return job.is_final


def test_job_goes_from_the_form_to_its_last_step(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset)
    assert job.total_steps == 19
    wait_until(lambda: ended(job))
    assert job.state == JobState.SUCCEEDED
    assert job.completed_steps == 19
    assert job.model.startswith("tunedModels/number-generator")
    assert "Ask the model" in browser.get(f"/jobs/{job.pk}/").content.decode()


def test_job_with_held_out_examples_tells_what_it_found_out(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset, epoch_count=3, validation="0.2", samples=2, rank=4, schedule="cosine")
    assert job.total_steps == 9  # 12 of 15 examples, thrice, by fours
    wait_until(lambda: ended(job))
    assert (job.state, job.completed_steps) == (JobState.SUCCEEDED, 9)
    assert [row[:2] for row in job.validation] == [[3, 1], [6, 2], [9, 3]]
    assert job.best_loss == min(row[2] for row in job.validation)
    assert [len(sample["answers"]) for sample in job.samples] == [3, 3]
    assert job.lines.exists()
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert "This is the model that is kept" in page
    assert "After epoch 3, step 9" in page
    assert job.samples[0]["prompt"] in page


def test_job_is_measured_on_a_dataset_of_its_own_and_stops_early(
    browser: Client, alice: User, dataset: Dataset
) -> None:
    apart = DatasetFactory(owner=alice, name="Put aside", pairs=4)
    # So high a rate that the loss falls no more after the first epochs.
    said = {"epoch_count": 200, "learning_rate": 0.5, "patience": 1}
    job = start(browser, dataset, **said, validation_dataset=apart.pk)
    wait_until(lambda: ended(job))
    assert job.state == JobState.SUCCEEDED, job.failure_detail
    assert job.stopped_step == job.completed_steps < job.total_steps
    assert "Stopped early" in browser.get(f"/jobs/{job.pk}/").content.decode()


def test_model_is_downloaded_through_the_dashboard(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset, epoch_count=1)
    wait_until(lambda: ended(job))
    with ZipFile(BytesIO(downloaded(browser, job, "adapter"))) as archive:
        assert any(name.endswith("adapter_model.safetensors") for name in archive.namelist())
    for form in ("adapter.gguf", "merged.gguf"):  # the second is put together while the person waits
        assert wait_until(lambda form=form: downloaded(browser, job, form)).startswith(b"GGUF")  # type: ignore[misc]
    assert job.model.removeprefix("tunedModels/") in downloaded(browser, job, "modelfile").decode()


def downloaded(browser: Client, job: Job, form: str) -> bytes:
    """The file; nothing while a page says that it is still being written."""
    answer = browser.get(f"/jobs/{job.pk}/export/{form}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content) if answer.streaming else b""  # type: ignore[attr-defined]


def test_worker_sends_what_could_not_be_sent_and_only_once(alice: User) -> None:
    job = JobFactory(owner=alice, ref="")
    tasks.send.call(job.pk)
    tasks.send.call(job.pk)
    job.refresh_from_db()
    first = job.ref
    assert first
    Job.objects.update(ref="")  # as if the process had died before it noted the answer
    tasks.send.call(job.pk)
    job.refresh_from_db()
    assert job.ref == first


def test_job_is_cancelled_while_it_is_tuned(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset, epoch_count=1000, batch_size=1)
    browser.post(f"/jobs/{job.pk}/cancel/")
    wait_until(lambda: ended(job))
    assert job.state == JobState.CANCELLED
    assert "Cancelled" in browser.get(f"/jobs/{job.pk}/").content.decode()


def test_job_that_ended_meanwhile_is_not_said_to_be_cancelled(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset)
    wait_until(lambda: ended(job))
    Job.objects.update(state=JobState.RUNNING)  # as who has not looked since then knows it
    page = browser.post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()
    assert "had ended already" in page
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert not Entry.objects.filter(event="job.cancelled").exists()


def test_job_not_yet_sent_is_cancelled_without_its_service(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, ref="")
    browser.post(f"/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    tasks.send.call(job.pk)
    job.refresh_from_db()
    assert job.ref == ""


def test_deleting_hides_the_job_whose_model_its_service_keeps_for_the_bin(
    browser: Client, dataset: Dataset, server: TuningServer
) -> None:
    job = start(browser, dataset, epoch_count=1)
    wait_until(lambda: ended(job))
    key = server.api_key("alice@example.com")
    assert server.get(f"/v1beta/{job.model}", key).status_code == 200
    browser.post(f"/jobs/{job.pk}/delete/")
    assert browser.get(job.get_absolute_url()).status_code == 404
    assert server.get(f"/v1beta/{job.model}", key).status_code == 200


def test_job_deleted_at_its_service_says_so(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, ref="tunedModels/nobody-knows/operations/abc")
    browser.get(f"/jobs/{job.pk}/live/", headers={"HX-Request": "true"})
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert "no longer knows this job" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epoch_count", 0),
        ("epoch_count", 1001),
        ("batch_size", 16),
        ("batch_size", 0),
        ("learning_rate", 0),
        ("learning_rate", "nan"),
        ("learning_rate", 2),
        ("display_name", ""),
        ("display_name", "x" * 41),
        ("target", "1:models/unknown"),
        ("dataset", 999_999),
    ],
)
def test_field_out_of_bounds_is_refused_beside_it(browser: Client, dataset: Dataset, field: str, value: object) -> None:
    answer = browser.post("/jobs/new/", form(dataset, **{field: value}))
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert not Job.objects.exists()


def test_dataset_of_somebody_else_cannot_be_used(browser: Client) -> None:
    answer = browser.post("/jobs/new/", form(DatasetFactory()))
    assert "dataset" in answer.context["form"].errors


def test_refusal_of_the_service_is_shown_on_the_form(browser: Client, dataset: Dataset, settings: Settings) -> None:
    models = {"models": [{"name": "models/tiny-llama", "supportedGenerationMethods": ["createTunedModel"]}]}
    refusal = {"error": {"code": 400, "message": "batch too odd", "status": "INVALID_ARGUMENT"}}
    with scripted(answer(200, models), answer(400, refusal)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.post("/jobs/new/", form(dataset)).content.decode()
    assert "batch too odd" in page
    assert not Job.objects.exists()


def test_job_waits_when_the_service_does_not_answer(browser: Client, dataset: Dataset, settings: Settings) -> None:
    models = {"models": [{"name": "models/tiny-llama", "supportedGenerationMethods": ["createTunedModel"]}]}
    with scripted(answer(200, models), answer(503)) as service:
        settings.TUNING_SERVER_URL = service.url
        job = start(browser, dataset)
    assert (job.ref, job.state) == ("", JobState.QUEUED)


def test_estimate_follows_what_is_typed(browser: Client, dataset: Dataset) -> None:
    page = browser.get("/jobs/estimate/", form(dataset, epoch_count=50)).content.decode()
    assert "188" in page
    assert "first guess" in page
    assert "appear here" in browser.get("/jobs/estimate/", form(dataset, epoch_count="")).content.decode()


def test_tokens_are_counted_before_anything_starts(browser: Client, dataset: Dataset) -> None:
    page = wait_until(lambda: counted(browser, form(dataset, longest=8)))
    assert "no example has more than" in page
    assert "more than 8 tokens: one ends the job" in page
    assert "Fill in the form first" in browser.post("/jobs/new/tokens/", {}).text
    assert not Job.objects.exists()


def counted(browser: Client, said: dict[str, object]) -> str:
    """What the page says; nothing while the service is loading the base model."""
    page = browser.post("/jobs/new/tokens/", said).text
    return page if "tokens in all" in page else ""


def test_model_is_tuned_further(browser: Client, dataset: Dataset, server: TuningServer) -> None:
    first = start(browser, dataset, epoch_count=20, rank=4)
    wait_until(lambda: ended(first))
    further = browser.get("/jobs/new/", {"further": first.pk}).context["form"]
    said = {field.name: field.value() for field in further if field.value() is not None}
    sent = browser.post("/jobs/new/", said | {"epoch_count": 1})
    job = Job.objects.get(pk=int(sent["Location"].split("/")[-2]))
    assert wait_until(lambda: ended(job))
    assert (job.state, job.recipe.rank) == (JobState.SUCCEEDED, 4)
    assert job.first_loss < first.first_loss  # it goes on from what was learnt
    told = server.get(f"/v1beta/{job.model}", server.api_key("alice@example.com")).json()
    assert told["tunedModelSource"]["tunedModel"] == first.model


def test_estimate_learns_from_jobs_that_are_done(browser: Client, dataset: Dataset) -> None:
    job = start(browser, dataset)
    wait_until(lambda: ended(job))
    estimate = browser.get("/jobs/estimate/", form(dataset)).context_data["estimate"]
    assert estimate.calibrated
    assert estimate.seconds == pytest.approx(job.elapsed or 0, abs=0.5)
    assert estimate.low < (job.elapsed or 0) < estimate.high


def test_page_shows_code_that_does_the_same(browser: Client, dataset: Dataset, server: TuningServer) -> None:
    job = start(browser, dataset)
    context = browser.get(f"/jobs/{job.pk}/").context
    assert server.url in context["curl"]
    assert '"epoch_count": 5' in context["curl"]
    compile(context["python"], "snippet", "exec")
