"""A tuned model of Vertex AI, evaluated at its endpoint, against the stand-in for Google Cloud."""

import pytest

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.evaluations.asking import next_turn
from dashboard.evaluations.models import Evaluation, State
from dashboard.evaluations.starting import Plan, start
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from tests.factories import JobFactory
from tests.google import refusals
from tests.google.cloud import Cloud

pytestmark = pytest.mark.django_db


@pytest.fixture
def tuned(cloud: Cloud, vertex: Connection, alice: User) -> TunedModel:
    job = JobFactory(owner=alice, connection=vertex, ref="", base_model="gemini-2.5-flash")
    job.send()
    for state in ("run", "move"):
        getattr(cloud.vertex, state)(job.ref)
    Job.objects.filter(pk=job.pk).update(synced_at=None)
    job.refresh_from_db()
    job.refresh()
    return TunedModel.objects.get(job=job)


def evaluated(model: TunedModel) -> Evaluation:
    assert model.dataset_version
    evaluation = start(
        model.owner, model, Plan(version=model.dataset_version, examples=6, max_output_tokens=32, with_base=True)
    )
    while next_turn():
        pass
    evaluation.refresh_from_db()
    return evaluation


def test_endpoint_and_base_model_are_asked(tuned: TunedModel, cloud: Cloud) -> None:
    assert "/endpoints/" in tuned.name
    evaluation = evaluated(tuned)
    assert (evaluation.state, evaluation.exact, evaluation.total) == (State.DONE, 6, 6)
    assert Evaluation.objects.get(baseline=True).state == State.DONE
    asked = cloud.calls("endpoints.generateContent")
    assert len(asked) == 6
    assert all(tuned.name in one.path for one in asked)
    assert len(cloud.calls("publishers.models.generateContent")) == 6


def test_googles_reason_ends_it_and_is_told(tuned: TunedModel, cloud: Cloud) -> None:
    cloud.fault(refusals.service_disabled(), on="endpoints.generateContent", times=99)
    evaluation = evaluated(tuned)
    assert (evaluation.state, evaluation.trouble["code"]) == (State.FAILED, "api_disabled")
    why = evaluation.why()
    assert why
    assert "aiplatform.googleapis.com" in why.title
