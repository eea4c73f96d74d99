"""What the worker does while somebody's account is to be connected anew: nothing, quietly, until it is."""

import logging

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.connections.models import Account, Connection, askable
from dashboard.jobs import tasks
from dashboard.jobs.models import Job
from tests.factories import JobFactory, UserFactory
from tests.google import refusals
from tests.google.cloud import Cloud

pytestmark = pytest.mark.django_db


def test_job_of_an_account_that_is_wanting_is_left_alone_and_taken_up_again(alice: User, own: Connection) -> None:
    job = JobFactory(owner=alice, connection=own, state="RUNNING")
    here = JobFactory(owner=alice, state="RUNNING")
    assert set(Job.objects.filter(askable())) == {here}
    account = Account.objects.create(connection=own, person=alice, expires=job.created)
    assert set(Job.objects.filter(askable())) == {here, job}
    Account.objects.update(state="reconnect")
    assert set(Job.objects.filter(askable())) == {here}
    Account.objects.filter(pk=account.pk).update(state="connected")
    assert set(Job.objects.filter(askable())) == {here, job}


def test_job_of_somebody_who_may_not_use_the_connection_is_left_alone(alice: User) -> None:
    shut = Connection.objects.create(name="Shut", base_url="http://127.0.0.1:9", access="administrators")
    JobFactory(owner=alice, connection=shut, state="RUNNING")
    mine = JobFactory(owner=UserFactory(administrator=True), connection=shut, state="RUNNING")
    assert set(Job.objects.filter(askable())) == {mine}
    shut.access = "chosen"
    shut.save()
    shut.people.add(alice)
    assert Job.objects.filter(askable()).count() == 2


def test_sweep_asks_nobody_and_says_nothing(
    alice: User, own: Connection, account: Account, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Account.objects.update(state="reconnect")
    JobFactory(owner=alice, connection=own, state="RUNNING")
    JobFactory(owner=alice, connection=own, ref="")
    tasks.sweep.call_local()
    assert not cloud.asked
    assert not caplog.text


def test_page_that_is_watched_says_nothing_to_the_log_either(
    alice: User, own: Connection, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Account.objects.update(state="reconnect")
    job = JobFactory(owner=alice, connection=own, state="RUNNING", completed_steps=7)
    assert job.refresh_quietly()
    job.refresh_from_db()
    assert (job.state, job.completed_steps, caplog.text) == ("RUNNING", 7, "")


def test_grant_taken_back_at_google_is_noticed_by_a_refresh(
    alice: User, own: Connection, account: Account, cloud: Cloud
) -> None:
    cloud.tokens.withdraw(account.refresh_token)
    job = JobFactory(owner=alice, connection=own, state="RUNNING", completed_steps=7)
    job.refresh_quietly()
    account.refresh_from_db()
    job.refresh_from_db()
    assert (account.state, job.state, job.completed_steps) == ("reconnect", "RUNNING", 7)


def test_account_that_is_refused_is_connected_anew_from_where_it_is_missed(
    browser: Client, own: Connection, account: Account, cloud: Cloud
) -> None:
    place = {"project": cloud.project, "location": cloud.location, "bucket": cloud.bucket}
    Connection.objects.filter(pk=own.pk).update(kind="vertex", **place)
    cloud.fault(refusals.unauthenticated(), times=9)
    page = browser.get("/jobs/import/").text
    assert "does not accept the account’s token any more" in page
    assert f'href="/connections/{own.pk}/connect/"' in page
    cloud.faults.clear()
    assert f'href="/connections/{own.pk}/connect/"' not in browser.get("/jobs/import/").text
