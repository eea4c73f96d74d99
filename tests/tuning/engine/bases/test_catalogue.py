"""Which base models there are, and what is not taken for one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tests import tiny_llama
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import Folder, Hub
from tuning.errors import EngineError


def test_smollm2_is_there_without_anything_prepared(tmp_path: Path) -> None:
    found = catalogue.entry(catalogue.DEFAULT, tmp_path / "no such folder")

    assert found.api_name == "models/smollm2-135m-instruct"
    assert catalogue.entries(tmp_path / "no such folder") == (found,)
    assert not catalogue.is_prepared(catalogue.DEFAULT, tmp_path)


def test_a_folder_with_an_entry_adds_a_base_model(models: Path) -> None:
    assert [found.name for found in catalogue.entries(models)] == [catalogue.DEFAULT, tiny_llama.NAME]
    assert catalogue.entry(tiny_llama.NAME, models) == tiny_llama.entry()
    assert catalogue.is_prepared(tiny_llama.NAME, models)


@pytest.mark.parametrize("name", ["", "..", "../tiny-llama", "/etc", "a/b", "A", "a\0", "a" * 65, ".hidden", "no-such"])
def test_a_name_that_is_none_is_a_missing_base_model(models: Path, name: str) -> None:
    assert not catalogue.is_prepared(name, models)
    with pytest.raises(EngineError) as refused:
        catalogue.entry(name, models)
    assert refused.value.code == "base_model_missing"


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"name":"odd"}', b"\xff"])
def test_a_broken_entry_hides_its_folder_and_no_other(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "model.json").write_bytes(text)
    (tmp_path / "fine").mkdir()
    catalogue.write_entry(tiny_llama.entry("fine"), tmp_path / "fine")

    assert [found.name for found in catalogue.entries(tmp_path)] == [catalogue.DEFAULT, "fine"]


def test_an_entry_cannot_take_another_models_place(tmp_path: Path) -> None:
    """A folder answers to its own name alone, and the built-in entries stay what they are."""
    for folder, name in (("mine", "yours"), (catalogue.DEFAULT, catalogue.DEFAULT)):
        (tmp_path / folder).mkdir()
        changed = replace(tiny_llama.entry(name), display_name="Changed")
        (tmp_path / folder / "model.json").write_bytes(orjson.dumps(changed))

    assert catalogue.entries(tmp_path) == (catalogue.BUILT_IN[catalogue.DEFAULT],)


OWN = """
[[base_model]]
name = "one"
folder = "/srv/one"
licence = "MIT"
sha256 = { "model.safetensors" = "00ff" }

[[base_model]]
name = "two"
hub = "people/two"
revision = "c0ffee"
input_token_limit = 100
[base_model.prompt_format]
before = "<"
after = ">"
end = "."
"""


def test_a_file_lists_base_models(tmp_path: Path) -> None:
    (tmp_path / "base-models.toml").write_text(OWN)

    one, two = catalogue.listed(tmp_path / "base-models.toml")

    assert (one.name, one.display_name, one.licence, one.weights) == ("one", "one", "MIT", Folder(folder="/srv/one"))
    assert (one.own_template, one.sha256) == (True, {"model.safetensors": "00ff"})
    assert two.weights == Hub(hub="people/two", revision="c0ffee")
    assert (two.own_template, two.prompt_format.end, two.input_token_limit) == (False, ".", 100)
    assert catalogue.listed(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[base_model]", "Expected"),
        ('[base]\nname = "x"', "[[base_model]]"),
        ('[[base_model]]\nname = "x"', "one of wheel, folder and hub"),
        ('[[base_model]]\nname = "x"\nfolder = "/a"\nhub = "b/c"', "one of wheel, folder and hub"),
        ('[[base_model]]\nname = "Big"\nfolder = "/a"', "lower-case"),
        ('[[base_model]]\nfolder = "/a"', "base_model 1"),
        ('[[base_model]]\nname = "x"\nfolder = "/a"\ninput_token_limit = "many"', "input_token_limit"),
        ('[[base_model]]\nname = "x"\nfolder = "/a"\ncolour = "red"', "colour"),
        ('[[base_model]]\nname = "x"\nfolder = "/a"\n' * 2, "listed twice"),
    ],
)
def test_a_mistake_in_it_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "base-models.toml").write_text(text)

    with pytest.raises(EngineError) as refused:
        catalogue.listed(tmp_path / "base-models.toml")

    assert refused.value.code == "catalogue_unreadable"
    assert says in refused.value.detail


def test_a_base_model_is_placed_and_removed(tmp_path: Path) -> None:
    entry = tiny_llama.entry("placed")
    catalogue.place(entry, tmp_path)

    assert catalogue.entry("placed", tmp_path) == entry
    assert not catalogue.is_prepared("placed", tmp_path)
    with pytest.raises(FileExistsError):
        catalogue.place(entry, tmp_path)
    assert catalogue.remove("placed", tmp_path)
    assert not catalogue.remove("placed", tmp_path)
    assert not catalogue.remove("../placed", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_interface_loads_no_torch() -> None:
    """What the server's processes import of the engine stays small."""
    heavy = {"torch", "transformers", "peft", "gguf", "xllamacpp", "safetensors", "tokenizers", "django"}
    program = (
        "import sys, tuning.engine, tuning.engine.answering.answers, tuning.engine.children;"
        "import tuning.engine.bases.catalogue, tuning.engine.bases.fit, tuning.engine.bases.shape;"
        f"print(*({heavy!r} & set(sys.modules)))"
    )
    root = Path(catalogue.__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, cwd=root, env=dict(os.environ)
    )
    assert said.stdout.strip() == ""
