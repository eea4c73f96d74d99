"""What a decoder is made of, read from the ``config.json`` that transformers writes.

Three families, all of the same build (RMS norm, rotated attention with shared keys, a gated MLP): Llama, which Mistral
is, too; Qwen2, whose queries, keys and values have a bias; Gemma, which counts its norms' weights from one and scales
its embeddings.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from tuning.engine.bases.catalogue import CONFIG_FILE
from tuning.errors import EngineError

Config = Mapping[str, Any]


class Family(StrEnum):
    """The name is llama.cpp's, too (``general.architecture``)."""

    LLAMA = "llama"
    QWEN2 = "qwen2"
    GEMMA = "gemma"


FAMILIES = {
    "LlamaForCausalLM": Family.LLAMA,
    "MistralForCausalLM": Family.LLAMA,
    "Qwen2ForCausalLM": Family.QWEN2,
    "GemmaForCausalLM": Family.GEMMA,
}
"""The architectures that can be tuned, by the name in ``config.json``."""

PROJECTIONS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
"""A layer's linear parts, to which adapters are added."""


class Activation(StrEnum):
    SILU = "silu"
    GELU_TANH = "gelu_tanh"
    """GELU by its approximation with tanh."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeScaling:
    """How rotation is stretched over a longer context. ``linear`` divides every frequency by ``factor``; otherwise as
    Llama 3 does: low ones alone, in between by degrees.
    """

    linear: bool
    factor: float
    low_frequency_factor: float = 1.0
    high_frequency_factor: float = 4.0
    original_positions: int = 8192

    def divisor(self, frequency: float) -> float:
        """By what ``frequency`` (radians a position) is divided."""
        if self.linear:
            return self.factor
        turns = self.original_positions * frequency / (2 * math.pi)
        span = self.high_frequency_factor - self.low_frequency_factor
        share = min(1.0, max(0.0, (turns - self.low_frequency_factor) / span))
        return 1 / (share + (1 - share) / self.factor)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The sizes and the peculiarities of a base model."""

    family: Family
    layers: int
    hidden: int
    inner: int
    """Width of the MLP."""
    heads: int
    key_heads: int
    """Heads of keys and values; each serves ``heads / key_heads`` of the queries'."""
    head_dim: int
    vocabulary: int
    positions: int
    """Tokens that can stand in one context."""
    eps: float
    """Of the RMS norms."""
    rope_theta: float
    rope_scaling: RopeScaling | None
    activation: Activation
    qkv_bias: bool
    norm_offset: float
    """Added to the norms' weights."""
    embedding_scale: float
    """Embeddings are multiplied by it, rounded to the weights' type."""
    tied: bool
    """Whether the embeddings are the output's weights as well."""

    @property
    def parameters(self) -> int:
        """How many numbers the base model has."""
        return sum(math.prod(size) for size in self.tensors().values())

    def rope_frequencies(self) -> list[float]:
        """Radians a position by which each pair of a head's dimensions turns."""
        plain = [self.rope_theta ** (-2 * pair / self.head_dim) for pair in range(self.head_dim // 2)]
        return [frequency / self.rope_divisor(frequency) for frequency in plain]

    def rope_divisor(self, frequency: float) -> float:
        return self.rope_scaling.divisor(frequency) if self.rope_scaling else 1.0

    def projection(self, part: str) -> tuple[int, int]:
        """Outputs and inputs of one of :data:`PROJECTIONS`."""
        queries, keys = self.heads * self.head_dim, self.key_heads * self.head_dim
        sizes = [(queries, self.hidden), (keys, self.hidden), (keys, self.hidden), (self.hidden, queries)]
        sizes += [(self.inner, self.hidden), (self.inner, self.hidden), (self.hidden, self.inner)]
        return dict(zip(PROJECTIONS, sizes, strict=True))[part]

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The size of every tensor, by transformers' name."""
        sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.hidden)}
        for layer in range(self.layers):
            sizes |= {f"model.layers.{layer}.{name}": size for name, size in self._layer().items()}
        sizes["model.norm.weight"] = (self.hidden,)
        return sizes if self.tied else sizes | {"lm_head.weight": (self.vocabulary, self.hidden)}

    def _layer(self) -> dict[str, tuple[int, ...]]:
        norms = ("input_layernorm.weight", "post_attention_layernorm.weight")
        sizes: dict[str, tuple[int, ...]] = dict.fromkeys(norms, (self.hidden,))
        sizes |= {f"{part}.weight": self.projection(part) for part in PROJECTIONS}
        biased = PROJECTIONS[:3] if self.qkv_bias else ()
        return sizes | {f"{part}.bias": self.projection(part)[:1] for part in biased}


def read(folder: Path) -> Shape:
    """The shape of the base model in ``folder``. Raises ``EngineError`` as :func:`shape` does, and ``OSError``."""
    try:
        config = orjson.loads((folder / CONFIG_FILE).read_bytes())
    except ValueError as exc:
        raise EngineError("base_model_unreadable", detail=CONFIG_FILE) from exc
    if not isinstance(config, dict):
        raise EngineError("base_model_unreadable", detail=CONFIG_FILE)
    return shape(config)


def shape(config: Config) -> Shape:
    """The shape that ``config`` describes.

    Raises ``EngineError``: ``architecture_unknown`` (no adapters can be added to it; ``known`` lists the others),
    ``base_model_unreadable`` (a size is missing or is none).
    """
    family = _family(config)
    try:
        return _shape(config, family)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as exc:
        raise EngineError("base_model_unreadable", detail=f"{CONFIG_FILE}: {exc}") from exc


def unknown(architecture: str) -> EngineError:
    """What to raise for an architecture that is none of ours."""
    return EngineError("architecture_unknown", architecture=architecture[:80], known=", ".join(FAMILIES))


def _family(config: Config) -> Family:
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else str(config.get("model_type", "none"))
    if name not in FAMILIES:
        raise unknown(name)
    if config.get("attention_bias") or config.get("mlp_bias"):
        raise unknown(f"{name} with biases")
    return FAMILIES[name]


def _shape(config: Config, family: Family) -> Shape:
    size = _sizes(config)
    hidden, heads = size("hidden_size"), size("num_attention_heads")
    gemma = family is Family.GEMMA
    made = Shape(
        family=family,
        layers=size("num_hidden_layers"),
        hidden=hidden,
        inner=size("intermediate_size"),
        heads=heads,
        key_heads=size("num_key_value_heads", heads),
        head_dim=size("head_dim", 256 if gemma else hidden // heads),
        vocabulary=size("vocab_size"),
        positions=_positions(config, size("max_position_embeddings", 8192)),
        eps=float(config.get("rms_norm_eps") or 1e-6),
        rope_theta=_rope_theta(config),
        rope_scaling=_rope_scaling(config, family),
        activation=_activation(config, family),
        qkv_bias=family is Family.QWEN2,
        norm_offset=1.0 if gemma else 0.0,
        embedding_scale=math.sqrt(hidden) if gemma else 1.0,
        tied=bool(config.get("tie_word_embeddings", gemma)),
    )
    if made.heads % made.key_heads or made.head_dim % 2:
        raise ValueError("the heads do not fit each other")
    return made


def _sizes(config: Config) -> Callable[..., int]:
    def size(name: str, default: int | None = None) -> int:
        value = config.get(name)
        value = default if value is None else value
        if type(value) is not int or not 0 < value < 2**31:
            raise ValueError(f"{name} is no size")
        return value

    return size


def _positions(config: Config, most: int) -> int:
    """Attention never looks further back than a sliding window, so a context that fits into it needs none."""
    window = config.get("sliding_window")
    return min(most, window) if isinstance(window, int) and config.get("use_sliding_window", True) else most


def _rope(config: Config) -> Config:
    """transformers 5 says everything in ``rope_parameters``, earlier ones the scaling alone in ``rope_scaling``."""
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _rope_theta(config: Config) -> float:
    theta = float(_rope(config).get("rope_theta") or config.get("rope_theta") or 10_000.0)
    if not 1 < theta < math.inf:
        raise ValueError("rope_theta is no base")
    return theta


def _rope_scaling(config: Config, family: Family) -> RopeScaling | None:
    rope = _rope(config)
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind != "linear" and (kind, family) != ("llama3", Family.LLAMA):
        raise unknown(f"{family} with {kind} rotation")
    if kind == "linear":
        return RopeScaling(linear=True, factor=float(rope["factor"]))
    return RopeScaling(
        linear=False,
        factor=float(rope["factor"]),
        low_frequency_factor=float(rope["low_freq_factor"]),
        high_frequency_factor=float(rope["high_freq_factor"]),
        original_positions=int(rope["original_max_position_embeddings"]),
    )


def _activation(config: Config, family: Family) -> Activation:
    """Gemma's first configurations say ``gelu`` and mean its approximation, as every implementation knows."""
    named = config.get("hidden_activation") or config.get("hidden_act")
    if family is Family.GEMMA and named in (None, "gelu", "gelu_pytorch_tanh"):
        return Activation.GELU_TANH
    if family is not Family.GEMMA and named in (None, "silu"):
        return Activation.SILU
    raise unknown(f"{family} with {named}")
