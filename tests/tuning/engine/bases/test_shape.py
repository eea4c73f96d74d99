"""What is read from a config.json: sizes, rotation, and what cannot be tuned."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GemmaConfig, LlamaConfig, MistralConfig, PretrainedConfig, Qwen2Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from tuning.engine.bases import shape
from tuning.errors import EngineError

SIZES = {
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 60,
    "max_position_embeddings": 4096,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 512,
}
PLAIN: dict[str, Any] = {"architectures": ["LlamaForCausalLM"], **SIZES}


def written(config: PretrainedConfig, folder: Path) -> shape.Shape:
    """The shape of the config that transformers writes for a model."""
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    read = shape.read(folder)
    assert read.tensors() == {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
    assert read.parameters == sum(tensor.numel() for tensor in model.parameters())
    return read


@pytest.mark.parametrize(
    ("config", "family"),
    [
        (LlamaConfig(**SIZES), "llama"),
        (LlamaConfig(**SIZES, tie_word_embeddings=True), "llama"),
        (MistralConfig(**SIZES, sliding_window=None), "llama"),
        (Qwen2Config(**SIZES), "qwen2"),
        (GemmaConfig(**SIZES, head_dim=16), "gemma"),
    ],
)
def test_the_tensors_are_those_of_transformers(config: PretrainedConfig, family: str, tmp_path: Path) -> None:
    assert written(config, tmp_path).family == family


def test_gemmas_peculiarities(tmp_path: Path) -> None:
    gemma = written(GemmaConfig(**SIZES, head_dim=16), tmp_path)

    assert (gemma.norm_offset, gemma.embedding_scale, gemma.activation) == (1.0, 48**0.5, "gelu_tanh")
    assert (gemma.head_dim, gemma.tied) == (16, True)


@pytest.mark.parametrize(
    "rope", [{"rope_type": "default", "rope_theta": 5e5}, LLAMA3, {**LLAMA3, "rope_type": "linear"}]
)
def test_rotation_is_that_of_transformers(rope: dict[str, Any]) -> None:
    theirs = LlamaRotaryEmbedding(LlamaConfig(**SIZES, rope_parameters=rope)).inv_freq
    ours = shape.shape(PLAIN | {"rope_parameters": rope}).rope_frequencies()
    # Before transformers 5 it was said in two places.
    earlier = shape.shape(PLAIN | {"rope_scaling": rope, "rope_theta": rope["rope_theta"]}).rope_frequencies()

    assert torch.allclose(torch.tensor(ours), theirs, rtol=1e-5, atol=0)
    assert earlier == ours


def test_a_context_ends_where_the_sliding_window_does() -> None:
    assert shape.shape(PLAIN | {"sliding_window": 1024}).positions == 1024
    assert shape.shape(PLAIN | {"sliding_window": 1024, "use_sliding_window": False}).positions == 4096
    assert shape.shape(PLAIN | {"sliding_window": None}).positions == 4096


@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": ["GPT2LMHeadModel"]},
        {"architectures": [], "model_type": "mamba"},
        {"architectures": None},
        {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
        {"attention_bias": True},
        {"hidden_act": "relu"},
    ],
)
def test_what_cannot_be_tuned_is_named_with_what_can(changes: dict[str, Any]) -> None:
    with pytest.raises(EngineError) as refused:
        shape.shape(PLAIN | changes)

    assert refused.value.code == "architecture_unknown"
    assert "Qwen2ForCausalLM" in str(refused.value.params["known"])


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": None},
        {"hidden_size": "48"},
        {"num_hidden_layers": 10**12},
        {"num_attention_heads": 0},
        {"num_key_value_heads": 3},
        {"rope_theta": -1},
        {"rope_scaling": {"rope_type": "llama3"}},
    ],
)
def test_sizes_that_are_none_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EngineError) as refused:
        shape.shape(PLAIN | changes)
    assert refused.value.code == "base_model_unreadable"


@pytest.mark.parametrize("text", [b"", b"[1]", b"\xff", b"null"])
def test_a_file_that_is_no_configuration_is_refused(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(text)
    with pytest.raises(EngineError) as refused:
        shape.read(tmp_path)
    assert refused.value.code == "base_model_unreadable"


def test_smollm2s_own_configuration(smollm2_models: Path) -> None:
    found = shape.read(smollm2_models / "smollm2-135m-instruct")

    assert (found.family, found.layers, found.hidden, found.heads, found.key_heads) == ("llama", 30, 576, 9, 3)
    assert (found.head_dim, found.tied, found.rope_theta) == (64, True, 100000.0)
    assert found.parameters == 134_515_008
