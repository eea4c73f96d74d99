"""Vertex AI through its provider, against the strict stand-in that Google's discovery documents make."""

import threading
from contextlib import closing
from dataclasses import replace

import orjson
import pytest

from tests.google import faults, refusals
from tests.google.cloud import google_cloud
from tests.google.discovery import aiplatform
from tests.google.storage import QUANTUM
from tuning import datasets, errors
from tuning.client import google_cloud as client
from tuning.client import transport
from tuning.jobs import JobState
from tuning.providers import ConnectionSettings, Identity, JobRef, JobSpec, Prompt, open_provider
from tuning.providers.vertex import names
from tuning.providers.vertex.states import STATES
from tuning.recipes import Recipe
from tuning.resources import Example

ADA = Identity(email="ada@example.com")
RECIPE = Recipe(epoch_count=2, batch_size=4, learning_rate=0.002, rank=4)


def example(question, answer):
    return Example(text_input=question, output=answer)


@pytest.fixture
def cloud():
    with google_cloud() as running:
        yield running


@pytest.fixture
def settings(cloud):
    return ConnectionSettings(
        base_url=cloud.url, token=cloud.token, project=cloud.project, location=cloud.location, bucket=cloud.bucket
    )


@pytest.fixture
def vertex(settings):
    return open_provider("vertex", settings, ADA)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "numbers.jsonl"
    datasets.from_examples([example(str(n), str(n + 1)) for n in range(10)]).write_jsonl(path)
    return JobSpec(key="k1", display_name="Numbers", base_model="gemini-2.5-flash", dataset=path, recipe=RECIPE)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(transport, "BACKOFF", 0.01)


def sent(cloud, key="trainingDatasetUri"):
    """The rows that the last job was created with."""
    uri = cloud.calls("tuningJobs.create")[-1].json["supervisedTuningSpec"][key]
    return [orjson.loads(line) for line in cloud.storage.text(uri).splitlines()]


def test_a_job_is_created_as_documented(cloud, vertex, spec):
    ref = vertex.create(spec)
    assert list(cloud.vertex.jobs) == [ref]
    told = cloud.vertex.jobs[ref].told
    assert (told["baseModel"], told["tunedModelDisplayName"]) == ("gemini-2.5-flash", "Numbers")
    assert told["supervisedTuningSpec"]["hyperParameters"] == {
        "epochCount": "2",
        "learningRateMultiplier": 2.0,
        "adapterSize": "ADAPTER_SIZE_FOUR",
    }
    turns = [{"role": "user", "parts": [{"text": "3"}]}, {"role": "model", "parts": [{"text": "4"}]}]
    assert sent(cloud)[3] == {"contents": turns}
    status = vertex.status(ref)
    assert (status.state, status.model, status.total_steps) == (JobState.QUEUED, "", 0)


def test_base_models_are_those_that_were_documented_or_are_set(settings, vertex):
    assert "gemini-2.5-flash" in [model.name for model in vertex.base_models()]
    other = open_provider("vertex", replace(settings, base_models=("gemini-9-flash",)), ADA)
    assert [model.name for model in other.base_models()] == ["gemini-9-flash"]


def test_a_share_is_held_out_and_sent_apart(cloud, vertex, spec):
    vertex.create(replace(spec, recipe=replace(RECIPE, validation=0.2)))
    learnt, measured = sent(cloud), sent(cloud, "validationDatasetUri")
    assert (len(learnt), len(measured)) == (8, 2)
    assert not any(row in learnt for row in measured)


def test_examples_of_their_own_are_sent_for_validation(cloud, vertex, spec, tmp_path):
    path = tmp_path / "apart.jsonl"
    datasets.from_examples([example("100", "101")]).write_jsonl(path)
    vertex.create(replace(spec, validation=path))
    assert (len(sent(cloud)), len(sent(cloud, "validationDatasetUri"))) == (10, 1)


def test_a_job_runs_to_its_end_with_its_curves(cloud, vertex, spec):
    ref = vertex.create(replace(spec, recipe=replace(RECIPE, validation=0.2)))
    cloud.vertex.run(ref)
    assert vertex.refresh(ref)[1] == []
    cloud.vertex.learn(ref, [2.0, 1.5], {2: 1.8})
    status, points = vertex.refresh(ref)
    assert (status.state, status.completed_steps, status.total_steps) == (JobState.RUNNING, 2, 4)
    assert [(point.step, point.epoch, point.value) for point in points] == [(1, 0, 2.0), (2, 1, 1.5)]
    assert [(point.step, point.value) for point in status.validation] == [(2, 1.8)]
    cloud.vertex.learn(ref, [1.0, 0.5], {4: 1.1})
    cloud.vertex.move(ref)
    status, points = vertex.refresh(ref, after=2)
    assert [point.step for point in points] == [3, 4]
    assert points == vertex.points(ref, after=2)
    assert (status.state, status.completed_steps) == (JobState.SUCCEEDED, 4)
    assert status.model == cloud.vertex.jobs[ref].told["tunedModel"]["endpoint"]
    assert status.created <= status.started <= status.finished
    assert [(point.step, point.value) for point in status.validation] == [(2, 1.8), (4, 1.1)]


def test_a_long_curve_is_read_whole(cloud, vertex, spec):
    ref = vertex.create(spec)
    cloud.vertex.run(ref)
    cloud.vertex.learn(ref, [1 / step for step in range(1, 2501)])
    assert [point.step for point in vertex.points(ref)] == list(range(1, 2501))


def test_what_a_job_has_besides_is_told(cloud, vertex, spec):
    ref = vertex.create(spec)
    cloud.vertex.run(ref)
    cloud.vertex.learn(ref, [2.0, 1.0])
    told = vertex.particulars(ref)
    assert (told.state, told.data.examples, told.data.billable_tokens) == ("JOB_STATE_RUNNING", 10, 600)
    assert told.data.inputs.most == 64
    assert [point.value for point in told.accuracy] == [0.5, 0.75]
    cloud.vertex.move(ref)
    points = vertex.particulars(ref).checkpoints
    assert [(point.id, point.epoch) for point in points] == [("1", 1), ("2", 2)]
    assert vertex.generate(points[0].model, Prompt(text="1")).text == "2"
    number = ref.rpartition("/")[2]
    assert vertex.link(ref).startswith("https://console.cloud.google.com/vertex-ai/")
    assert number in vertex.link(ref)


def test_every_state_of_the_document_has_one_of_ours():
    states = aiplatform().schemas["GoogleCloudAiplatformV1TuningJob"]["properties"]["state"]["enum"]
    assert set(states) - set(STATES) == {"JOB_STATE_UNSPECIFIED"}


@pytest.mark.parametrize("word", STATES)
def test_a_state_is_told_in_our_words_and_the_services_own_is_kept(cloud, vertex, spec, word):
    ref = vertex.create(spec)
    cloud.vertex.run(ref)
    if word == "JOB_STATE_SUCCEEDED":
        cloud.vertex.move(ref)
    cloud.vertex.jobs[ref].told["state"] = word
    if word == "JOB_STATE_PARTIALLY_SUCCEEDED":
        cloud.vertex._finish(cloud.vertex.jobs[ref])
    assert vertex.status(ref).state is STATES[word]
    assert vertex.particulars(ref).state == word


def test_a_job_that_failed_says_why(cloud, vertex, spec):
    ref = vertex.create(spec)
    cloud.vertex.fail(ref, "The dataset is too small.")
    status = vertex.status(ref)
    assert (status.state, status.failure.detail) == (JobState.FAILED, "The dataset is too small.")


def test_a_job_is_cancelled_once_and_again(cloud, vertex, spec):
    ref = vertex.create(spec)
    cloud.vertex.run(ref)
    vertex.cancel(ref)
    assert vertex.status(ref).state is JobState.RUNNING
    assert vertex.particulars(ref).state == "JOB_STATE_CANCELLING"
    cloud.vertex.move(ref, "JOB_STATE_CANCELLED")
    vertex.cancel(ref)
    assert vertex.status(ref).state is JobState.CANCELLED


def ended(cloud, vertex, spec):
    ref = vertex.create(spec)
    cloud.vertex.run(ref)
    cloud.vertex.learn(ref, [2.0, 1.0])
    cloud.vertex.move(ref)
    return ref


def test_what_is_deleted_leaves_no_model_and_no_endpoint(cloud, vertex, spec):
    ref = ended(cloud, vertex, spec)
    vertex.delete(ref)
    assert (cloud.vertex.models, cloud.vertex.endpoints) == ({}, {})
    with pytest.raises(errors.NotFound):
        vertex.status(ref)
    vertex.delete(ref)
    vertex.delete(JobRef(f"{ref}0"))


def test_deleting_a_job_that_runs_cancels_it(cloud, vertex, spec):
    ref = vertex.create(spec)
    vertex.delete(ref)
    assert vertex.status(ref).state is JobState.CANCELLED


def test_base_and_tuned_models_answer_at_once_and_piece_by_piece(cloud, vertex, spec):
    model = vertex.status(ended(cloud, vertex, spec)).model
    for name in (model, "gemini-2.5-flash"):
        answer = vertex.generate(name, Prompt(text="41", temperature=0.0, max_output_tokens=5))
        assert (answer.text, answer.finish_reason, answer.prompt_tokens) == ("42", "STOP", 1)
        pieces = list(vertex.stream(name, Prompt(text="so many words")))
        assert [piece.text for piece in pieces] == ["You ", "asked: ", "so ", "many ", "words"]
        assert [piece.finish_reason for piece in pieces] == ["", "", "", "", "STOP"]
        assert pieces[-1].answer_tokens > 0
    with closing(vertex.stream(model, Prompt(text="so many words"))) as stream:
        assert next(stream).text == "You "
    with pytest.raises(errors.NotFound):
        vertex.generate("projects/p/locations/l/endpoints/1/../2", Prompt(text="1"))


def test_a_tuned_model_is_tuned_further(cloud, vertex, spec):
    model = vertex.status(ended(cloud, vertex, spec)).model
    ref = vertex.create(replace(spec, key="k2", tuned_from=model))
    told = cloud.vertex.jobs[ref].told
    assert "baseModel" not in told
    assert told["preTunedModel"]["tunedModelName"] in [f"{name}@1" for name in cloud.vertex.models]


def test_tokens_are_counted_before_anything_is_started(vertex, spec):
    tally = vertex.tally("gemini-2.5-flash", spec.dataset)
    assert (tally.examples, tally.tokens, tally.longest) == (10, 20, 2)


def test_creating_twice_with_one_key_gives_one_job(cloud, vertex, spec):
    assert vertex.create(spec) == vertex.create(spec)
    other = vertex.create(replace(spec, key="k2"))
    assert len(cloud.vertex.jobs) == 2
    assert other in cloud.vertex.jobs
    assert len([asked for asked in cloud.calls("storage.upload") if asked.body]) == 1  # the same examples


def test_of_several_who_create_one_job_one_does(cloud, settings, spec):
    refs, refused = [], []

    def create():
        try:
            refs.append(open_provider("vertex", settings, ADA).create(spec))
        except errors.ServiceError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cloud.vertex.jobs) == 1
    assert set(refs) == set(cloud.vertex.jobs)
    assert set(refused) <= {"being_started"}


@pytest.mark.parametrize("trouble", [faults.LOST, faults.HTML, faults.TRUNCATED, faults.WRONG_TYPES, faults.EMPTY])
def test_a_create_whose_answer_is_lost_is_looked_for_and_not_sent_again(cloud, vertex, spec, trouble):
    cloud.fault(trouble, on="tuningJobs.create", afterwards=True)
    assert vertex.create(spec) in cloud.vertex.jobs
    assert vertex.create(spec) in cloud.vertex.jobs
    assert len(cloud.calls("tuningJobs.create")) == len(cloud.vertex.jobs) == 1


@pytest.mark.parametrize("refusal", [refusals.internal(), refusals.unavailable()])
def test_a_create_that_nobody_knows_of_is_not_sent_again_at_once(cloud, vertex, spec, refusal, monkeypatch):
    cloud.fault(refusal, on="tuningJobs.create")
    with pytest.raises(errors.ServiceError):
        vertex.create(spec)
    with pytest.raises(errors.Unavailable) as caught:
        vertex.create(spec)
    assert caught.value.code == "being_started"
    assert len(cloud.calls("tuningJobs.create")) == 1
    claim = next(stored for name, stored in cloud.storage.buckets[cloud.bucket].items() if "claims" in name)
    claim.told["timeCreated"] = "2020-01-01T00:00:00Z"
    assert vertex.create(spec) in cloud.vertex.jobs


def test_a_create_that_is_refused_may_be_sent_again_at_once(cloud, vertex, spec):
    with pytest.raises(errors.InvalidRequest, match="invalid_request") as caught:
        vertex.create(replace(spec, base_model="gemini-1.0"))
    assert "not supported" in caught.value.detail
    assert vertex.create(spec) in cloud.vertex.jobs


def test_an_upload_goes_on_where_it_was_broken_off(cloud, vertex, spec, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "PIECE", 2 * QUANTUM)
    path = tmp_path / "large.jsonl"
    rows = datasets.from_examples([example(f"{n} " + "x" * 200, str(n + 1)) for n in range(8_000)])
    rows.write_jsonl(path)
    cloud.storage.breaks += [QUANTUM + 5, 3 * QUANTUM]
    vertex.create(replace(spec, dataset=path))
    assert len(sent(cloud)) == 8_000
    pieces = [asked for asked in cloud.calls("storage.upload") if asked.body]
    size = int(cloud.calls("storage.objects.insert")[0].headers["x-upload-content-length"])
    assert sum(len(asked.body) for asked in pieces) < 1.6 * size  # what had arrived was not sent again


def test_an_upload_that_takes_too_long_pauses_and_goes_on(cloud, vertex, spec, monkeypatch):
    monkeypatch.setattr("tuning.providers.vertex.creating.UPLOAD_SECONDS", -1.0)
    with pytest.raises(errors.Unavailable) as caught:
        vertex.create(spec)
    assert (caught.value.code, caught.value.params) == ("being_sent", {"percent": 0})
    monkeypatch.undo()
    assert vertex.create(spec) in cloud.vertex.jobs
    starts = [asked for asked in cloud.calls("storage.objects.insert") if asked.one("uploadType") == "resumable"]
    assert len(starts) == 1


def test_bytes_that_arrive_otherwise_than_they_were_sent_start_nothing(cloud, vertex, spec):
    cloud.storage.corrupt = True
    with pytest.raises(errors.InvalidRequest):
        vertex.create(spec)
    assert not cloud.vertex.jobs
    assert vertex.create(spec) in cloud.vertex.jobs


@pytest.fixture
def tuned(cloud, vertex, spec):
    return ended(cloud, vertex, spec)


READS = {
    "refresh": ("tuningJobs.get", lambda vertex, ref: vertex.refresh(ref)),
    "points": ("tensorboards.experiments.runs.timeSeries.read", lambda vertex, ref: vertex.points(ref)),
    "particulars": ("tuningJobs.get", lambda vertex, ref: vertex.particulars(ref)),
    "existing": ("tuningJobs.list", lambda vertex, ref: list(vertex.existing())),
    "found": ("tuningJobs.get", lambda vertex, ref: vertex.found(ref)),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("refusal", [refusals.exhausted(0), refusals.unavailable(), faults.LOST])
def test_what_is_only_read_is_asked_for_again(cloud, vertex, spec, read, refusal):
    ref = ended(cloud, vertex, spec)
    method, ask = READS[read]
    cloud.fault(refusal, on=method)
    ask(vertex, ref)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refusals.unauthenticated(), errors.Unauthenticated),
        (refusals.scope_missing(), errors.NotSetUp),
        (refusals.service_disabled(), errors.NotSetUp),
        (refusals.permission_denied(), errors.NotSetUp),
        (refusals.not_found(), errors.NotFound),
        (refusals.conflict(), errors.AlreadyExists),
        (refusals.exhausted(3600), errors.Exhausted),
        (refusals.internal(), errors.Internal),
        (faults.TRUNCATED, errors.BadAnswer),
        (faults.HTML, errors.BadAnswer),
        (faults.LIST, errors.BadAnswer),
        (faults.WRONG_TYPES, errors.BadAnswer),
        (faults.EMPTY, errors.BadAnswer),
    ],
)
def test_every_fault_has_its_error(cloud, vertex, tuned, read, fault, kind):  # noqa: PLR0917
    method, ask = READS[read]
    cloud.fault(fault, on=method, times=3)
    if method.endswith("read") and kind is errors.NotSetUp:
        return  # a curve that may not be read keeps nobody from the job: below
    with pytest.raises(errors.ServiceError) as caught:
        ask(vertex, tuned)
    assert type(caught.value) is kind
    cloud.faults.clear()
    ask(vertex, tuned)


def test_a_curve_that_may_not_be_read_keeps_nobody_from_the_job(cloud, vertex, spec):
    ref = ended(cloud, vertex, spec)
    cloud.fault(refusals.permission_denied("aiplatform.tensorboardTimeSeries.read"), on=READS["points"][0], times=9)
    assert vertex.refresh(ref)[0].state is JobState.SUCCEEDED


def test_silence_is_given_up(cloud, settings, spec, monkeypatch):
    monkeypatch.setattr("tuning.providers.vertex.TIMEOUT", 0.3)
    vertex = open_provider("vertex", settings, ADA)
    ref = vertex.create(spec)
    cloud.fault(faults.SILENCE, on="tuningJobs.get", times=5)
    with pytest.raises(errors.TimedOut):
        vertex.status(ref)


def test_who_is_not_signed_in_is_told_before_anybody_is_asked(cloud, settings, spec):
    def gone():
        raise errors.Unauthenticated("reconnect")

    for token in (gone, None):
        with pytest.raises(errors.Unauthenticated, match="reconnect"):
            open_provider("vertex", replace(settings, token=token), ADA).create(spec)
    assert not cloud.asked


@pytest.mark.parametrize(
    "field", [{"project": "x/../y"}, {"location": "evil.example.com/"}, {"location": ""}, {"project": ""}]
)
def test_a_connection_that_is_no_address_is_refused(settings, field):
    for base_url in (settings.base_url, ""):
        broken = open_provider("vertex", replace(settings, base_url=base_url, **field), ADA)
        with pytest.raises(errors.InvalidRequest, match="connection_incomplete"):
            broken.base_models()
        assert [check.code for check in broken.check()] == [next(iter(field))]


def test_a_job_of_another_location_is_not_taken_for_gone(vertex):
    with pytest.raises(errors.InvalidRequest, match="other_location"):
        vertex.status(JobRef("projects/tuneboard-tests/locations/europe-west4/tuningJobs/1"))


def test_existing_jobs_are_found_with_their_curves_and_examples(cloud, vertex, spec):
    cloud.vertex.page_size = 2
    refs = [vertex.create(replace(spec, key=f"k{n}", display_name=f"Job {n}")) for n in range(5)]
    assert [job.display_name for job in vertex.existing()] == [f"Job {n}" for n in range(4, -1, -1)]
    cloud.vertex.run(refs[0])
    cloud.vertex.learn(refs[0], [2.0, 1.0])
    cloud.vertex.move(refs[0])
    found = vertex.found(refs[0])
    assert (found.job.display_name, found.ref, found.examples) == ("Job 0", refs[0], 10)
    assert (found.recipe.epoch_count, found.recipe.learning_rate, found.recipe.rank) == (2, 0.002, 4)
    assert [point.value for point in found.points] == [2.0, 1.0]
    assert found.status.state is JobState.SUCCEEDED
    rows = b"".join(vertex.training_data(refs[0]).chunks)
    assert len(rows.splitlines()) == 10
    cloud.storage.buckets[cloud.bucket].clear()
    assert vertex.training_data(refs[0]) is None


def checks(vertex):
    return {check.code: check.ok for check in vertex.check()}


def test_a_connection_that_works_passes_every_check(vertex, cloud):
    assert all(checks(vertex).values())
    assert {"reachable", "signed_in", "scope", "api", "project", "bucket"} <= set(checks(vertex))
    assert {asked.verb for asked in cloud.asked} == {"GET"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refusals.unauthenticated(), "signed_in"),
        (refusals.scope_missing(), "scope"),
        (refusals.service_disabled(), "api"),
        (refusals.permission_denied(), "permission"),
        (refusals.not_found(), "location"),
        (refusals.internal(), "reachable"),
        (faults.HTML, "reachable"),
    ],
)
def test_what_is_missing_is_named(cloud, vertex, fault, code):
    cloud.fault(fault, on="tuningJobs.list", times=3)
    assert [name for name, ok in checks(vertex).items() if not ok] == [code]


def test_a_bucket_that_is_not_there_or_may_not_be_written_is_named(cloud, settings, vertex):
    cloud.storage.read_only.add(cloud.bucket)
    assert checks(vertex)["bucket"] is False
    assert checks(open_provider("vertex", replace(settings, bucket="nobodys"), ADA))["bucket_there"] is False
    assert checks(open_provider("vertex", replace(settings, bucket=""), ADA))["bucket"] is False
    cloud.disabled.add("storage.googleapis.com")
    assert [check.detail for check in vertex.check() if not check.ok] == ["storage.googleapis.com"]


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_each_location_is_asked_where_googles_own_client_asks_it(location, host):
    assert names.address(location) == f"https://{host}"
