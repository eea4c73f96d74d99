"""Presets: kept from a job or a form, listed, changed, shared, used, deleted."""

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.presets.models import Preset
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tuning.recipes import Recipe, Schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

RECIPE = Recipe(epoch_count=7, batch_size=2, learning_rate=0.0004, rank=12, alpha=24, schedule=Schedule.COSINE)
SAID = {"name": "Gentle", "epoch_count": 7, "batch_size": 2, "learning_rate": 0.0004, "rank": 12, "schedule": "cosine"}


def preset(owner: User, name: str = "Gentle", **said: object) -> Preset:
    made = Preset(owner=owner, name=name, **said)  # type: ignore[misc]
    made.recipe = RECIPE
    made.save()
    return made


def test_preset_is_saved_from_a_job(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, display_name="Seasons")
    job.recipe = RECIPE
    job.save()
    assert f"/presets/new/?job={job.pk}" in browser.get(f"/jobs/{job.pk}/").text
    form = browser.get("/presets/new/", {"job": job.pk}).context["form"]
    said = {field.name: field.value() for field in form if field.value() not in (None, False)}
    assert said["name"] == "Seasons"
    assert browser.post("/presets/new/", said | {"name": "Gentle"}).status_code == 302
    made = Preset.objects.get()
    assert (made.name, made.owner, made.shared, made.base_model) == ("Gentle", alice, False, "models/tiny-llama")
    assert made.recipe == RECIPE


def test_form_of_a_new_job_is_saved_under_a_name(browser: Client, alice: User) -> None:
    described = {"dataset": 1, "target": "1:models/tiny-llama", "display_name": "Numbers"}
    form = browser.post("/presets/new/", described | {key: value for key, value in SAID.items() if key != "name"})
    assert not Preset.objects.exists()
    filled = form.context["form"]
    assert filled["name"].value() == "Numbers"
    assert filled["base_model"].value() == "models/tiny-llama"
    assert (filled["rank"].value(), filled["schedule"].value()) == ("12", "cosine")


def test_mistake_is_told_and_nothing_is_kept(browser: Client) -> None:
    answer = browser.post("/presets/new/", SAID | {"rank": 0, "patience": 2})
    assert set(answer.context["form"].errors) == {"rank"}
    answer = browser.post("/presets/new/", SAID | {"patience": 2})
    assert "needs held-out examples" in answer.text
    assert not Preset.objects.exists()


def test_new_job_begins_with_a_preset(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice, name="Pairs")
    kept = preset(alice)
    page = browser.get("/jobs/new/", {"preset": kept.pk, "epoch_count": 3})
    form = page.context["form"]
    assert [form[name].value() for name in ("batch_size", "learning_rate", "rank")] == [2, 0.0004, 12]
    assert form["epoch_count"].value() == "3"  # the address has the last word
    assert form["display_name"].value() == "Pairs"
    assert f"?preset={kept.pk}" in page.text


def test_list_names_mine_and_what_others_share(browser: Client, alice: User) -> None:
    assert "No presets yet" in browser.get("/presets/").text
    preset(alice, "Mine")
    preset(UserFactory(name="Bob"), "Bob’s", shared=True)
    preset(UserFactory(), "Hidden")
    page = browser.get("/presets/").text
    assert "only mine" in page
    assert "Bob’s" in page
    assert "Hidden" not in page


def test_preset_is_renamed_and_shared(browser: Client, alice: User) -> None:
    kept = preset(alice)
    browser.post(f"/presets/{kept.pk}/", SAID | {"name": "Softly", "shared": "on"})
    kept.refresh_from_db()
    assert (kept.name, kept.shared, kept.owner) == ("Softly", True, alice)


def test_shared_preset_can_be_used_and_not_changed(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice)
    theirs = preset(UserFactory(name="Bob"), shared=True, base_model="models/x")
    page = browser.get(f"/presets/{theirs.pk}/").text
    assert "Bob shares this preset" in page
    assert "<form" not in page.split("<main")[1].split("</main")[0]
    browser.post(f"/presets/{theirs.pk}/", SAID | {"name": "Mine now"})
    assert browser.post(f"/presets/{theirs.pk}/delete/").status_code == 404
    assert Preset.objects.get().name == "Gentle"
    assert browser.get("/jobs/new/", {"preset": theirs.pk}).context["form"]["rank"].value() == 12


def test_preset_of_somebody_else_is_not_found(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice)
    theirs = preset(UserFactory())
    for path in (f"/presets/{theirs.pk}/", f"/presets/{theirs.pk}/delete/"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, SAID).status_code == 404
    assert browser.get("/jobs/new/", {"preset": theirs.pk}).context["form"]["rank"].value() == 8


def test_administrator_may_change_and_delete_any(client: Client) -> None:
    client.force_login(UserFactory(administrator=True))
    theirs = preset(UserFactory(name="Bob"))
    assert "This preset is Bob" in client.get(f"/presets/{theirs.pk}/").text
    client.post(f"/presets/{theirs.pk}/", SAID | {"name": "Mended"})
    theirs.refresh_from_db()
    assert (theirs.name, theirs.owner.name) == ("Mended", "Bob")
    client.post(f"/presets/{theirs.pk}/delete/")
    assert not Preset.objects.exists()


def test_deleting_asks_first(browser: Client, alice: User) -> None:
    kept = preset(alice)
    assert "Delete “Gentle”?" in browser.get(f"/presets/{kept.pk}/delete/").text
    assert Preset.objects.exists()
    browser.post(f"/presets/{kept.pk}/delete/")
    assert not Preset.objects.exists()


@pytest.mark.parametrize("pk", ["x", "-1", "²", "9" * 30, ""])
def test_address_that_means_nothing_is_as_none(browser: Client, alice: User, pk: str) -> None:
    DatasetFactory(owner=alice)
    assert browser.get("/presets/new/", {"job": pk}).status_code == 200
    assert browser.get("/jobs/new/", {"preset": pk, "further": pk, "again": pk, "version": pk}).status_code == 200


def test_hostile_name_is_only_text(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice)
    kept = preset(alice, "</script><img src=x>")
    for path in ("/presets/", f"/presets/{kept.pk}/", f"/presets/{kept.pk}/delete/", "/jobs/new/"):
        assert "<img" not in browser.get(path).text
