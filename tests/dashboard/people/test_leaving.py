"""People who are made inactive, or seen off: what they had goes to somebody or is removed, whatever comes between."""

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.evaluations.models import Evaluation, State
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.listing.models import Room, SavedView
from dashboard.notices.models import Delivery, Way, Webhook
from dashboard.people import farewells, tasks
from dashboard.people.changes import see_off
from dashboard.people.models import Farewell
from dashboard.presets.models import Preset
from dashboard.sweeps.models import Sweep
from dashboard.teams.models import Invitation, Team
from tests.factories import DatasetFactory, JobFactory, TunedModelFactory, UserFactory
from tests.processes import TuningServer, free_port
from tuning.errors import NotFound, PermissionDenied
from tuning.jobs import JobState
from tuning.providers import Grantee, JobRef, KeyIssuer, Sharer

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> User:
    """Signed in by ``client``."""
    root: User = UserFactory(email="root@example.com", name="Root", administrator=True)
    client.force_login(root)
    return root


@pytest.fixture
def heir() -> User:
    heir: User = UserFactory(email="heir@example.com", name="Hera")
    return heir


@pytest.fixture
def leaver() -> User:
    leaver: User = UserFactory(email="leaver@example.com", name="Lea")
    return leaver


@pytest.fixture
def worker(settings: Settings) -> None:
    """What is enqueued is done at once."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


def plan(**said: str) -> dict[str, str]:
    return {
        "heir_email": "heir@example.com",
        "jobs": "hand",
        "datasets": "hand",
        "presets": "hand",
        "views": "hand",
        **said,
    }


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def keys_of(person: User) -> KeyIssuer:
    service = Connection.objects.local().open_for(person)
    assert isinstance(service, KeyIssuer)
    return service


def sharing_of(person: User) -> Sharer:
    service = Connection.objects.local().open_for(person)
    assert isinstance(service, Sharer)
    return service


def roles_at_service(root: User, job: Job) -> dict[str, Role]:
    name = job.ref.partition("/operations/")[0]
    return {one.address: one.role for one in sharing_of(root).permissions(name) if one.grantee is Grantee.PERSON}


def preset_of(person: User) -> Preset:
    facts = {"epoch_count": 1, "batch_size": 1, "learning_rate": 0.1}
    preset: Preset = Preset.objects.create(owner=person, name="Gentle", settings=facts)
    return preset


class TestInactive:
    @pytest.mark.usefixtures("server", "worker")
    def test_inactive_person_is_out_everywhere_and_their_keys_open_nothing(
        self, client: Client, root: User, leaver: User
    ) -> None:
        device = Client()
        device.force_login(leaver)
        key = keys_of(leaver).create_api_key("laptop")
        answer = client.post(f"/people/{leaver.pk}/active/", {"active": "no"}, follow=True)
        assert "Lea is signed out and cannot sign in." in answer.text
        assert not is_in(device)
        assert not Client().login(username=leaver.email, password="correct horse battery")
        assert {kept.id: bool(kept.revoked) for kept in keys_of(leaver).api_keys()}[key.id]
        assert "the API keys are revoked" in client.get(f"/people/{leaver.pk}/").text
        events = list(Entry.objects.order_by("pk").values_list("event", "who"))
        assert events == [("person.deactivated", root.email), ("key.revoked", root.email)]

    @pytest.mark.usefixtures("server", "worker")
    def test_everything_stays_theirs_and_they_can_come_back(self, client: Client, root: User, leaver: User) -> None:
        job = JobFactory(owner=leaver, state=JobState.SUCCEEDED)
        team = Team.objects.create(name="Readers")
        team.members.add(leaver)
        client.post(f"/people/{leaver.pk}/active/", {"active": "no"})
        client.post(f"/people/{leaver.pk}/active/", {"active": "yes"})
        leaver.refresh_from_db()
        assert leaver.is_active
        assert Job.objects.get(pk=job.pk).owner == leaver
        assert team.members.get() == leaver
        assert not Farewell.objects.exists()

    @pytest.mark.usefixtures("worker")
    def test_keys_are_revoked_when_the_service_is_there_again(
        self, client: Client, root: User, leaver: User, running_server: TuningServer, settings: Settings
    ) -> None:
        settings.TUNING_SECRET, settings.TUNING_SERVER_URL = running_server.secret, running_server.url
        keys_of(leaver).create_api_key("laptop")
        settings.TUNING_SERVER_URL = f"http://127.0.0.1:{free_port()}"
        client.post(f"/people/{leaver.pk}/active/", {"active": "no"})
        assert "It waits: The service does not answer" in client.get(f"/people/{leaver.pk}/").text
        settings.TUNING_SERVER_URL = running_server.url
        Farewell.objects.update(tried=None)  # a minute later
        tasks.sweep.call_local()
        assert all(key.revoked for key in keys_of(leaver).api_keys())
        assert Farewell.objects.get().finished

    def test_last_administrator_stays_active(self, client: Client, root: User) -> None:
        answer = client.post(f"/people/{root.pk}/active/", {"active": "no"}, follow=True)
        assert "Root is the last administrator." in answer.text
        assert is_in(client)

    @pytest.mark.usefixtures("no_server", "worker")
    def test_nothing_more_is_sent_to_who_is_inactive(self, client: Client, root: User, leaver: User) -> None:
        waiting = Delivery.objects.create(person=leaver, way=Way.WEBHOOK)
        Webhook.objects.create(person=leaver, url="https://example.com/", secret="x")
        client.post(f"/people/{leaver.pk}/active/", {"active": "no"})
        JobFactory(owner=leaver, state=JobState.FAILED)
        assert not Delivery.objects.exclude(pk=waiting.pk).exists()
        assert not Delivery.objects.due().exists()


class TestPreview:
    pytestmark = pytest.mark.usefixtures("no_server")

    def test_preview_counts_and_changes_nothing(self, client: Client, root: User, heir: User, leaver: User) -> None:
        JobFactory(owner=leaver, state=JobState.RUNNING)
        model = TunedModelFactory(owner=leaver)
        Grant.objects.create(model=model, everyone=True, role=Role.READER)
        preset_of(leaver)
        page = client.get(f"/people/{leaver.pk}/leaving/", plan(jobs="remove")).text
        assert "2 jobs are removed, with their curves, models and adapters." in page
        assert "What is queued or running is stopped." in page
        assert "1 of the models is shared: others lose it." in page
        assert "2 datasets go to Hera." in page
        assert "1 preset goes to Hera." in page
        leaver.refresh_from_db()
        assert leaver.is_active
        assert not Farewell.objects.exists()

    def test_first_page_asks_before_it_previews(self, client: Client, root: User, leaver: User) -> None:
        page = client.get(f"/people/{leaver.pk}/leaving/").text
        assert "What happens" not in page
        assert 'value="root@example.com"' in page
        assert "the service does not say now" in page

    @pytest.mark.parametrize("heir_email", ["", "leaver@example.com", "nobody@example.com", "gone@example.com", "x"])
    def test_heir_is_somebody_else_who_is_here(self, client: Client, root: User, leaver: User, heir_email: str) -> None:
        UserFactory(email="gone@example.com", is_active=False)
        for ask in (client.get, client.post):
            page = ask(f"/people/{leaver.pk}/leaving/", plan(heir_email=heir_email)).text
            assert 'aria-invalid="true"' in page
            assert "What happens" not in page
        assert not Farewell.objects.exists()

    @pytest.mark.parametrize("said", [{"jobs": "burn"}, {"datasets": ""}])
    def test_nonsense_is_no_plan(
        self, client: Client, root: User, heir: User, leaver: User, said: dict[str, str]
    ) -> None:
        assert client.post(f"/people/{leaver.pk}/leaving/", plan(**said)).status_code == 200
        assert not Farewell.objects.exists()

    def test_nobody_sees_themselves_off(self, client: Client, root: User) -> None:
        answer = client.post(f"/people/{root.pk}/leaving/", plan())
        assert answer.status_code == 403
        assert "another administrator can" in answer.text


@pytest.mark.parametrize("end", ["active", "leaving", "progress"])
def test_people_are_seen_off_by_administrators_alone(browser: Client, leaver: User, heir: User, end: str) -> None:
    for answer in (
        browser.get(f"/people/{leaver.pk}/{end}/", plan()),
        browser.post(f"/people/{leaver.pk}/{end}/", plan() | {"active": "no"}),
    ):
        assert answer.status_code in {404, 405}
    leaver.refresh_from_db()
    assert leaver.is_active


@pytest.mark.usefixtures("server", "worker")
def test_all_is_handed_over_at_the_service_too(client: Client, root: User, heir: User, leaver: User) -> None:
    job = JobFactory(owner=leaver, ref="", epoch_count=1, total_steps=4)
    job.send()
    preset = preset_of(leaver)
    sweep = Sweep.objects.create(owner=leaver, name="S")
    team = Team.objects.create(name="Readers")
    team.memberships.create(person=leaver, is_manager=True)
    Webhook.objects.create(person=leaver, url="https://example.com/", secret="x")
    keys_of(leaver).create_api_key("laptop")
    assert roles_at_service(root, job) == {leaver.email: Role.OWNER}
    client.post(f"/people/{leaver.pk}/leaving/", plan())
    assert roles_at_service(root, job) == {heir.email: Role.OWNER}
    for row in (job, job.dataset_version.dataset, preset, sweep):
        row.refresh_from_db()
        assert row.owner == heir
    job.refresh()  # asked for in the new owner's name
    assert not team.members.exists()
    assert not Webhook.objects.exists()
    assert all(key.revoked for key in keys_of(leaver).api_keys())
    leaver.refresh_from_db()
    assert (leaver.is_active, leaver.is_administrator) == (False, False)
    assert "Seen off: everything is handed over to Hera or removed" in client.get(f"/people/{leaver.pk}/").text
    told = set(Entry.objects.values_list("event", flat=True))
    assert told >= {"person.seen_off", "key.revoked", "job.handed_over", "dataset.handed_over", "person.gone"}


@pytest.mark.usefixtures("server", "worker")
def test_all_is_removed_at_the_service_too(client: Client, root: User, heir: User, leaver: User) -> None:
    job = JobFactory(owner=leaver, ref="", epoch_count=1, total_steps=4)
    job.send()
    job.model = job.ref.partition("/operations/")[0]
    job.save(update_fields=["model"])
    TunedModelFactory(owner=leaver, job=job, name=job.model)
    preset_of(leaver)
    client.post(f"/people/{leaver.pk}/leaving/", plan(jobs="remove", datasets="remove", presets="remove"))
    assert not Job.objects.exists()
    assert not TunedModel.objects.exists()
    assert not Dataset.objects.exists()
    assert not Preset.objects.exists()
    with pytest.raises((NotFound, PermissionDenied)):
        Connection.objects.local().open_for(leaver).status(JobRef(job.ref))
    assert Farewell.objects.get().finished


@pytest.mark.usefixtures("no_server", "worker")
def test_shared_views_are_handed_over_and_those_for_oneself_go(
    client: Client, root: User, heir: User, leaver: User
) -> None:
    SavedView.objects.create(owner=heir, room=Room.JOBS, name="Failures", query="state=FAILED")
    SavedView.objects.create(owner=leaver, room=Room.JOBS, name="Failures", query="state=FAILED&sort=loss", shared=True)
    SavedView.objects.create(owner=leaver, room=Room.LIBRARY, name="Failures", query="sort=loss", shared=True)
    SavedView.objects.create(owner=leaver, room=Room.LIBRARY, name="Mine", query="sort=-loss")
    page = client.get(f"/people/{leaver.pk}/leaving/", plan()).text
    assert "2 shared views of lists go to Hera." in page
    assert "1 view that they kept for themselves is removed." in page
    farewells._settle_views(see_off(leaver, root, heir))
    views = SavedView.objects.order_by("room", "name").values_list("owner", "room", "name")
    assert set(views) == {
        (heir.pk, "jobs", "Failures"),
        (heir.pk, "jobs", "Failures 2"),
        (heir.pk, "library", "Failures"),
    }


@pytest.mark.usefixtures("no_server", "worker")
def test_shared_views_are_removed_where_that_is_said(root: User, heir: User, leaver: User) -> None:
    SavedView.objects.create(owner=leaver, room=Room.JOBS, name="Failures", shared=True)
    farewells._settle_views(see_off(leaver, root, heir, ["views"]))
    assert not SavedView.objects.exists()
    assert list(Entry.objects.filter(event="view.deleted").values_list("name", flat=True)) == ["Failures"]


@pytest.mark.usefixtures("no_server", "worker")
def test_dataset_that_somebody_elses_job_needs_is_handed_over(
    client: Client, root: User, heir: User, leaver: User
) -> None:
    needed, free = DatasetFactory(owner=leaver), DatasetFactory(owner=leaver)
    JobFactory(owner=UserFactory(), dataset_version=needed.latest, state=JobState.SUCCEEDED)
    farewell = see_off(leaver, root, heir, ["datasets"])
    farewells._settle_datasets(farewell)
    needed.refresh_from_db()
    assert needed.owner == heir
    assert not Dataset.objects.filter(pk=free.pk).exists()


@pytest.mark.usefixtures("server", "worker")
def test_model_that_was_only_shared_with_the_leaver_is_not_given_away(
    client: Client, root: User, heir: User, leaver: User
) -> None:
    """Their copy of the job goes to the heir; the model stays whose it is."""
    owner = UserFactory(email="owner@example.com")
    job = JobFactory(owner=owner, ref="", epoch_count=1, total_steps=4)
    job.send()
    name = job.ref.partition("/operations/")[0]
    sharing_of(owner).share(name, Grantee.PERSON, leaver.email, Role.READER)
    copy = JobFactory(owner=leaver, ref=job.ref, dataset_version=job.dataset_version)
    client.post(f"/people/{leaver.pk}/leaving/", plan())
    copy.refresh_from_db()
    assert copy.owner == heir
    assert roles_at_service(root, job) == {owner.email: Role.OWNER}


@pytest.mark.usefixtures("server", "worker")
def test_what_others_shared_with_the_leaver_is_taken_back(client: Client, root: User, heir: User, leaver: User) -> None:
    job = JobFactory(owner=UserFactory(email="owner@example.com"), ref="", epoch_count=1, total_steps=4)
    job.send()
    name = job.ref.partition("/operations/")[0]
    model = TunedModelFactory(owner=job.owner, job=job, name=name)
    ref = sharing_of(job.owner).share(name, Grantee.PERSON, leaver.email, Role.WRITER).ref
    Grant.objects.create(model=model, person=leaver, role=Role.WRITER, ref=ref)
    client.post(f"/people/{leaver.pk}/leaving/", plan())
    assert roles_at_service(root, job) == {"owner@example.com": Role.OWNER}
    assert not Grant.objects.exists()


class Killed(BaseException):
    """As a signal ends a process: nothing that comes after it is done."""


def kill_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker die when it has said so often that it is at work."""
    left = iter(range(steps))

    def die(_farewell: Farewell) -> None:
        if next(left, None) is None:
            raise Killed

    monkeypatch.setattr(Farewell, "still_at_it", die)


@pytest.mark.usefixtures("server")
def test_killed_in_the_middle_it_goes_on_where_it_was(
    root: User, heir: User, leaver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = DatasetFactory(owner=leaver).latest
    jobs = [JobFactory(owner=leaver, ref="", dataset_version=version, epoch_count=1, total_steps=4) for _ in range(4)]
    for job in jobs:
        job.send()
    farewell = see_off(leaver, root, heir)
    kill_after(2, monkeypatch)
    with pytest.raises(Killed):
        tasks.say_farewell.call(farewell.pk)
    assert Job.objects.filter(owner=heir).count() == 2
    assert Job.objects.filter(owner=leaver).count() == 2
    monkeypatch.undo()
    tasks.say_farewell.call(farewell.pk)
    assert Job.objects.filter(owner=leaver).count() == 2  # the one that died may still be at it
    Farewell.objects.update(tried=None)
    tasks.say_farewell.call(farewell.pk)
    assert Job.objects.filter(owner=heir).count() == 4
    for job in jobs:
        assert roles_at_service(root, job) == {heir.email: Role.OWNER}
    assert Entry.objects.filter(event="person.gone").count() == 1
    Farewell.objects.update(tried=None, finished=None)
    tasks.say_farewell.call(farewell.pk)  # once more changes nothing
    assert Job.objects.filter(owner=heir).count() == 4


@pytest.mark.usefixtures("worker")
def test_page_tells_how_far_it_has_come(
    client: Client, heir: User, leaver: User, running_server: TuningServer, settings: Settings
) -> None:
    client.force_login(UserFactory(administrator=True))
    settings.TUNING_SECRET = running_server.secret
    settings.TUNING_SERVER_URL = f"http://127.0.0.1:{free_port()}"
    DatasetFactory(owner=leaver)
    client.post(f"/people/{leaver.pk}/leaving/", plan())
    page = client.get(f"/people/{leaver.pk}/").text
    assert "1 thing is still to be handed over to Hera or removed" in page
    assert "It waits: The service does not answer" in page
    assert "data-live" in page
    seen = client.get(f"/people/{leaver.pk}/progress/").context["seen"]
    assert client.get(f"/people/{leaver.pk}/progress/", {"seen": seen}).status_code == 204
    settings.TUNING_SERVER_URL = running_server.url
    Farewell.objects.update(tried=None)
    tasks.sweep.call_local()
    over = client.get(f"/people/{leaver.pk}/progress/", {"seen": seen}).text
    assert "Seen off" in over
    assert "data-live" not in over


@pytest.mark.usefixtures("no_server", "worker")
def test_who_is_being_seen_off_stays_out_until_all_is_done(
    client: Client, root: User, heir: User, leaver: User
) -> None:
    client.post(f"/people/{leaver.pk}/leaving/", plan())
    for active in ("yes", "no"):
        page = client.post(f"/people/{leaver.pk}/active/", {"active": active}, follow=True).text
        assert "still being handed over" in page
    leaver.refresh_from_db()
    assert not leaver.is_active
    assert Farewell.objects.get().heir == heir


def test_links_of_who_leaves_let_nobody_in(root: User, heir: User) -> None:
    boss = UserFactory(administrator=True)
    client = Client()
    client.force_login(boss)
    client.post("/invitations/new/", {"days": 7})
    see_off(boss, root, heir)
    assert not Invitation.objects.open().exists()


@pytest.mark.parametrize("what", ["hand", "remove"])
@pytest.mark.usefixtures("worker", "root")
def test_what_lies_in_the_leavers_own_account_elsewhere_holds_nothing_up(
    client: Client, heir: User, leaver: User, server: TuningServer, what: str
) -> None:
    """They took the account back: there is nobody in whose name that service could be asked."""
    own = Connection.objects.create(kind="gemini", name="Own accounts", base_url=server.url, proof=Connection.Proof.OWN)
    model = TunedModelFactory(owner=leaver, connection=own)
    client.post(f"/people/{leaver.pk}/leaving/", plan(jobs=what))
    assert Farewell.objects.get().finished, Farewell.objects.get().problem
    left = TunedModel.objects.filter(pk=model.pk).values_list("owner", "job__owner").first()
    assert left == ((heir.pk, heir.pk) if what == "hand" else None)
    assert not Job.objects.filter(owner=leaver).exists()


def test_nothing_is_asked_any_more_for_who_was_made_inactive(client: Client, root: User, leaver: User) -> None:
    model = TunedModelFactory(owner=leaver)
    version = model.dataset_version
    facts = {"dataset_version": version, "examples_of": str(version), "total": 15, "max_output_tokens": 32}
    evaluation = Evaluation.objects.create(model=model, by=leaver, **facts)
    client.post(f"/people/{leaver.pk}/active/", {"active": "no"})
    farewells.go_on(Farewell.objects.get(person=leaver))
    evaluation.refresh_from_db()
    assert evaluation.state == State.STOPPED
