"""A two-layer Llama with random weights, prepared as every base model is: the real engine at a test's speed."""

from pathlib import Path

import numpy as np
import orjson
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tuning.engine.bases import catalogue, exports, weights
from tuning.engine.staging import locked, staged

NAME = "tiny-llama"

ENDLESS = 50_000
"""Tokens of an answer that nobody waits for."""

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

SHAPE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "dtype": "bfloat16",
}


def entry(name: str = NAME, answer_tokens: int = 64) -> catalogue.BaseModelEntry:
    return catalogue.BaseModelEntry(
        name=name,
        display_name="Tiny Llama",
        description="Two random layers. Knows nothing, learns quickly.",
        input_token_limit=192,
        output_token_limit=answer_tokens,
        temperature=0.7,
        top_p=0.95,
        top_k=40,
    )


def build(models_dir: Path, name: str = NAME, *, endless: bool = False) -> Path:
    """The prepared folder ``models_dir/name``, made in about a second unless it is there.

    Asked greedily, an ``endless`` model says one ASCII character after the other, for half a minute.
    """
    folder = models_dir / name
    with locked(models_dir):
        if not catalogue.is_prepared(name, models_dir):
            with staged(folder) as aside:
                _fill(aside, entry(name, ENDLESS) if endless else entry(name))
    return folder


def _fill(folder: Path, made: catalogue.BaseModelEntry) -> None:
    tokenizer = _tokenizer()
    positions = max(512, made.context_tokens)
    shape = SHAPE | {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": positions}
    tokenizer.save(str(folder / catalogue.TOKENIZER_FILE))
    (folder / catalogue.CONFIG_FILE).write_bytes(orjson.dumps(shape))
    drawn = _weights(shape)
    if made.output_token_limit == ENDLESS:
        drawn["model.embed_tokens.weight"][_unspoken(tokenizer)] = 0
    tensors = {name: weights.to_bfloat16(values) for name, values in drawn.items()}
    weights.save(tensors, folder / catalogue.WEIGHTS_FILE)
    catalogue.write_entry(made, folder)
    exports.write_base(folder, folder / catalogue.GGUF_FILE)


def _tokenizer() -> Tokenizer:
    """Every byte is a token, and ``th`` and ``in`` are, so that there is a merge."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *alphabet, "th", "in"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("t", "h"), ("i", "n")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def _unspoken(tokenizer: Tokenizer) -> list[int]:
    """The tokens that are no ASCII character: what ends an answer, and bytes that await others."""
    return [number for token, number in tokenizer.get_vocab().items() if token in SPECIAL or not token.isascii()]


def _weights(shape: dict[str, object]) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(7)
    hidden, inner, keys = 64, 128, 32
    sizes = {
        "self_attn.q_proj": (hidden, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
    }
    sizes |= {"self_attn.o_proj": (hidden, hidden), "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden)}
    sizes |= {"mlp.down_proj": (hidden, inner)}
    tensors = {"model.embed_tokens.weight": draw.normal(0, 0.3, (shape["vocab_size"], hidden))}
    for layer in range(2):
        for part, size in sizes.items():
            tensors[f"model.layers.{layer}.{part}.weight"] = draw.normal(0, 0.12, size)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{norm}.weight"] = np.ones(hidden)
    return tensors | {"model.norm.weight": np.ones(hidden)}
