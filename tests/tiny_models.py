"""Three small random models as their makers would publish them: Llama, Qwen2, and one that is like Gemma.

Each has the tokenizer of its kind, a chat template of its own, and differs where its family does: Qwen2 has biases
and an output of its own, Gemma a head's size of its own, byte fallback, a token that begins a text.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from tuning.engine.bases import shape, vocabulary, weights

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
RULED = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe tiny.<|im_end|>\n' }}{% endif %}" + CHATML
TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)

COMMON: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "dtype": "bfloat16",
}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "qwen2": {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        "tie_word_embeddings": False,
        "eos_token_id": [2, 0],
    },
    "gemma": {
        "architectures": ["GemmaForCausalLM"],
        "model_type": "gemma",
        "hidden_act": "gelu",
        "head_dim": 32,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "bos_token_id": 2,
        "eos_token_id": 1,
    },
}
TEMPLATES = {"llama": CHATML, "qwen2": RULED, "gemma": TURNS}
SPECIAL = {
    "llama": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "qwen2": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "gemma": ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
}
WORDS = ("th", "in", "the", "ing", "er", "an", "on", "ten", "tw", "two", "se", "sev", "seven")


def publish(family: str, folder: Path, *, shards: int = 1, kind: str = "BF16", **changes: Any) -> Path:
    """A folder as a hub has it. ``kind`` of the weights is one of safetensors' names; ``changes`` are of the config."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = TOKENIZERS[family]()
    config = COMMON | CONFIGS[family] | {"vocab_size": tokenizer.get_vocab_size() + 3} | changes
    config = {key: value for key, value in config.items() if value is not None}
    tokenizer.enable_truncation(8)  # as some makers leave it
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_bytes(orjson.dumps(config))
    special = (
        {"bos_token": "<bos>", "eos_token": {"content": "<eos>"}} if family == "gemma" else {"eos_token": "<|im_end|>"}
    )
    settings = {"chat_template": TEMPLATES[family], **special}
    (folder / "tokenizer_config.json").write_bytes(orjson.dumps(settings))
    tensors = drawn(shape.shape(config))
    spoken = tensors.get("lm_head.weight", tensors["model.embed_tokens.weight"])
    spoken[_unspoken(tokenizer, len(spoken))] = 0
    write(tensors, folder, shards, kind)
    return folder


def _unspoken(tokenizer: Tokenizer, size: int) -> list[int]:
    """Tokens that are no plain text by themselves, and numbers that are no tokens: answers are to be readable."""
    texts = {number: text for text, number in tokenizer.get_vocab().items()}
    return [number for number in range(size) if not _is_plain(texts.get(number, ""))]


def _is_plain(text: str) -> bool:
    return text.replace("▁", "").replace("Ġ", "").isalnum() and text.replace("▁", "").replace("Ġ", "").isascii()


def drawn(sizes: shape.Shape, seed: int = 7) -> dict[str, weights.Float32]:
    """Random weights, such that a model has something to say of every token."""
    draw = np.random.default_rng(seed)
    return {name: _drawn(name, size, draw, sizes) for name, size in sizes.tensors().items()}


def _drawn(name: str, size: weights.Size, draw: np.random.Generator, sizes: shape.Shape) -> weights.Float32:
    if name.endswith("norm.weight"):
        return (draw.normal(1, 0.1, size) - sizes.norm_offset).astype(np.float32)
    wide = 0.3 if "embed" in name or "lm_head" in name else 0.12
    return (draw.normal(0, wide, size) / sizes.embedding_scale ** ("embed" in name)).astype(np.float32)


def write(tensors: Mapping[str, weights.Float32], folder: Path, shards: int, kind: str) -> None:
    """The weights in so many files, with the index that several need."""
    names = list(tensors)
    parts = [names[number::shards] for number in range(shards)]
    files = [
        f"model-{number:05}-of-{shards:05}.safetensors" if shards > 1 else "model.safetensors"
        for number in range(1, shards + 1)
    ]
    for file, part in zip(files, parts, strict=True):
        _save({name: tensors[name] for name in part}, folder / file, kind)
    if shards > 1:
        index = {"weight_map": {name: file for file, part in zip(files, parts, strict=True) for name in part}}
        (folder / "model.safetensors.index.json").write_bytes(orjson.dumps(index))


def _save(tensors: Mapping[str, weights.Float32], path: Path, kind: str) -> None:
    import torch
    from safetensors.torch import save_file

    types = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64}
    save_file({name: torch.from_numpy(values).to(types[kind]) for name, values in tensors.items()}, path)


def _byte_level(special: tuple[str, ...], cuts: list[pre_tokenizers.PreTokenizer]) -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, *WORDS, *(f"Ġ{word}" for word in WORDS)]
    vocabulary = {token: number for number, token in enumerate([*special, *pieces])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=list(_merges(pieces))))
    made.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


def _merges(pieces: list[str]) -> Iterator[tuple[str, str]]:
    """Every way to make a piece of two others, the earliest piece first."""
    for piece in pieces:
        for at in range(1, len(piece)):
            if piece[:at] in pieces and piece[at:] in pieces:
                yield piece[:at], piece[at:]


def _llama() -> Tokenizer:
    return _byte_level(SPECIAL["llama"], [pre_tokenizers.ByteLevel(add_prefix_space=False)])


def _qwen2() -> Tokenizer:
    cut = pre_tokenizers.Split(Regex(vocabulary.CUTS["qwen2"]), "isolated")
    made = _byte_level(SPECIAL["qwen2"], [cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.normalizer = normalizers.NFC()
    return made


def _gemma() -> Tokenizer:
    """SentencePiece's kind: spaces as ``▁``, bytes for what is unknown."""
    special = SPECIAL["gemma"]
    letters = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?!-", "▁", "\n"]
    pieces = [*letters, "▁▁", *WORDS, *(f"▁{word}" for word in WORDS)]
    known = {
        token: number for number, token in enumerate([*special, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces])
    }
    made = Tokenizer(
        models.BPE(vocab=known, merges=list(_merges(pieces)), unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return made


TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {"llama": _llama, "qwen2": _qwen2, "gemma": _gemma}

FAMILIES = tuple(CONFIGS)
