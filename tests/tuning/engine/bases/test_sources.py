"""Where a base model may come from, what it is made of, and what is refused before anything is loaded."""

import pickle
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import orjson
import pytest
from tokenizers import Tokenizer

from tests import tiny_models
from tests.tuning.engine.conftest import prepared
from tuning.engine import PrepareSpec
from tuning.engine.bases import catalogue, exports, shape, weights
from tuning.engine.bases.catalogue import BaseModelEntry, Folder
from tuning.engine.prepare import prepare
from tuning.errors import EngineError

NAME = "mine"


def make_ready(source: Path, models: Path, **changes: Any) -> Path:
    """The folder of a base model prepared from ``source``."""
    entry = BaseModelEntry(name=NAME, display_name=NAME, weights=Folder(folder=str(source)), own_template=True)
    catalogue.remove(NAME, models)
    catalogue.place(replace(entry, **changes), models)
    for _ in prepare(PrepareSpec(base=NAME, models=models)):
        pass
    return models / NAME


def refused(source: Path, models: Path, **changes: Any) -> EngineError:
    """The reason why preparing comes to nothing; the model stays unprepared."""
    with pytest.raises(EngineError) as reason:
        make_ready(source, models, **changes)
    assert not catalogue.is_prepared(NAME, models)
    return reason.value


def reconfigure(source: Path, **changes: Any) -> None:
    config = orjson.loads((source / "config.json").read_bytes())
    (source / "config.json").write_bytes(orjson.dumps(config | changes))


def bits(folder: Path) -> dict[str, list[int]]:
    return {name: found.ravel().tolist() for name, found in weights.load(folder / catalogue.WEIGHTS_FILE)}


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
@pytest.mark.parametrize(("kind", "shards"), [("F32", 1), ("BF16", 3)])
def test_a_prepared_model_has_the_published_weights(family: str, kind: str, shards: int, tmp_path: Path) -> None:
    folder = prepared(family, tmp_path, kind=kind, shards=shards)

    published = {
        name: tensor.rows(0, tensor.size[0])
        for path in (tmp_path / "published" / family).glob("*.safetensors")
        for name, tensor in weights.stored(path).items()
    }
    assert set(bits(folder)) == set(published) == set(shape.read(folder).tensors())
    assert bits(folder) == {name: weights.to_bfloat16(rows).ravel().tolist() for name, rows in published.items()}


def test_half_precision_is_read(tmp_path: Path) -> None:
    folder = prepared("llama", tmp_path, kind="F16")

    assert len(bits(folder)) == len(shape.read(folder).tensors())


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_a_gguf_file_is_prepared_like_the_folder_it_was_made_of(family: str, families: Path, tmp_path: Path) -> None:
    original = families / f"small-{family}"
    exports.write_base(original, tmp_path / "exact.gguf", np.float32)
    again = make_ready(tmp_path / "exact.gguf", tmp_path / "models")

    assert bits(again) == bits(original)
    assert shape.read(again) == shape.read(original)
    assert catalogue.read_entry(again).prompt_format == catalogue.read_entry(original).prompt_format
    for text in ("Hello the seven tens!", "  two\n\nin 123", "ü€ 日本", "<|im_end|><eos>"):
        ours, theirs = (Tokenizer.from_file(str(place / catalogue.TOKENIZER_FILE)) for place in (again, original))
        assert ours.encode(text).ids == theirs.encode(text).ids, text


@pytest.mark.parametrize(
    "kind", [gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.BF16]
)
def test_quantised_weights_are_read(kind: gguf.GGMLQuantizationType, families: Path, tmp_path: Path) -> None:
    original = families / "small-qwen2"
    quantise(original / catalogue.GGUF_FILE, tmp_path / "small.gguf", kind)

    again = make_ready(tmp_path / "small.gguf", tmp_path / "models")

    loss = {gguf.GGMLQuantizationType.Q8_0: 0.01, gguf.GGMLQuantizationType.Q4_1: 0.1}.get(kind, 1e-6)
    ours, theirs = (dict(weights.load(place / catalogue.WEIGHTS_FILE)) for place in (again, original))
    for name, found in ours.items():
        assert np.abs(weights.to_float32(found) - weights.to_float32(theirs[name])).max() <= loss, name


def quantise(source: Path, target: Path, kind: gguf.GGMLQuantizationType) -> None:
    """The GGUF file with its matrices in another type."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.get_field("general.architecture").contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            writer.add_key_value(
                field.name, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None
            )
    for tensor in reader.tensors:
        values = tensor.data.astype(np.float32)
        if len(tensor.shape) > 1:
            writer.add_tensor(tensor.name, gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_memory_does_not_grow_with_a_tensor(tmp_path: Path) -> None:
    """A tensor larger than a block is read and written in several."""
    folder = prepared(
        "llama", tmp_path, hidden_size=1024, num_attention_heads=8, intermediate_size=8192, num_hidden_layers=1
    )
    sizes = shape.read(folder).tensors()

    assert len(list(weights.blocks(sizes["model.layers.0.mlp.up_proj.weight"]))) > 1
    published = weights.stored(tmp_path / "published" / "llama" / "model.safetensors")
    assert all(
        (np.array(found) == published[name].raw(0, len(found))).all()
        for name, found in weights.load(folder / catalogue.WEIGHTS_FILE)
    )


def test_an_unknown_architecture_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    source = tiny_models.publish("llama", tmp_path / "source")
    reconfigure(source, architectures=["FalconForCausalLM"])

    reason = refused(source, tmp_path / "models")

    assert reason.code == "architecture_unknown"
    assert reason.params["architecture"] == "FalconForCausalLM"
    assert "Qwen2ForCausalLM" in str(reason.params["known"])


def test_pickles_are_never_read(tmp_path: Path) -> None:
    class Program:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path.joinpath("ran").touch, ())

    source = tiny_models.publish("llama", tmp_path / "source")
    (source / "model.safetensors").unlink()
    (source / "pytorch_model.bin").write_bytes(pickle.dumps(Program()))

    assert refused(source, tmp_path / "models").code == "weights_unsafe"
    assert not (tmp_path / "ran").exists()


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    auto = {"AutoModelForCausalLM": "modeling_mine.Model", "AutoTokenizer": ["modeling_mine.T", None]}
    source = tiny_models.publish("llama", tmp_path / "source", auto_map=auto)
    (source / "modeling_mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")

    make_ready(source, tmp_path / "models")

    assert not (tmp_path / "ran").exists()


def spoil_header(source: Path) -> None:
    (source / "model.safetensors").write_bytes(b"\xff" * 100)


def cut_off(source: Path) -> None:
    whole = (source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def lose_a_tensor(source: Path) -> None:
    tensors = {name: np.array(values) for name, values in weights.load(source / "model.safetensors")}
    del tensors["model.layers.1.mlp.up_proj.weight"]
    weights.save(tensors, source / "model.safetensors")


def forget_the_tokenizer(source: Path) -> None:
    (source / "tokenizer.json").unlink()


def lead_out_of_the_folder(source: Path) -> None:
    (source.parent / "elsewhere.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    names = dict.fromkeys(weights.stored(source / "model.safetensors"), "../elsewhere.safetensors")
    (source / "model.safetensors.index.json").write_bytes(orjson.dumps({"weight_map": names}))


@pytest.mark.parametrize("spoil", [spoil_header, cut_off, lose_a_tensor, forget_the_tokenizer, lead_out_of_the_folder])
def test_an_unusable_folder_is_refused(spoil: Any, tmp_path: Path) -> None:
    source = tiny_models.publish("llama", tmp_path / "source")
    spoil(source)

    assert refused(source, tmp_path / "models").code == "base_model_unreadable"


def test_a_double_precision_file_is_refused(tmp_path: Path) -> None:
    source = tiny_models.publish("llama", tmp_path / "source", kind="F64")

    reason = refused(source, tmp_path / "models")

    assert reason.code == "base_model_unreadable"
    assert "F64" in reason.detail


def test_a_word_level_tokenizer_is_refused(tmp_path: Path) -> None:
    source = tiny_models.publish("llama", tmp_path / "source")
    (source / "tokenizer.json").write_text('{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}')

    assert refused(source, tmp_path / "models").code == "tokenizer_unknown"


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + b"\x00" * 200)

    assert refused(tmp_path / "x.gguf", tmp_path / "models").code == "base_model_unreadable"


def test_a_folder_that_is_not_there_is_a_missing_base_model(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere", tmp_path / "models").code == "base_model_missing"


def test_a_model_too_large_for_this_machine_is_refused_before_its_weights_are_opened(tmp_path: Path) -> None:
    """Before they are even looked for: a config.json says enough."""
    source = tiny_models.publish("llama", tmp_path / "source")
    reconfigure(source, num_hidden_layers=1_000, hidden_size=65_536)

    reason = refused(source, tmp_path / "models")

    assert reason.code == "does_not_fit"
    assert "memory" in reason.detail


def test_a_hash_is_checked_where_it_is_given(tmp_path: Path) -> None:
    source = tiny_models.publish("llama", tmp_path / "source")
    right = sha256((source / "model.safetensors").read_bytes()).hexdigest()

    make_ready(source, tmp_path / "models", sha256={"model.safetensors": right.upper()})
    wrong = refused(source, tmp_path / "models", sha256={"model.safetensors": "0" * 64})
    missing = refused(source, tmp_path / "models", sha256={"other.safetensors": right})

    assert (wrong.code, wrong.detail) == ("hash_differs", "model.safetensors")
    assert (missing.code, missing.detail) == ("base_model_missing", "other.safetensors")


def test_limits_are_what_the_models_context_has_room_for(families: Path) -> None:
    entry = catalogue.entry("small-llama", families)

    assert (entry.input_token_limit, entry.output_token_limit) == (384, 128)
