"""Writing GGUF for llama.cpp: a base model, the same with an adapter merged into it, and an adapter alone."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import orjson

from tuning.engine.bases import catalogue, layout, shape, vocabulary, weights
from tuning.engine.bases.catalogue import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    BaseModelEntry,
    PromptFormat,
)
from tuning.engine.bases.shape import PROJECTIONS, Shape
from tuning.engine.bases.weights import Float32

ADAPTER_WEIGHTS = catalogue.ADAPTER_WEIGHTS
ADAPTER_CONFIG = catalogue.ADAPTER_CONFIG
ADAPTER_GGUF = catalogue.ADAPTER_GGUF
PEFT_VERSION = "0.21.2"
"""Whose format of adapters this is: https://huggingface.co/docs/peft/developer_guides/checkpoint."""


class Adapter:
    """The adapter that PEFT keeps in a folder."""

    def __init__(self, folder: Path) -> None:
        config = orjson.loads((folder / ADAPTER_CONFIG).read_bytes())
        self.alpha = float(config["lora_alpha"])
        self._scale = np.float32(self.alpha / config["r"])
        found = weights.stored(folder / ADAPTER_WEIGHTS)
        self._tensors = {name.removeprefix("base_model.model."): tensor for name, tensor in found.items()}

    def tensors(self) -> Iterator[tuple[str, str, Float32]]:
        """``model.layers.0.mlp.up_proj``, ``A`` or ``B``, and the values."""
        for name, tensor in sorted(self._tensors.items()):
            module, _, side = name.removesuffix(".weight").rpartition(".lora_")
            yield module, side, tensor.rows(0, tensor.size[0])

    def delta(self, name: str, first: int, last: int) -> Float32 | None:
        """What is to be added to rows of the base's tensor ``name``; ``None`` where it is not adapted."""
        up = self._tensors.get(f"{name.removesuffix('.weight')}.lora_B.weight")
        if up is None:
            return None
        down = self._tensors[f"{name.removesuffix('.weight')}.lora_A.weight"]
        return self._scale * (up.rows(first, last) @ down.rows(0, down.size[0]))


def write_base(folder: Path, path: Path, dtype: type = np.float16) -> None:
    """Write the base model prepared in ``folder`` as GGUF. Norms and biases stay in float32."""
    for _ in writing(folder, path, dtype=dtype):
        pass


def writing(folder: Path, path: Path, adapter: Adapter | None = None, dtype: type = np.float16) -> Iterator[float]:
    """The same, with ``adapter`` merged into it where one is given; yields the share that is done."""
    found, entry = shape.read(folder), catalogue.read_entry(folder)
    stored = weights.stored(folder / WEIGHTS_FILE)
    writer = gguf.GGUFWriter(path, found.family.value)
    writer.add_name(entry.display_name)
    if entry.licence:
        writer.add_license(entry.licence)
    _add_shape(writer, found)
    _add_tokenizer(writer, folder, found, entry)
    extra = _rotation(found)
    for name, size in found.tensors().items():
        kind = np.dtype(dtype if len(size) > 1 else np.float32)
        writer.add_tensor_info(layout.gguf_tensor(name), size, kind, math.prod(size) * kind.itemsize)
    for name, values in extra.items():
        writer.add_tensor_info(name, values.shape, values.dtype, values.nbytes)
    _begin(writer)
    done, whole = 0, found.parameters
    for name, size in found.tensors().items():
        _write(writer, _blocks(name, stored[name], found, adapter, np.dtype(dtype if len(size) > 1 else np.float32)))
        done += math.prod(size)
        yield done / whole
    for values in extra.values():
        _write(writer, iter([values]))
    writer.close()


def adapter_config(rank: int, alpha: float, base: str, dropout: float) -> dict[str, object]:
    """What PEFT is told of an adapter of the base model called ``base``: a name, no path of this machine."""
    return {
        "peft_type": "LORA",
        "peft_version": PEFT_VERSION,
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": dropout,
        "target_modules": sorted(part.rpartition(".")[2] for part in PROJECTIONS),
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "inference_mode": True,
    }


def write_adapter(adapter: Path, base: Path) -> Path:
    """Write the PEFT adapter in ``adapter``, tuned from the base model in ``base``, as GGUF beside it."""
    found, read, path = shape.read(base), Adapter(adapter), adapter / ADAPTER_GGUF
    writer = gguf.GGUFWriter(path, found.family.value)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, read.alpha)
    for module, side, values in read.tensors():
        rows = layout.to_gguf(module, values, found) if side == "B" else values
        writer.add_tensor(f"{layout.gguf_name(module)}.weight.lora_{side.lower()}", rows)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _blocks(
    name: str, tensor: weights.Stored, found: Shape, adapter: Adapter | None, kind: "np.dtype[Any]"
) -> Iterator[Float32]:
    for first, last in weights.blocks(tensor.size, layout.head_rows(name, found) or 1):
        rows = tensor.rows(first, last)
        delta = adapter.delta(name, first, last) if adapter else None
        yield layout.to_gguf(name, rows if delta is None else rows + delta, found).astype(kind)


def _begin(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()


def _write(writer: gguf.GGUFWriter, blocks: Iterator[Float32]) -> None:
    """The next tensor; the writer itself would want all of it at once."""
    assert writer.fout  # :func:`_begin` opened it
    file = writer.fout[0]
    writer.write_padding(file, file.tell())
    for block in blocks:
        file.write(np.ascontiguousarray(block).data)
    writer.write_padding(file, file.tell())


def _add_shape(writer: gguf.GGUFWriter, found: Shape) -> None:
    writer.add_context_length(found.positions)
    writer.add_embedding_length(found.hidden)
    writer.add_block_count(found.layers)
    writer.add_feed_forward_length(found.inner)
    writer.add_head_count(found.heads)
    writer.add_head_count_kv(found.key_heads)
    writer.add_key_length(found.head_dim)
    writer.add_value_length(found.head_dim)
    writer.add_rope_dimension_count(found.head_dim)
    writer.add_rope_freq_base(found.rope_theta)
    writer.add_layer_norm_rms_eps(found.eps)
    writer.add_vocab_size(found.vocabulary)
    if found.rope_scaling and found.rope_scaling.linear:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(found.rope_scaling.factor)


def _rotation(found: Shape) -> dict[str, Float32]:
    """Llama 3's scaling: by what each frequency is divided."""
    if found.rope_scaling is None or found.rope_scaling.linear:
        return {}
    plain = [found.rope_theta ** (-2 * pair / found.head_dim) for pair in range(found.head_dim // 2)]
    return {"rope_freqs.weight": np.array([found.rope_divisor(turn) for turn in plain], dtype=np.float32)}


def _add_tokenizer(writer: gguf.GGUFWriter, folder: Path, found: Shape, entry: BaseModelEntry) -> None:
    """llama.cpp turns tokens into text with this; text into tokens is :mod:`tuning.engine.bases.prompts`' work here."""
    made = vocabulary.tables(vocabulary.read((folder / TOKENIZER_FILE).read_bytes()), found.vocabulary)
    writer.add_tokenizer_model(made.model)
    writer.add_tokenizer_pre(made.pre)
    writer.add_token_list(made.tokens)
    writer.add_token_types(made.kinds)
    if made.model == "gpt2":
        writer.add_token_merges(made.merges)
    else:
        writer.add_token_scores(made.scores)
        writer.add_add_space_prefix(made.space_before)
    config = orjson.loads((folder / CONFIG_FILE).read_bytes())
    for name, number in special_tokens(config, made.tokens, entry.prompt_format).items():
        getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(False)  # where the prompt format wants one, it says so itself
    writer.add_chat_template(chat_template(entry.prompt_format))


def special_tokens(config: Mapping[str, Any], tokens: list[str], prompt_format: PromptFormat) -> dict[str, int]:
    """``bos`` and ``eos`` of a model. Its end is where the prompt format closes an answer, whatever its makers said."""
    found = {"bos": _first(config.get("bos_token_id")), "eos": _first(config.get("eos_token_id"))}
    if prompt_format.end in tokens:
        found["eos"] = tokens.index(prompt_format.end)
    return {name: number for name, number in found.items() if number is not None and number < len(tokens)}


def chat_template(prompt_format: PromptFormat) -> str:
    """The prompt format as a Jinja template, for whoever reads the GGUF elsewhere. A system turn begins the next
    prompt: the model was tuned without any.
    """
    before, after, end = (_quoted(text) for text in (prompt_format.before, prompt_format.after, prompt_format.end))
    return (
        "{% set rules = namespace(text='') %}{% for message in messages %}"
        "{% if message['role'] == 'system' %}{% set rules.text = message['content'] + '\\n\\n' %}"
        f"{{% elif message['role'] == 'assistant' %}}{{{{ message['content'] + {end} }}}}"
        f"{{% else %}}{{{{ {before} + rules.text + message['content'] + {after} }}}}{{% set rules.text = '' %}}"
        "{% endif %}{% endfor %}"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _first(number: object) -> int | None:
    found = number[0] if isinstance(number, list) and number else number
    return found if type(found) is int and found >= 0 else None
