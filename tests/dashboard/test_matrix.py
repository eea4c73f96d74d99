"""Who is answered what: every address and method of the dashboard, asked by everybody.

An address that the table does not list fails. It has a model with its job, which the owner shares with a reader, with
a writer, and with a team as readers; what else is the owner's (datasets, sweeps, presets, notices) is not shared.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.connections.models import Account, Connection
from dashboard.datasets.models import Upload
from dashboard.evaluations.models import Evaluation
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.listing.models import Room, SavedView
from dashboard.notices.models import Delivery, Event, Notice, Way, Webhook
from dashboard.openid.models import OpenIdentity
from dashboard.presets.models import Preset
from dashboard.retiring import removing
from dashboard.retiring.models import Cleanup, Fate
from dashboard.sweeps.models import Sweep
from dashboard.teams.models import Invitation, Team, digest
from tests.factories import JobFactory, TunedModelFactory, UserFactory
from tests.processes import free_port
from tuning.client import transport
from tuning.recipes import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

MATRIX = """
#                                            anonymous stranger  reader    member    writer    owner     administrator
GET     /                                    302       302       302       302       302       302       302
POST    /                                    302       302       302       302       302       302       302
GET     /healthz                             200       200       200       200       200       200       200
GET     accounts:welcome                     410       410       410       410       410       410       410
POST    accounts:welcome                     410       410       410       410       410       410       410
GET     accounts:sign_in                     200       302       302       302       302       302       302
POST    accounts:sign_in                     200       302       302       302       302       302       302
GET     accounts:way_in                      410       410       410       410       410       410       410
POST    accounts:way_in                      410       410       410       410       410       410       410
POST    accounts:sign_out                    302       302       302       302       302       302       302
GET     accounts:account                     in        200       200       200       200       200       200
POST    accounts:account                     in        200       200       200       200       200       200
POST    accounts:sign_out_everywhere         in        302       302       302       302       302       302
GET     accounts:change_password             in        200       200       200       200       200       200
POST    accounts:change_password             in        200       200       200       200       200       200
GET     accounts:forgotten                   404       404       404       404       404       404       404
POST    accounts:forgotten                   404       404       404       404       404       404       404
GET     accounts:link_sent                   404       404       404       404       404       404       404
GET     accounts:choose_password             404       404       404       404       404       404       404
POST    accounts:choose_password             404       404       404       404       404       404       404
GET     audit:list                           in        404       404       404       404       404       200
GET     audit:csv                            in        404       404       404       404       404       200
GET     audit:json                           in        404       404       404       404       404       200
GET     compare:index                        in        200       200       200       200       200       200
GET     compare:series                       in        200       200       200       200       200       200
GET     compare:search                       in        200       200       200       200       200       200
GET     connections:list                     in        200       200       200       200       200       200
GET     connections:new                      in        404       404       404       404       404       200
GET     connections:new_of                   in        404       404       404       404       404       200
POST    connections:new_of                   in        404       404       404       404       404       200
GET     connections:back                     in        302       302       302       302       302       302
GET     connections:detail                   in        404       404       404       404       200       200
GET     connections:edit                     in        404       404       404       404       404       200
POST    connections:edit                     in        404       404       404       404       404       200
GET     connections:remove                   in        404       404       404       404       404       200
POST    connections:remove                   in        404       404       404       404       404       302
POST    connections:test                     in        404       404       404       404       404       200
GET     connections:connect                  in        404       404       404       404       502       502
POST    connections:disconnect               in        404       404       404       404       302       404
GET     datasets:list                        in        200       200       200       200       200       200
GET     datasets:new                         in        200       200       200       200       200       200
POST    datasets:new                         in        200       200       200       200       200       200
POST    datasets:sample                      in        302       302       302       302       302       302
GET     datasets:columns                     in        404       404       404       404       200       404
POST    datasets:columns                     in        404       404       404       404       200       404
GET     datasets:detail                      in        404       404       404       404       200       200
GET     datasets:rename                      in        404       404       404       404       200       200
POST    datasets:rename                      in        404       404       404       404       200       200
GET     datasets:add_version                 in        404       404       404       404       200       200
POST    datasets:add_version                 in        404       404       404       404       200       200
GET     datasets:version                     in        404       404       404       404       200       200
GET     datasets:download                    in        404       404       404       404       200       200
GET     datasets:delete                      in        404       404       404       404       200       200
POST    datasets:delete                      in        404       404       404       404       302       302
GET     engine:index                         in        404       404       404       404       404       503
GET     engine:add_base                      in        404       404       404       404       404       503
POST    engine:add_base                      in        404       404       404       404       404       503
POST    engine:prepare_base                  in        404       404       404       404       404       503
GET     engine:remove_base                   in        404       404       404       404       404       503
POST    engine:remove_base                   in        404       404       404       404       404       503
POST    engine:prioritise                    in        404       404       404       404       404       503
GET     evaluations:new                      in        404       200       200       200       200       200
POST    evaluations:new                      in        404       200       200       200       200       200
GET     evaluations:detail                   in        404       200       200       200       200       200
GET     evaluations:live                     in        404       200       200       200       200       200
POST    evaluations:stop                     in        404       403       403       403       302       302
POST    evaluations:resume                   in        404       403       403       403       302       302
GET     evaluations:delete                   in        404       403       403       403       200       200
POST    evaluations:delete                   in        404       403       403       403       302       302
GET     evaluations:csv                      in        404       404       404       404       200       200
GET     evaluations:jsonl                    in        404       404       404       404       200       200
GET     invitations:list                     in        404       404       404       404       200       200
GET     invitations:new                      in        404       404       404       404       200       200
POST    invitations:new                      in        404       404       404       404       200       200
GET     invitations:revoke                   in        404       404       404       404       200       200
POST    invitations:revoke                   in        404       404       404       404       302       302
GET     invitations:accept                   410       410       410       410       410       410       410
POST    invitations:accept                   410       410       410       410       410       410       410
GET     jobs:list                            in        200       200       200       200       200       200
GET     jobs:filters                         in        200       200       200       200       200       200
POST    jobs:bulk                            in        302       302       302       302       302       302
POST    jobs:columns                         in        302       302       302       302       302       302
POST    jobs:save_view                       in        302       302       302       302       302       302
POST    jobs:change_view                     in        404       404       404       404       302       404
GET     jobs:import                          in        200       200       200       200       200       200
POST    jobs:import_from                     in        302       302       302       302       302       302
GET     jobs:tags                            in        200       200       200       200       200       200
POST    jobs:note                            in        404       403       403       302       302       302
POST    jobs:change_tags                     in        404       403       403       302       302       302
GET     jobs:new                             in        200       200       200       200       200       200
POST    jobs:new                             in        200       200       200       200       200       200
GET     jobs:paste                           in        200       200       200       200       200       200
POST    jobs:paste                           in        200       200       200       200       200       200
POST    jobs:tokens                          in        200       200       200       200       200       200
GET     jobs:estimate                        in        200       200       200       200       200       200
GET     jobs:detail                          in        404       200       200       200       200       200
GET     jobs:live                            in        404       200       200       200       200       200
GET     jobs:curve                           in        404       200       200       200       200       200
GET     jobs:points                          in        404       200       200       200       200       200
GET     jobs:series-csv                      in        404       200       200       200       200       200
GET     jobs:series-json                     in        404       200       200       200       200       200
GET     jobs:service                         in        404       200       200       200       200       200
GET     jobs:log                             in        404       200       200       200       200       200
GET     jobs:export                          in        404       503       503       503       503       503
POST    jobs:retry                           in        404       403       403       302       302       302
POST    jobs:cancel                          in        404       403       403       302       302       302
GET     jobs:delete                          in        404       403       403       403       200       200
POST    jobs:delete                          in        404       403       403       403       302       302
GET     keys:list                            in        503       503       503       503       503       503
POST    keys:list                            in        503       503       503       503       503       503
GET     keys:revoke                          in        503       503       503       503       503       503
POST    keys:revoke                          in        503       503       503       503       503       503
GET     library:list                         in        200       200       200       200       200       200
GET     library:facets                       in        200       200       200       200       200       200
POST    library:choose_view                  in        302       302       302       302       302       302
POST    library:save_view                    in        302       302       302       302       302       302
POST    library:change_view                  in        404       404       404       404       302       404
POST    library:bulk                         in        302       302       302       302       302       302
POST    library:preview                      in        200       200       200       200       200       200
GET     library:detail                       in        404       200       200       200       200       200
POST    library:star                         in        404       302       302       302       302       302
GET     library:edit                         in        404       403       403       200       200       200
POST    library:edit                         in        404       403       403       200       200       200
POST    library:note                         in        404       403       403       302       302       302
POST    library:change_tags                  in        404       403       403       302       302       302
GET     library:sampling                     in        404       200       200       200       200       200
GET     lineage:bundle                       in        404       503       503       503       503       503
POST    lineage:again                        in        404       403       403       403       302       302
GET     lineage:import                       in        200       200       200       200       200       200
POST    lineage:import                       in        200       200       200       200       200       200
GET     notices:list                         in        200       200       200       200       200       200
GET     notices:bell                         in        200       200       200       200       200       200
GET     notices:follow                       in        404       404       404       404       302       404
POST    notices:read_all                     in        302       302       302       302       302       302
GET     notices:settings                     in        200       200       200       200       200       200
POST    notices:settings                     in        302       302       302       302       302       302
GET     notices:log                          in        200       200       200       200       200       200
POST    notices:test                         in        404       404       404       404       302       404
POST    notices:again                        in        404       404       404       404       302       404
POST    notices:webhook                      in        200       200       200       200       200       200
POST    notices:new_secret                   in        404       404       404       404       200       404
POST    notices:remove_webhook               in        404       404       404       404       302       404
GET     people:list                          in        404       404       404       404       404       200
GET     people:detail                        in        404       404       404       404       404       200
POST    people:administrator                 in        404       404       404       404       404       302
POST    people:active                        in        404       404       404       404       404       302
GET     people:leaving                       in        404       404       404       404       404       200
POST    people:leaving                       in        404       404       404       404       404       200
GET     people:progress                      in        404       404       404       404       404       200
POST    people:quota                         in        404       404       404       404       404       302
GET     playground:ask                       in        200       200       200       200       200       200
POST    playground:ask                       in        200       200       200       200       200       200
GET     retiring:bin                         in        200       200       200       200       200       200
GET     retiring:cleanup                     in        200       200       200       200       200       200
POST    retiring:cleanup                     in        200       200       200       200       200       200
GET     retiring:cleaning                    in        404       404       404       404       200       200
GET     retiring:archive                     in        404       403       403       403       200       200
POST    retiring:archive                     in        404       403       403       403       302       302
POST    retiring:unarchive                   in        404       403       403       403       302       302
GET     retiring:delete                      in        404       403       403       403       200       200
POST    retiring:delete                      in        404       403       403       403       302       302
GET     retiring:expiry                      in        404       403       403       403       200       200
POST    retiring:expiry                      in        404       403       403       403       200       200
POST    retiring:restore                     in        404       404       404       404       302       302
GET     retiring:purge                       in        404       404       404       404       200       200
POST    retiring:purge                       in        404       404       404       404       302       302
GET     moving:index                         in        404       404       404       404       404       200
GET     moving:live                          in        404       404       404       404       404       200
POST    moving:export                        in        404       404       404       404       404       302
POST    moving:import                        in        404       404       404       404       404       404
GET     moving:upload                        in        404       404       404       404       404       200
POST    moving:upload                        in        404       404       404       404       404       200
GET     moving:download                      in        404       404       404       404       404       404
POST    moving:remove                        in        404       404       404       404       404       404
GET     openid:sign_in                       404       404       404       404       404       404       404
GET     openid:back                          404       404       404       404       404       404       404
GET     openid:confirm                       404       404       404       404       404       404       404
POST    openid:confirm                       404       404       404       404       404       404       404
GET     openid:add                           in        404       404       404       404       404       404
POST    openid:remove                        in        404       404       404       404       302       404
GET     presets:list                         in        200       200       200       200       200       200
GET     presets:new                          in        200       200       200       200       200       200
POST    presets:new                          in        200       200       200       200       200       200
GET     presets:detail                       in        404       404       404       404       200       200
POST    presets:detail                       in        404       404       404       404       200       200
GET     presets:delete                       in        404       404       404       404       200       200
POST    presets:delete                       in        404       404       404       404       302       302
GET     queue:index                          in        200       200       200       200       200       200
POST    queue:cancel                         in        503       503       503       503       503       503
POST    queue:move                           in        404       404       404       404       404       503
GET     sharing:index                        in        404       403       403       200       200       200
POST    sharing:add                          in        404       403       403       200       200       200
POST    sharing:change                       in        404       403       403       200       200       200
POST    sharing:remove                       in        404       403       403       200       200       200
GET     sharing:hand_over                    in        404       403       403       403       200       200
POST    sharing:hand_over                    in        404       403       403       403       200       200
GET     sweeps:list                          in        200       200       200       200       200       200
GET     sweeps:new                           in        200       200       200       200       200       200
POST    sweeps:new                           in        200       200       200       200       200       200
GET     sweeps:estimate                      in        200       200       200       200       200       200
GET     sweeps:detail                        in        404       404       404       404       200       200
GET     sweeps:live                          in        404       404       404       404       200       200
POST    sweeps:stop                          in        404       404       404       404       302       302
GET     teams:list                           in        200       200       200       200       200       200
GET     teams:new                            in        404       404       404       404       404       200
POST    teams:new                            in        404       404       404       404       404       200
GET     teams:detail                         in        404       404       200       404       200       200
GET     teams:rename                         in        404       404       403       404       200       200
POST    teams:rename                         in        404       404       403       404       200       200
GET     teams:delete                         in        404       404       403       404       403       200
POST    teams:delete                         in        404       404       403       404       403       302
GET     teams:leave                          in        404       404       200       404       200       404
POST    teams:leave                          in        404       404       302       404       302       404
POST    teams:add_member                     in        404       404       403       404       200       200
POST    teams:manage                         in        404       404       403       404       302       302
GET     teams:remove_member                  in        404       404       403       404       200       200
POST    teams:remove_member                  in        404       404       403       404       302       302
"""
"""Asked with an empty body, while no service answers. ``in``: shown the way to sign in. 404: not there, for all that
they can tell. 403: seen, and not theirs to change. 503: let through, and the service was asked. 200 to a POST: let
through, and told what is missing.
"""

PEOPLE = ["anonymous", "stranger", "reader", "member", "writer", "owner", "administrator"]
METHODS = {"GET", "POST"}
SAID = {"queue:move": {"way": "first"}, "engine:prioritise": {"priority": 1}}
"""What is posted where nothing at all would be nobody's."""

ROWS = {tuple(row[:2]): row[2:] for line in MATRIX.strip().splitlines()[1:] if (row := line.split())}


def room_of(route: str) -> str:
    return route.partition(":")[0]


ROOMS = sorted({room_of(route) for _method, route in ROWS})


@pytest.fixture
def people(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, User]:
    """Everybody but the anonymous one."""
    monkeypatch.setattr(transport, "BACKOFF", 0.0)
    made = {name: UserFactory(email=f"{name}@example.com", name=name) for name in PEOPLE[1:]}
    User.objects.filter(email="administrator@example.com").update(is_administrator=True)
    return made


@pytest.fixture
def named(people: dict[str, User]) -> dict[str, dict[str, Any]]:
    """What stands in the addresses of each room: all of it is the owner's."""
    owner, connection = people["owner"], Connection.objects.local()
    model = TunedModelFactory(owner=owner)
    team = Team.objects.create(name="Team")
    team.members.add(people["member"])
    team.members.add(owner, through_defaults={"is_manager": True})
    Grant.objects.create(model=model, person=people["reader"], role=Role.READER)
    Grant.objects.create(model=model, person=people["writer"], role=Role.WRITER)
    shared = Grant.objects.create(model=model, team=team, role=Role.READER)
    removed = TunedModelFactory(owner=owner)
    removing.remove(removed, owner, owner)
    binned = {"pk": removed.pk}
    preset = Preset(owner=owner, name="Preset")
    preset.recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001)
    preset.save()
    sweep = Sweep(owner=owner, name="Sweep", varied=["learning_rate"])
    Sweep.objects.start(sweep, [(JobFactory(owner=owner), {"learning_rate": 0.1})])
    upload = Upload.objects.keep(ContentFile(b"a,b\n1,2\n", "x.csv"), owner=owner, name="x", dataset=None)
    notice = Notice.objects.create(person=owner, job=model.job, event=Event.ENDED, attempt=1)
    Webhook.objects.create(person=owner, url="https://example.com/hook", secret=Webhook.new_secret())
    identity = OpenIdentity.objects.create(user=owner, issuer="https://a.example", subject="1", email=owner.email)
    delivery = Delivery.objects.create(person=owner, notice=notice, way=Way.MAIL)
    return {
        "accounts": {"token": "x", "uidb64": "x"},
        "connections": {"pk": _connection(owner).pk, "kind": "local"},
        "datasets": {"pk": model.dataset_version.dataset_id, "number": 1, "slug": "next-number", "key": upload.key},
        "engine": {"name": "tiny-llama", "model_id": "made-0"},
        "evaluations": {"pk": _evaluation(model).pk, "model": model.pk},
        "invitations": {"pk": _invitation(owner, team).pk, "token": "x"},
        "jobs": {"pk": model.job.pk, "form": "adapter", "connection": connection.pk},
        "jobs:change_view": {"pk": SavedView.objects.create(owner=owner, room=Room.JOBS, name="View").pk},
        "keys": {"key_id": "1"},
        "library": {"pk": model.pk},
        "library:change_view": {"pk": SavedView.objects.create(owner=owner, room=Room.LIBRARY, name="View").pk},
        "lineage": {"pk": model.job.pk},
        "moving": {"file": "library.zip"},
        "retiring": {"pk": model.pk},
        "retiring:cleaning": {"pk": Cleanup.objects.create(by=owner, fate=Fate.ARCHIVE, key="k" * 20).pk},
        "retiring:restore": binned,
        "retiring:purge": binned,
        "notices": {"pk": notice.pk, "way": "webhook"},
        "openid": {"pk": identity.pk},
        "notices:again": {"pk": delivery.pk},
        "people": {"pk": people["stranger"].pk},
        "presets": {"pk": preset.pk},
        "queue": {"connection": connection.pk, "model_id": "made-0"},
        "sharing": {"pk": model.pk, "grant": shared.pk},
        "sharing:hand_over": {"pk": model.pk, "grant": model.grants.get(person=people["reader"]).pk},
        "sweeps": {"pk": sweep.pk},
        "teams": {"pk": team.pk, "person": people["member"].pk},
    }


def _connection(owner: User) -> Connection:
    """One that is for the owner, in the name of an account of theirs, which they have."""
    kind = {"kind": "local", "base_url": f"http://127.0.0.1:{free_port()}"}
    made = Connection.objects.create(name="Theirs", proof="own", access="chosen", **kind)
    made.people.add(owner)
    Account.objects.create(connection=made, person=owner, expires=timezone.now() + timedelta(hours=1))
    return made


def _evaluation(model: TunedModel) -> Evaluation:
    """The owner's, under way."""
    version = model.dataset_version
    facts = {"dataset_version": version, "examples_of": str(version), "total": 15, "max_output_tokens": 32}
    return Evaluation.objects.create(model=model, by=model.owner, **facts)


def _invitation(by: User, team: Team) -> Invitation:
    later = timezone.now() + timedelta(days=1)
    return Invitation.objects.create(digest=digest("token"), team=team, made_by=by, expires=later)


def routes(resolver: URLResolver, room: str = "", prefix: str = "/") -> Iterator[tuple[str, list[str]]]:
    """Each address by its name, or as it stands where it has none, and what it is made of."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, f"{entry.namespace}:" if entry.namespace else room, path)
        else:
            yield f"{room}{entry.name}" if entry.name else path, re.findall(r"<(?:\w+:)?(\w+)>", path)


ROUTES = dict(routes(get_resolver()))


def address(route: str, named: dict[str, dict[str, Any]]) -> str:
    if route.startswith("/"):
        return route
    values = named.get(room_of(route), {}) | named.get(route, {})
    return reverse(route, kwargs={name: values[name] for name in ROUTES[route]})


def asked(method: str, route: str, named: dict[str, dict[str, Any]], person: User | None) -> str:
    """What they are answered; nothing that they changed stays."""
    client, path = Client(raise_request_exception=False), address(route, named)
    with transaction.atomic():
        if person:
            client.force_login(person)
        answer = client.post(path, SAID.get(route, {})) if method == "POST" else client.get(path)
        transaction.set_rollback(True)
    return "in" if answer.get("Location", "").startswith("/sign-in/?next=") else str(answer.status_code)


@pytest.mark.parametrize("room", ROOMS)
def test_everybody_is_answered_as_the_matrix_says(
    people: dict[str, User], named: dict[str, dict[str, Any]], room: str
) -> None:
    wrong = [
        f"{method} {route}: {who} is answered {given}, not {expected}"
        for (method, route), answers in ROWS.items()
        if room_of(route) == room
        for who, expected in zip(PEOPLE, answers, strict=True)
        if (given := asked(method, route, named, people.get(who))) != expected
    ]
    assert not wrong, "\n".join(wrong)


def test_every_address_is_in_the_matrix(named: dict[str, dict[str, Any]]) -> None:
    assert set(methods(named)) == ROWS.keys()


def methods(named: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each method of each address, as it tells somebody who asks by a wrong one."""
    for route in ROUTES:
        refusal = Client().generic("BREW", address(route, named))
        allowed = refusal.get("Allow", "GET, POST").split(", ")  # some look first whether the address is any good
        yield from ((method, route) for method in METHODS if method in allowed)
