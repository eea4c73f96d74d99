"""The datasets that come along: they load as anybody's would, and the generated one is what its script makes."""

import pytest

from dashboard.datasets.samples import SAMPLES
from scripts import make_sample
from tuning import datasets

BY_SLUG = {sample.slug: sample for sample in SAMPLES}


def parsed(slug: str) -> datasets.Parsed:
    with BY_SLUG[slug].path.open("rb") as file:
        return datasets.parse(file, BY_SLUG[slug].file)


@pytest.mark.parametrize("slug", BY_SLUG)
def test_every_sample_is_a_dataset_without_duplicates(slug):
    assert parsed(slug).facts.duplicates == 0


def test_the_tutorials_numbers_are_each_followed_by_the_next():
    pairs = {example.text_input: example.output for example in parsed("next-number").examples}
    assert len(pairs) == 15
    assert (pairs["-3"], pairs["twenty two"], pairs["10,100,000"]) == ("-2", "twenty three", "10,100,001")


def test_the_larger_sample_has_as_many_messages_of_each_intent():
    intents = [example.output for example in parsed("support-intents").examples]
    assert len(intents) >= 300
    assert {intents.count(intent) for intent in intents} == {make_sample.MESSAGES_AN_INTENT}


def test_the_larger_sample_is_what_its_script_makes(tmp_path, monkeypatch):
    kept = make_sample.FILE.read_bytes()
    monkeypatch.setattr(make_sample, "FILE", tmp_path / "made.jsonl")
    make_sample.main()
    assert make_sample.FILE.read_bytes() == kept
