"""What stays out of sight: of a model that is shared, what is not shared with it; all of one that was lost."""

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.lineage.models import Rerun
from dashboard.notices.models import Delivery, Event, Notice, Way
from dashboard.sharing import mirror
from dashboard.sweeps.models import Sweep
from tests.factories import JobFactory, TunedModelFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

EXAMPLE = "&quot;text_input&quot;: &quot;3&quot;"


@pytest.fixture
def shared(alice: User) -> TunedModel:
    """Somebody else's model, of which Alice is a reader."""
    model = TunedModelFactory(owner=UserFactory(name="Bob"))
    Grant.objects.create(model=model, person=alice, role=Role.READER)
    return model


@pytest.fixture
def lost(alice: User) -> TunedModel:
    """A model that Alice made, was told of and swept over; it was handed over, and is shared with her no longer."""
    model = TunedModelFactory(owner=alice, display_name="Lost one")
    assert model.job
    notice = Notice.objects.create(person=alice, job=model.job, event=Event.ENDED, attempt=0)
    Delivery.objects.create(person=alice, notice=notice, way=Way.WEBHOOK)
    Sweep.objects.create(owner=alice, name="Rates").trials.create(job=model.job)
    mirror.own(model, UserFactory())
    return model


def test_code_of_a_job_holds_no_examples_for_readers(browser: Client, shared: TunedModel) -> None:
    assert shared.job
    page = browser.get(shared.job.get_absolute_url()).text
    assert EXAMPLE not in page
    assert f"sha256:{shared.job.dataset_version.sha256}" in page
    browser.force_login(shared.owner)
    assert EXAMPLE in browser.get(shared.job.get_absolute_url()).text


def test_job_that_was_run_again_is_named_to_those_who_see_it(browser: Client, shared: TunedModel) -> None:
    first = JobFactory(owner=shared.owner, display_name="First one")
    Rerun.objects.create(job=shared.job, original=first, points=19)
    assert shared.job
    page = browser.get(shared.job.get_absolute_url()).text
    assert "First one" not in page
    assert "a job of somebody else’s, exactly again" in page
    browser.force_login(shared.owner)
    assert "First one" in browser.get(shared.job.get_absolute_url()).text


@pytest.mark.parametrize("path", ["/notices/", "/notices/settings/", "/notices/settings/log/", "/sweeps/{sweep}/"])
def test_what_was_handed_over_is_nowhere(browser: Client, lost: TunedModel, path: str) -> None:
    assert "Lost one" not in browser.get(path.format(sweep=Sweep.objects.get().pk)).text


def test_notice_of_what_was_handed_over_is_not_sent(browser: Client, lost: TunedModel) -> None:
    assert not Delivery.objects.due().exists()
    assert browser.post(f"/notices/settings/again/{Delivery.objects.get().pk}/").status_code == 404


def test_sweep_keeps_what_its_owner_still_sees(browser: Client, alice: User, lost: TunedModel) -> None:
    Grant.objects.create(model=lost, person=alice, role=Role.READER)
    assert "Lost one" in browser.get(f"/sweeps/{Sweep.objects.get().pk}/").text
