"""Sharing a model: through a real service that judges, and by the dashboard's own grants where a service does not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs.bringing import bring
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.sharing import giving, mirror, tasks
from dashboard.teams.models import Team
from tests.factories import DatasetFactory, JobFactory, TunedModelFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import body
from tuning.errors import PermissionDenied
from tuning.jobs import Conditions, JobState, JobStatus, Point
from tuning.providers import (
    PROVIDERS,
    Capabilities,
    ConnectionSettings,
    Grantee,
    Identity,
    Importer,
    JobRef,
    Permission,
    Sharer,
)
from tuning.providers.local import LocalProvider

pytestmark = pytest.mark.django_db


class KeepsNoPermissions(LocalProvider):
    """As a service that people reach with one key for all."""

    capabilities = Capabilities(cancel=True, delete=True)


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory(email="bob@example.com", name="Bob")


@pytest.fixture
def team(bob: User) -> Team:
    team = Team.objects.create(name="Support")
    team.members.add(bob)
    return team


@pytest.fixture
def model(alice: User, server: TuningServer, request: pytest.FixtureRequest) -> Iterator[TunedModel]:
    """A model of Alice's that its service has, too, of this test alone; nobody's job waits for one that is over."""
    name = request.node.name.replace("_", "-").partition("[")[0][-40:].lstrip("-0123456789")
    server.post(f"/v1beta/tunedModels?tunedModelId={name}", server.api_key(alice.email), json=body(epochs=1))
    yield TunedModelFactory(owner=alice, name=f"tunedModels/{name}")
    settings = ConnectionSettings(base_url=server.url, secret=server.secret)
    administrator = Identity(email="administrator@example.com", administrator=True)
    LocalProvider(settings, administrator).delete(JobRef(f"tunedModels/{name}/operations/any"))


@pytest.fixture
def own_grants(alice: User, monkeypatch: pytest.MonkeyPatch, no_server: None) -> TunedModel:
    """A model at a service that keeps no permissions."""
    monkeypatch.setitem(PROVIDERS, "local", f"{__name__}:KeepsNoPermissions")
    return TunedModelFactory(owner=alice)


Enter = Callable[[User], Client]


@pytest.fixture
def enter() -> Enter:
    """A browser of somebody's."""

    def entered(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return entered


def page(client: Client, path: str, **said: object) -> str:
    answer = client.post(path, said, follow=True) if said else client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def at(model: TunedModel, rest: str = "") -> str:
    return f"/library/{model.pk}/sharing/{rest}"


def told(model: TunedModel, eyes: User) -> set[tuple[Grantee, str, Role]]:
    """What the service has."""
    service = model.connection.open_for(eyes)
    assert isinstance(service, Sharer)
    return {(one.grantee, one.address, one.role) for one in service.permissions(model.name)}


def test_who_it_is_shared_with_sees_uses_and_loses_it(
    browser: Client, model: TunedModel, alice: User, bob: User, enter: Enter
) -> None:
    his = enter(bob)
    assert his.get(model.job.get_absolute_url()).status_code == 404
    said = page(browser, at(model, "add/"), who="person", email="Bob@Example.com", role=1)
    assert "Shared with Bob." in said
    assert (Grantee.PERSON, "bob@example.com", Role.READER) in told(model, alice)
    assert "Number generator" in page(his, "/jobs/")
    assert f"of {alice}" in page(his, model.job.get_absolute_url())
    page(browser, at(model, f"{model.grants.get().pk}/remove/"), sure=1)
    assert his.get(model.job.get_absolute_url()).status_code == 404
    assert told(model, alice) == {(Grantee.PERSON, "alice@example.com", Role.OWNER)}


def test_team_and_everyone(browser: Client, model: TunedModel, alice: User, bob: User, team: Team) -> None:
    team.members.add(alice)
    page(browser, at(model, "add/"), who=f"team:{team.pk}", role=2)
    assert model.role_of(bob) is Role.WRITER
    page(browser, at(model, "add/"), who="everyone", role=1)
    assert model.role_of(UserFactory()) is Role.READER
    assert {(one[0], one[2]) for one in told(model, alice)} == {
        (Grantee.PERSON, Role.OWNER),
        (Grantee.TEAM, Role.WRITER),
        (Grantee.EVERYONE, Role.READER),
    }


def test_team_that_one_is_not_in_cannot_be_chosen(browser: Client, model: TunedModel, team: Team) -> None:
    assert "Support" not in page(browser, at(model))
    page(browser, at(model, "add/"), who=f"team:{team.pk}", role=1)
    assert not model.grants.exists()


def test_everyone_is_no_writer(browser: Client, model: TunedModel) -> None:
    assert "Everyone can be a reader and no more" in page(browser, at(model, "add/"), who="everyone", role=2)
    page(browser, at(model, "add/"), who="everyone", role=1)
    page(browser, at(model, f"{model.grants.get().pk}/"), role=2)
    assert model.grants.get().role == Role.READER


def test_role_is_changed_here_and_there(browser: Client, model: TunedModel, alice: User, bob: User) -> None:
    page(browser, at(model, "add/"), who="person", email=bob.email, role=1)
    assert "Bob is Writer now." in page(browser, at(model, f"{model.grants.get().pk}/"), role=2)
    assert (Grantee.PERSON, bob.email, Role.WRITER) in told(model, alice)
    assert model.role_of(bob) is Role.WRITER


def test_owner_is_changed_after_asking(
    browser: Client, model: TunedModel, alice: User, bob: User, enter: Enter
) -> None:
    page(browser, at(model, "add/"), who="person", email=bob.email, role=1)
    path = at(model, f"{model.grants.get().pk}/hand-over/")
    assert "Make Bob the owner of" in page(browser, path)
    page(browser, path, sure=1)
    model.refresh_from_db()
    assert (model.owner, model.job.owner, model.role_of(alice)) == (bob, bob, Role.WRITER)
    assert told(model, bob) == {
        (Grantee.PERSON, "alice@example.com", Role.WRITER),
        (Grantee.PERSON, "bob@example.com", Role.OWNER),
    }
    assert browser.get(f"/jobs/{model.job.pk}/delete/").status_code == 403
    page(enter(bob), at(model, f"{model.grants.get().pk}/remove/"), sure=1)
    assert browser.get(model.job.get_absolute_url()).status_code == 404
    assert Dataset.objects.get().owner == alice


def test_person_without_an_account_finds_it_after_signing_up(browser: Client, model: TunedModel) -> None:
    said = page(browser, at(model, "add/"), who="person", email="carol@example.com", role=1)
    assert "carol@example.com, who has no account here yet" in said
    carol = UserFactory(email="carol@example.com")
    assert list(Job.objects.visible_to(carol)) == [model.job]


def test_what_others_did_at_the_service_is_seen_after_a_while(
    browser: Client, model: TunedModel, alice: User, bob: User
) -> None:
    service = model.connection.open_for(alice)
    assert isinstance(service, Sharer)
    page(browser, at(model))
    service.share(model.name, Grantee.PERSON, bob.email, Role.WRITER)
    assert model.role_of(bob) is None
    page(browser, at(model))
    assert model.role_of(bob) is None, "asked again within the interval"
    TunedModel.objects.update(permissions_read=timezone.now() - timedelta(minutes=2))
    assert "Bob" in page(browser, at(model))
    assert model.role_of(bob) is Role.WRITER
    service.transfer(model.name, bob.email)
    TunedModel.objects.update(permissions_read=None)
    page(browser, at(model))
    model.refresh_from_db()
    assert (model.owner, model.role_of(alice)) == (bob, Role.WRITER)


def test_worker_reads_what_nobody_looked_at(model: TunedModel, alice: User, bob: User, settings: Settings) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    service = model.connection.open_for(alice)
    assert isinstance(service, Sharer)
    service.share(model.name, Grantee.PERSON, bob.email, Role.READER)
    TunedModel.objects.update(permissions_read=timezone.now() - timedelta(minutes=5))
    tasks.sweep.call_local()
    assert model.role_of(bob) is None
    TunedModel.objects.update(permissions_read=timezone.now() - timedelta(minutes=11))
    tasks.sweep.call_local()
    assert model.role_of(bob) is Role.READER


def test_answer_that_was_overtaken_is_not_kept(browser: Client, model: TunedModel, alice: User, bob: User) -> None:
    """What the service said before a change here is not written over that change."""
    claimed = timezone.now()
    TunedModel.objects.update(permissions_read=claimed)
    service = model.connection.open_for(alice)
    assert isinstance(service, Sharer)
    before = service.permissions(model.name)
    page(browser, at(model, "add/"), who="person", email=bob.email, role=1)
    mirror.keep(model, before, claimed)
    assert model.role_of(bob) is Role.READER


def test_model_that_a_reader_brought_in_first_is_still_its_owners(model: TunedModel, alice: User, bob: User) -> None:
    TunedModel.objects.all().delete()
    Job.objects.all().delete()
    service = model.connection.open_for(alice)
    assert isinstance(service, Sharer)
    service.share(model.name, Grantee.PERSON, bob.email, Role.READER)
    for person in (bob, alice):
        server_has_it_ready(model, person)
        bring(person, model.connection, model.name)
    kept = TunedModel.objects.get()
    assert (kept.owner, kept.role_of(bob), kept.job.owner) == (alice, Role.READER, alice)


def server_has_it_ready(model: TunedModel, person: User) -> None:
    """Until its job is done, it has no record in the library."""
    provider = model.connection.open_for(person)
    assert isinstance(provider, Importer)
    wait_until(lambda: provider.found(model.name).status.state.is_final)


def test_the_service_judges_and_its_refusal_is_a_sentence(
    model: TunedModel, alice: User, bob: User, enter: Enter
) -> None:
    """Bob was a writer when his page was drawn; at the service he is none any more."""
    Grant.objects.create(model=model, person=bob, role=Role.WRITER)
    TunedModel.objects.update(permissions_read=timezone.now())
    answer = enter(bob).post(at(model, "add/"), {"who": "everyone", "role": 1}, headers={"HX-Request": "true"})
    assert "You may not do that with this model" in answer.content.decode()
    assert (Grantee.EVERYONE, "", Role.READER) not in told(model, alice)


def test_somebody_with_a_role_gets_no_second_one(browser: Client, model: TunedModel, bob: User) -> None:
    page(browser, at(model, "add/"), who="person", email=bob.email, role=1)
    again = page(browser, at(model, "add/"), who="person", email=bob.email, role=2)
    assert "They have a role on this model already" in again
    assert model.grants.get().role == Role.READER


def test_silent_service_changes_nothing(browser: Client, alice: User, no_server: None) -> None:
    model = TunedModelFactory(owner=alice)
    assert "does not answer" in page(browser, at(model, "add/"), who="everyone", role=1)
    assert not model.grants.exists()


@pytest.mark.parametrize("said", [{}, {"who": "person", "role": 1}, {"who": "team:999", "role": 1}, {"who": "x\0"}])
def test_nonsense_is_answered_in_words(browser: Client, model: TunedModel, said: dict[str, object]) -> None:
    assert "aria-invalid" in page(browser, at(model, "add/"), **(said | {"back": ""}))


def test_own_grants_decide_where_the_service_keeps_none(
    browser: Client, own_grants: TunedModel, alice: User, bob: User, enter: Enter
) -> None:
    page(browser, at(own_grants, "add/"), who="person", email=bob.email, role=2)
    assert own_grants.role_of(bob) is Role.WRITER
    his, carol = enter(bob), UserFactory(email="carol@example.com", name="Carol")
    page(his, at(own_grants, "add/"), who="person", email=carol.email, role=1)
    hers = own_grants.grants.get(person=carol)
    assert his.post(at(own_grants, f"{hers.pk}/hand-over/")).status_code == 403
    page(browser, at(own_grants, f"{hers.pk}/hand-over/"), sure=1)
    own_grants.refresh_from_db()
    assert (own_grants.owner, own_grants.role_of(alice)) == (carol, Role.WRITER)


def test_readers_see_and_may_not_change(alice: User, bob: User, enter: Enter, no_server: None) -> None:
    model = TunedModelFactory(owner=alice)
    Grant.objects.create(model=model, person=bob, role=Role.READER)
    his, job = enter(bob), f"/jobs/{model.job.pk}/"
    shown = page(his, job)
    for gone in (
        "Delete model",
        "Keep notes",
        "Add a tag",
        'id="share"',
        f"/datasets/{model.job.dataset_version.dataset_id}/",
    ):
        assert gone not in shown, gone
    for path in (at(model), f"{job}delete/"):
        refused = his.get(path)
        assert refused.status_code == 403
        assert "You may see this and use it" in refused.content.decode()
    for path in (at(model, "add/"), f"{job}tags/", f"{job}notes/", f"{job}cancel/", f"{job}delete/"):
        assert his.post(path).status_code == 403, path
    bulk = his.post("/jobs/bulk/", {"action": "tag", "tag": "mine", "job": [model.job.pk]}, follow=True)
    assert "Its owner, and those it is shared with as writers" in bulk.content.decode()
    assert not model.job.tags.exists()


def test_writers_change_it_and_may_not_delete_it(alice: User, bob: User, enter: Enter, no_server: None) -> None:
    model = TunedModelFactory(owner=alice)
    Grant.objects.create(model=model, person=bob, role=Role.WRITER)
    his, job = enter(bob), f"/jobs/{model.job.pk}/"
    page(his, f"{job}tags/", add="ours")
    assert model.job.tags.exists()
    assert his.post(f"{job}delete/").status_code == 403
    said = his.post("/jobs/bulk/", {"action": "delete", "sure": "on", "job": [model.job.pk]}, follow=True)
    assert "Only its owner may delete it" in said.content.decode()
    assert Job.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/",
        "/jobs/?q=generator",
        "/library/",
        "/library/?q=generator&view=table",
        "/library/{model}/",
        "/jobs/{pk}/",
        "/compare/?jobs={pk}",
        "/compare/search/?q=generator",
        "/playground/",
        "/jobs/new/?further={pk}",
        "/sweeps/new/?again={pk}",
        "/presets/new/?job={pk}",
    ],
)
@pytest.mark.parametrize("how", ["person", "team", "everyone", "address"])
@pytest.mark.usefixtures("no_server")
def test_what_is_shared_is_shown_everywhere_and_what_is_not_nowhere(
    bob: User, team: Team, enter: Enter, path: str, how: str
) -> None:
    model = TunedModelFactory()
    DatasetFactory(owner=bob)
    his, path = enter(bob), path.format(pk=model.job.pk, model=model.pk)
    assert "Number generator" not in his.get(path).text
    whom: dict[str, object] = {"person": bob, "team": team, "everyone": True, "address": bob.email}
    grant = Grant.objects.create(model=model, role=Role.READER, **{how: whom[how]})
    assert "Number generator" in his.get(path).text
    if how == "team":
        team.members.remove(bob)
    else:
        grant.delete()
    assert "Number generator" not in his.get(path).text


@pytest.mark.parametrize(
    "path", ["/jobs/{pk}/series.csv", "/jobs/{pk}/curve/", "/compare/series/?jobs={pk}", "/lineage/jobs/{pk}/bundle/"]
)
def test_curve_is_taken_away_only_by_those_who_see_it(bob: User, enter: Enter, no_server: None, path: str) -> None:
    job, conditions = JobFactory(), Conditions(server="0.1.0", engine="torch", threads=2)
    points = [Point(step, 0, 0.8125, 1.7e9 + step) for step in range(1, 9)]
    status = JobStatus(state=JobState.SUCCEEDED, model="tunedModels/a", total_steps=8, conditions=conditions)
    job.store(status, points)
    his, path = enter(bob), path.format(pk=job.pk)

    def taken() -> bytes:
        answer = his.get(path)
        return b"".join(cast(Any, answer)) if answer.status_code == 200 else b""

    before = taken()
    grant = Grant.objects.create(model=job.library_model, person=bob, role=Role.READER)
    assert len(taken()) > len(before) + 20
    assert b"0.8125" not in before
    grant.delete()
    assert taken() == before


@pytest.mark.parametrize("rest", ["", "add/", "1/", "1/remove/", "1/hand-over/"])
def test_not_mine_is_not_there_and_strangers_sign_in(
    client: Client, browser: Client, no_server: None, rest: str
) -> None:
    model = TunedModelFactory()
    ask = browser.post if rest else browser.get
    assert ask(at(model, rest)).status_code == 404
    browser.logout()
    assert "/sign-in/" in ask(at(model, rest))["Location"]


def test_look_alike_of_an_address_gives_nobody_anything(alice: User, bob: User) -> None:
    """A service may take for two what is one person here."""
    model, now = TunedModelFactory(owner=alice), timezone.now()
    TunedModel.objects.update(permissions_read=now)
    said = [("alice@example.com", Role.OWNER), ("bob@\uff45xample.com", Role.WRITER), ("bob@example.com", Role.READER)]
    mirror.keep(model, [Permission(ref=a, grantee=Grantee.PERSON, role=role, address=a) for a, role in said], now)
    assert model.role_of(bob) is Role.READER
    assert model.grants.count() == 1


def test_owner_of_a_moment_ago_gives_nothing_away_once_more(
    own_grants: TunedModel, alice: User, bob: User, rf: RequestFactory
) -> None:
    """Two presses at once, where the dashboard's own grants decide: the second finds another owner."""
    asked, carol = rf.post("/"), UserFactory()
    asked.user = alice
    at_once = TunedModel.objects.select_related("owner").get()
    giving.hand_over(asked, own_grants, bob)
    with pytest.raises(PermissionDenied):
        giving.hand_over(asked, at_once, carol)
    own_grants.refresh_from_db()
    assert (own_grants.owner, own_grants.role_of(alice)) == (bob, Role.WRITER)


def test_nobody_who_is_out_becomes_owner(browser: Client, own_grants: TunedModel) -> None:
    gone = UserFactory(is_active=False)
    grant = Grant.objects.create(model=own_grants, person=gone, role=Role.READER)
    assert "Make owner" not in page(browser, at(own_grants))
    assert browser.post(at(own_grants, f"{grant.pk}/hand-over/")).status_code == 404
