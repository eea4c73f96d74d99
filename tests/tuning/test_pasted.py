"""What is read from a pasted request, and what never gets any further."""

import json
import shlex
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning import pasted
from tuning.errors import PasteError
from tuning.pasted import Pasted
from tuning.resources import Example

GEMINI = """
curl -X POST "https://generativelanguage.googleapis.com/v1beta/tunedModels?key=$GOOGLE_API_KEY" \\
    -H 'Content-Type: application/json' \\
    -d '
      {
        "display_name": "number generator model",
        "base_model": "models/gemini-1.5-flash-001-tuning",
        "tuning_task": {
          "hyperparameters": {
            "batch_size": 2,
            "learning_rate": 0.001,
            "epoch_count": 5,
          },
          "training_data": {
            "examples": {
              "examples": [
                {
                    "text_input": "1",
                    "output": "2",
                },{
                    "text_input": "-3",
                    "output": "-2",
                }
              ]
            }
          }
        }
      }' | tee tunemodel.json
"""
PAIRS = (Example(text_input="1", output="2"), Example(text_input="-3", output="-2"))
CAMEL = {
    "displayName": "n",
    "baseModel": "text-bison-001",
    "tuningTask": {
        "hyperparameters": {"epochCount": "5", "learningRateMultiplier": 2},
        "trainingData": {"examples": {"examples": [{"textInput": "1", "output": "2"}]}},
    },
}
OURS = {
    "tuned_model": {"tuned_model_source": {"tuned_model": "numbers-1"}},
    "dataset": f"sha256:{'a' * 64}",
    "validation": {"dataset": f"sha256:{'b' * 64}"},
    "recipe": {"rank": 4, "schedule": "cosine"},
}


def test_tutorials_command_is_read() -> None:
    assert pasted.read(GEMINI) == Pasted(
        display_name="number generator model",
        base_model="models/gemini-1.5-flash-001-tuning",
        recipe={"epoch_count": 5, "batch_size": 2, "learning_rate": 0.001},
        examples=PAIRS,
    )


def test_palms_spelling_is_read_and_names_are_made_whole() -> None:
    read = pasted.read(json.dumps(CAMEL))
    assert read.base_model == "models/text-bison-001"
    assert read.recipe == {"epoch_count": 5, "learning_rate_multiplier": 2.0}
    assert read.examples == PAIRS[:1]


def test_our_own_request_is_read() -> None:
    read = pasted.read(json.dumps(OURS))
    assert read.tuned_from == "tunedModels/numbers-1"
    assert (read.dataset, read.validation) == ("a" * 64, "b" * 64)
    assert read.recipe == {"rank": 4, "schedule": "cosine"}


@pytest.mark.parametrize(
    "command",
    [
        "curl -d {} http://x",
        "curl --data={} http://x",
        "curl -d{} http://x",
        "curl -sSd {} http://x",
        "curl --json {} --url http://x",
        "curl --data-raw {} -XPOST http://x",
        "/usr/bin/curl http://x -H 'A: b' --data-binary {}",
        "export KEY=1; curl http://y/models && curl http://x -d {} > out",
        "curl http://x \\\r\n  -H 'A: b' \\\r\n  -d {}",
    ],
)
def test_every_way_to_send_a_body_is_known(command: str) -> None:
    body = shlex.quote('{"display_name": "n"}')
    assert pasted.read(command.replace("{}", body)).display_name == "n"


def test_dataset_may_stand_in_the_address() -> None:
    address = f"http://x/v1beta/tunedModels?key=secret&dataset=sha256:{'a' * 64}"
    assert pasted.read(f"curl '{address}' -d '{{}}'").dataset == "a" * 64


def test_no_key_gets_further() -> None:
    command = "curl -u me:s3cret 'http://x/v1?key=s3cret' -H 'x-goog-api-key: s3cret' -b s3cret -d '{\"x\": 1}'"
    assert "s3cret" not in repr(pasted.read(command))


def test_what_has_no_place_is_named() -> None:
    body = CAMEL | {"temperature": 0.2, "zip": 1, "tuningTask": {**CAMEL["tuningTask"], "snapshots": [{"step": 1}]}}  # type: ignore[dict-item]
    assert pasted.read(json.dumps(body)).left_out == ("zip", "temperature", "tuning_task.snapshots")
    wrapped = {"tunedModelId": "x", "tunedModel": {"description": "d"}, "dataset": "sha256:$hash", "recipe": {"odd": 1}}
    assert pasted.read(json.dumps(wrapped)).left_out == ("recipe.odd", "tuned_model_id", "description", "dataset")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" \n", "paste_empty"),
        ("tune this", "paste_not_a_request"),
        ('["a"]', "paste_not_a_request"),
        ("curl 'http://x", "paste_quotes"),
        ("curl http://x", "paste_without_body"),
        ("curl http://x -d @body.json", "paste_from_file"),
        ("curl http://x -d", "paste_without_body"),
        ("curl http://x -d 'a=b'", "paste_bad_json"),
        ("curl http://x -d '[1]'", "paste_bad_json"),
        ('{"display_name": "n"', "paste_bad_json"),
        ('{"display_name": 3}', "paste_bad_value"),
        ('{"base_model": "a", "tuned_model_source": {}}', "paste_contradiction"),
    ],
)
def test_what_is_no_request_says_why(text: str, code: str) -> None:
    with pytest.raises(PasteError) as refused:
        pasted.read(text)
    assert refused.value.code == code


def test_too_many_examples_are_refused() -> None:
    examples = {"examples": {"examples": [{}] * 200_001}}
    with pytest.raises(PasteError) as refused:
        pasted.read(json.dumps({"tuning_task": {"training_data": examples}}))
    assert refused.value.code == "paste_too_many"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
keys = st.sampled_from([*CAMEL, *OURS, "tuning_task", "hyperparameters", "epoch_count", "learning_rate", "x"])
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@given(st.lists(st.text(max_size=20)))
def test_any_words_are_read_as_a_shell_reads_them(words: list[str]) -> None:
    assert pasted._words(shlex.join(words)) == [word.replace("\r\n", "\n") for word in words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r'a"b c"\ d', ["ab c d"]),
        (r'"\"\\\$\n"', ['"\\$\\n']),
        ("a \\\n b\\\nc", ["a", "bc"]),
        ("'' x", ["", "x"]),
    ],
)
def test_quotes_and_backslashes_are_those_of_a_shell(text: str, words: list[str]) -> None:
    assert pasted._words(text) == words


def test_long_paste_is_read_in_one_pass() -> None:
    body = json.dumps({"display_name": "n", "x": "y" * 3_000_000})
    assert pasted.read(f"curl -d {shlex.quote(body)} http://x").display_name == "n"
    with pytest.raises(PasteError):
        pasted.read("curl " * 200_000)


commands = st.text("curl -d@{}\"'\\\n$?=:/x", max_size=60)


@given(documents)
def test_any_json_is_read_or_refused(document: Any) -> None:
    read_or_refused(json.dumps(document))
    read_or_refused(f"curl -d {shlex.quote(json.dumps(document))} http://x")


@given(commands | commands.map("curl {}".format) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)


def read_or_refused(text: str) -> None:
    """Anything but the parser's own error would fail the test."""
    with suppress(PasteError):
        assert isinstance(pasted.read(text), Pasted)


@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4), st.integers(1, 9), st.text(max_size=9)
)
def test_what_was_asked_for_comes_back(pairs: list[tuple[str, str]], epochs: int, name: str) -> None:
    examples = [{"text_input": one, "output": other} for one, other in pairs]
    body = {
        "display_name": name,
        "tuning_task": {
            "hyperparameters": {"epoch_count": epochs},
            "training_data": {"examples": {"examples": examples}},
        },
    }
    read = pasted.read(f"curl http://x -d {shlex.quote(json.dumps(body))}")
    assert read == Pasted(
        display_name=name,
        recipe={"epoch_count": epochs},
        examples=tuple(Example(text_input=one, output=other) for one, other in pairs),
    )
