"""A library out of one installation and into another, empty one: the models answer as they did."""

import shutil
from contextlib import suppress
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.evaluations.asking import next_turn
from dashboard.evaluations.starting import Plan, start
from dashboard.jobs.models import Job, Tag
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.moving.models import Kind, Move
from dashboard.moving.tasks import move
from dashboard.notices.models import Notice
from dashboard.teams.models import Team
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.processes import TuningServer, tuning_server, wait_until
from tuning.errors import Unavailable
from tuning.providers import Prompt

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

QUESTION = Prompt(text="5", temperature=0, max_output_tokens=12)


@pytest.fixture
def administrator(db: None) -> User:
    return UserFactory(email="root@example.com", administrator=True)


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory(email="bob@example.com", name="Bob")


@pytest.fixture
def tuned(server: TuningServer, alice: User, bob: User, administrator: User) -> TunedModel:
    """A real model of Alice's, with everything that people add to one."""
    dataset = DatasetFactory(owner=alice)
    job = JobFactory(owner=alice, ref="", display_name="Next", dataset_version=dataset.latest)
    job.recipe = job.recipe
    job.more_recipe = {"validation": 0.2, "samples": 1}
    job.save()
    job.send()
    server.wait_for_state(job.ref.partition("/operations/")[0], server.api_key(alice.email), "SUCCEEDED")
    Job.objects.filter(pk=job.pk).update(synced_at=None)
    job.refresh_from_db()
    job.refresh()
    model = TunedModel.objects.get()
    model.notes, model.description, model.temperature = "for the **hot line**", "Counts", 0.5
    model.save()
    Tag.objects.put_on([job], "numbers")
    model.tags.set(job.tags.all())
    model.favourites.add(bob)
    team = Team.objects.create(name="Support")
    team.members.add(bob, through_defaults={"is_manager": True})
    Grant.objects.create(model=model, team=team, role=Role.READER)
    Grant.objects.create(model=model, person=bob, role=Role.WRITER)
    assert answer(model)
    start(alice, model, Plan(version=dataset.latest, examples=4, max_output_tokens=4))
    while next_turn():
        pass
    model.refresh_from_db()
    assert model.last_match is not None
    return model


def answer(model: TunedModel) -> str:
    """Once the server has started what answers."""

    def text() -> str | None:
        with suppress(Unavailable):
            return model.connection.open_for(model.owner).generate(model.name, QUESTION).text
        return None

    return str(wait_until(text))


def told(model: TunedModel) -> dict[str, object]:
    """What of a model is to be the same wherever it is."""
    job = model.job
    assert job
    return {
        "model": (model.name, model.display_name, model.description, model.notes, model.temperature, model.created),
        "owner": model.owner.email,
        "tags": ([str(tag) for tag in model.tags.all()], [str(tag) for tag in job.tags.all()]),
        "favourites": [person.email for person in model.favourites.all()],
        "grants": sorted((str(grant.grantee), grant.role) for grant in model.grants.all()),
        "curve": job.series(),
        "small": job.small_curve,
        "losses": (job.first_loss, job.last_loss, job.validation, job.best_step, job.best_loss),
        "recipe": job.recipe,
        "samples": job.samples,
        "times": (job.created, job.started, job.finished),
        "dataset": (job.dataset_version.sha256, job.dataset_version.examples, job.dataset_version.path.read_bytes()),
        "evaluations": [
            (
                one.total,
                one.answered,
                one.exact,
                one.likeness,
                one.in_training,
                one.dataset_version.sha256,
                one.finished,
            )
            for one in model.evaluations.done()
        ],
        "last match": model.last_match,
        "answer": answer(model),
    }


def emptied() -> None:
    """Another installation: nobody is there but its administrator."""
    for model in (TunedModel, Job, Dataset, Team, Tag):
        model.objects.all().delete()
    User.objects.exclude(is_administrator=True).delete()
    shutil.rmtree(Path(settings.VAR_DIR) / "datasets", ignore_errors=True)


def test_library_arrives_as_it_left_and_answers_the_same(
    tuned: TunedModel, settings: Settings, tmp_path: Path, django_capture_on_commit_callbacks: object
) -> None:
    before, file = told(tuned), tmp_path / "library.zip"
    call_command("export_library", str(file), stdout=StringIO(), stderr=StringIO())
    members = ZipFile(file).namelist()
    assert f"models/{tuned.pk}/adapter.zip" in members
    emptied()
    (tmp_path / "elsewhere").mkdir()
    with tuning_server(tmp_path / "elsewhere") as elsewhere:
        settings.TUNING_SERVER_URL, settings.TUNING_SECRET = elsewhere.url, elsewhere.secret
        out = StringIO()
        call_command("import_library", str(file), stdout=out, stderr=StringIO())
        assert "1 models, 1 datasets; 0 models were there" in out.getvalue()
        arrived = TunedModel.objects.get()
        assert told(arrived) == before
        assert Team.objects.get().memberships.get().is_manager
        assert not Notice.objects.filter(on_page=True).exists()
        assert not User.objects.get(email="alice@example.com").has_usable_password()
        out = StringIO()
        call_command("import_library", str(file), stdout=out, stderr=StringIO())
        assert "0 models, 0 datasets; 1 models were there" in out.getvalue()
        assert (TunedModel.objects.count(), Job.objects.count(), Dataset.objects.count()) == (1, 1, 1)
        Grant.objects.all().delete()
        TunedModel.objects.all().delete()  # what was interrupted after the service had the model
        Job.objects.all().delete()
        call_command("import_library", str(file), stdout=StringIO(), stderr=StringIO())
        assert told(TunedModel.objects.get()) == before


def test_administrator_does_the_same_on_a_page(
    client: Client, administrator: User, tuned: TunedModel, settings: Settings, tmp_path: Path
) -> None:
    settings.MOVING_DIR = tmp_path / "moving"
    client.force_login(administrator)
    client.post("/library/moving/export/")
    move.call(Move.objects.get().pk)
    name = Move.objects.get().file
    page = client.get("/library/moving/").text
    assert "Done: 1 models, 1 datasets." in page
    assert name in page
    downloaded = b"".join(client.get(f"/library/moving/files/{name}").streaming_content)
    assert downloaded == (tmp_path / "moving" / name).read_bytes()
    client.post("/library/moving/import/", {"file": name})
    move.call(Move.objects.filter(kind=Kind.IMPORT).get().pk)
    assert "1 models were here already" in client.get("/library/moving/").text
    client.post(f"/library/moving/files/{name}/remove/")
    assert name not in client.get("/library/moving/").text.partition('id="files-title"')[2]


def test_service_that_is_silent_writes_nothing(
    administrator: User, alice: User, no_server: None, tmp_path: Path
) -> None:
    job = JobFactory(owner=alice, model="tunedModels/m", state="SUCCEEDED")
    TunedModel.objects.keep(job)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("export_library", str(tmp_path / "library.zip"), stdout=StringIO(), stderr=StringIO())
    assert list(tmp_path.iterdir()) == []
    assert Connection.objects.local()
