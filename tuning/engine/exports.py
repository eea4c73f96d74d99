"""Writing GGUF for llama.cpp: a base model's weights, and a tuned model's adapter."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import orjson
from safetensors.numpy import load_file

from tuning.engine import layout
from tuning.engine.catalogue import CONFIG_FILE, TOKENIZER_FILE
from tuning.engine.weights import Float32

Config = Mapping[str, Any]

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_GGUF = "adapter.gguf"


def read_config(folder: Path) -> Config:
    """The ``config.json`` of a base model's folder."""
    return dict(orjson.loads((folder / CONFIG_FILE).read_bytes()))


def write_base(folder: Path, weights: Iterable[tuple[str, Float32]], path: Path, dtype: type = np.float16) -> None:
    """Write ``weights`` (transformers' names and layout) of the Llama in ``folder`` as GGUF. Norms stay in float32."""
    config = read_config(folder)
    writer = gguf.GGUFWriter(path, "llama")
    _add_shape(writer, config)
    _add_tokenizer(writer, orjson.loads((folder / TOKENIZER_FILE).read_bytes()), config)
    for name, values in weights:
        base = layout.gguf_name(name.removesuffix(".weight"))
        rows = _neighbours(base, values, config)
        writer.add_tensor(f"{base}.weight", rows.astype(dtype) if rows.ndim > 1 else rows)
    _finish(writer)


def write_adapter(adapter: Path, base: Path) -> Path:
    """Write the PEFT adapter in ``adapter``, tuned from the base model in ``base``, as GGUF beside it."""
    config, path = read_config(base), adapter / ADAPTER_GGUF
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    alpha = orjson.loads((adapter / ADAPTER_CONFIG).read_bytes())["lora_alpha"]
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(alpha))
    for name, values in _lora_tensors(load_file(adapter / ADAPTER_WEIGHTS), config):
        writer.add_tensor(name, values)
    _finish(writer)
    return path


def _lora_tensors(tensors: Mapping[str, Float32], config: Config) -> Iterator[tuple[str, Float32]]:
    for key, values in sorted(tensors.items()):
        module, _, side = key.removeprefix("base_model.model.").removesuffix(".weight").rpartition(".lora_")
        base = layout.gguf_name(module)
        rows = _neighbours(base, values, config) if side == "B" else values
        yield f"{base}.weight.lora_{side.lower()}", rows.astype(np.float32)


def _neighbours(name: str, rows: Float32, config: Config) -> Float32:
    heads = layout.rotated_heads(name, config["num_attention_heads"], config["num_key_value_heads"])
    return layout.to_neighbours(rows, heads) if heads else rows


def _add_shape(writer: gguf.GGUFWriter, config: Config) -> None:
    heads = config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Mapping[str, Any], config: Config) -> None:
    """llama.cpp turns tokens into text with this; text into tokens is :mod:`tuning.engine.prompts`' work."""
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if text in special else gguf.TokenType.NORMAL for text in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(False)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
