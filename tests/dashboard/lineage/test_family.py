"""Lineages: drawn over generations, clickable, and telling nobody of what is not theirs to see."""

import re

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.evaluations.models import Evaluation, State
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.lineage import family
from tests.factories import DatasetFactory, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db


def drawn(user: User, thing: object) -> str:
    """The page's section, blanks made one."""
    template = Template("{% load lineage %}{% lineage thing %}")
    return " ".join(template.render(Context({"user": user, "thing": thing})).split())


def generations(owner: User, count: int) -> list[TunedModel]:
    """A line of models, each tuned from the one before."""
    line: list[TunedModel] = []
    for number in range(1, count + 1):
        source = line[-1] if line else None
        version = DatasetFactory(owner=owner, name=f"Examples {number}").latest
        line.append(
            TunedModelFactory(
                owner=owner, display_name=f"Model {number}", tuned_from=source, dataset_version=version, last_loss=0.5
            )
        )
    return line


def shown(section: str) -> list[tuple[int, str]]:
    """Depth and model of each row."""
    rows = re.findall(r'<li data-depth="(\d+)"[^>]*>(.*?)</li>', section)
    names = [re.findall(r"Model \d+(?: [a-z]+)?|A model[^<]*", row) for _depth, row in rows]
    return [(int(depth), found[-1]) for (depth, _row), found in zip(rows, names, strict=True)]


def test_five_generations_are_drawn_from_any_of_them(alice: User) -> None:
    line = generations(alice, 5)
    expected = [(depth, f"Model {depth + 1}") for depth in range(5)]
    for model in line:
        section = drawn(alice, model)
        assert shown(section) == expected
        assert section.count('aria-current="true"') == 1
        assert f"<b>{model.display_name}</b>" in section
        others = [other for other in line if other != model]
        for other in others:
            assert f'<a href="{other.get_absolute_url()}">{other.display_name}</a>' in section
        for member in line:
            assert f'href="/jobs/{member.job.pk}/"' in section
            version = member.dataset_version
            assert f'href="/datasets/{version.dataset_id}/v1/"' in section
            assert version.sha256[:8] in section


def test_siblings_stand_under_their_source(alice: User) -> None:
    root, child = generations(alice, 2)
    TunedModelFactory(owner=alice, display_name="Model 3", tuned_from=child)
    TunedModelFactory(owner=alice, display_name="Model 4", tuned_from=root)
    assert shown(drawn(alice, root)) == [(0, "Model 1"), (1, "Model 2"), (2, "Model 3"), (1, "Model 4")]


def test_what_is_somebody_elses_keeps_its_place_and_no_name(alice: User) -> None:
    owner = UserFactory(name="Owner McOwner", email="owner@example.com")
    first, second, third = generations(owner, 3)
    Grant.objects.create(model=second, person=alice, role=Role.READER)
    section = drawn(alice, second)
    assert shown(section) == [(0, "A model of somebody else’s"), (1, "Model 2"), (2, "A model of somebody else’s")]
    for hidden in (first, third):
        for text in (hidden.display_name, hidden.get_absolute_url(), f"/jobs/{hidden.job.pk}/"):
            assert text not in section
        assert hidden.dataset_version.sha256[:8] not in section.replace(second.dataset_version.sha256, "") or (
            hidden.dataset_version.sha256 == second.dataset_version.sha256
        )
        assert hidden.dataset_version.dataset.name not in section
    assert "Examples 2" in section  # its name, hash and numbers, and no way to the examples
    assert "/datasets/" not in section
    assert f"/jobs/{second.job.pk}/" in section


def test_what_was_deleted_says_so(alice: User) -> None:
    first, second = generations(alice, 2)
    TunedModel.objects.filter(pk=first.pk).update(removed=timezone.now())
    section = drawn(alice, second)
    assert "A model that was deleted" in section
    assert "Model 1" not in section


def test_a_dataset_shows_what_was_tuned_on_it_and_what_came_of_that(browser: Client, alice: User) -> None:
    _first, second, _third = generations(alice, 3)
    page = browser.get(f"/datasets/{second.dataset_version.dataset_id}/").text
    assert shown(" ".join(page.split())) == [(0, "Model 2"), (1, "Model 3")]
    unused = DatasetFactory(owner=alice)
    assert "Lineage" not in browser.get(f"/datasets/{unused.pk}/").text


def evaluated(model: TunedModel, name: str, **more: object) -> Evaluation:
    facts = {"examples_of": name, "dataset_version": model.dataset_version, "total": 15, "max_output_tokens": 32}
    counts = {"answered": 15, "exact": 12, "normalised": 12, "likeness": 13.0, "state": State.DONE}
    return Evaluation.objects.create(model=model, by=model.owner, **(facts | counts | more))


def test_evaluations_hang_on_their_model_in_five_generations(alice: User, browser: Client) -> None:
    line = generations(alice, 5)
    made = [evaluated(model, f"Held out {number}") for number, model in enumerate(line)]
    evaluated(line[0], "Stopped", state=State.STOPPED)
    for number in range(4):
        evaluated(line[4], f"Again {number}", baseline=True)
    section = drawn(alice, line[2])
    assert shown(section) == [(depth, f"Model {depth + 1}") for depth in range(5)]
    rows = section.split("<li ")[1:]
    for evaluation, row in zip(made[:4], rows, strict=False):
        assert f'<a href="/evaluations/{evaluation.pk}/">evaluation</a> {evaluation.examples_of}' in row
        assert "80 % as expected" in row
    assert "Stopped" not in section
    assert re.findall(r"of its base model</a> (Again \d)", rows[4]) == ["Again 3", "Again 2", "Again 1"]  # the last
    page = browser.get(made[2].get_absolute_url()).text
    assert f'href="{line[2].get_absolute_url()}"' in page
    assert f'href="/datasets/{line[2].dataset_version.dataset_id}/v1/"' in page


def test_evaluations_of_others_models_are_not_told(alice: User) -> None:
    first, second = generations(UserFactory(), 2)
    evaluated(first, "Secret examples")
    Grant.objects.create(model=second, person=alice, role=Role.READER)
    assert "Secret examples" not in drawn(alice, second)


def test_tuned_model_of_vertex_leads_to_its_endpoint_in_the_console(alice: User) -> None:
    google = {"kind": "vertex", "project": "our-project", "location": "us-central1", "bucket": "ours"}
    vertex = Connection.objects.create(name="Our project", access="chosen", **google)
    endpoint = "projects/123/locations/us-central1/endpoints/456"
    model = TunedModelFactory(owner=alice, connection=vertex, name=endpoint)
    assert "console" not in drawn(alice, model)
    vertex.people.add(alice)
    page = (
        "https://console.cloud.google.com/vertex-ai/online-prediction/locations/us-central1/endpoints/456?project=123"
    )
    assert f'href="{page}"' in drawn(alice, model)
    TunedModel.objects.update(name="tunedModels/strange")
    assert "console" not in drawn(alice, model)


def test_names_are_shown_as_they_are_written(alice: User) -> None:
    model = TunedModelFactory(owner=alice, display_name="<b>bold</b>")
    assert "&lt;b&gt;bold&lt;/b&gt;" in drawn(alice, model)


def test_a_large_family_is_cut_and_costs_few_questions(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    root = TunedModelFactory(owner=alice)
    TunedModel.objects.bulk_create(
        TunedModel(connection=root.connection, name=f"tunedModels/m{n}", owner=alice, display_name="M", tuned_from=root)
        for n in range(family.MOST + 50)
    )
    with django_assert_max_num_queries(10):
        section = drawn(alice, root)
    assert section.count("<li ") == family.MOST
    assert "There are more" in section
