"""A base model as tuning sees it: frozen weights, adapters beside them, and a pass forwards and backwards.

Only what low-rank tuning needs is computed: the weights have no gradients, logits are made where there are labels.
Compared with transformers and PEFT to the last digits in tests/tuning/engine/learning/test_decoder.py.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional

from tuning.engine.bases import catalogue, shape
from tuning.engine.bases.shape import Shape
from tuning.engine.learning import ops
from tuning.engine.learning.adapters import GROUPS, Adapters, LowRank
from tuning.engine.learning.corpus import Batch
from tuning.engine.learning.ops import Span

Tape = list[Any]
"""What a pass forwards keeps for the one backwards, which takes it from the end."""


class Linear:
    """A frozen linear layer. ``packed`` keeps the weights twice, as oneDNN likes them best in each direction."""

    def __init__(self, weight: Tensor, bias: Tensor | None, packed: bool) -> None:
        self._weight, self._bias, self._packed = weight, bias, packed
        if packed:
            self._weight, self._transposed = (
                torch.ops.mkldnn._reorder_linear_weight(way.contiguous()) for way in (weight, weight.t())
            )

    def __call__(self, x: Tensor) -> Tensor:
        if self._packed:
            return _packed_linear(x, self._weight, self._bias)
        return functional.linear(x, self._weight, self._bias)

    def backward(self, d_out: Tensor) -> Tensor:
        return _packed_linear(d_out, self._transposed, None) if self._packed else d_out @ self._weight


def _packed_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")  # type: ignore[no-any-return]


Rotation = tuple[Tensor, Tensor]
"""Cosine and sine of each token's angles: (tokens, 1, half a head's dimensions)."""

Groups = tuple[LowRank, ...]
"""A layer's adapters, in the order of :data:`tuning.engine.learning.adapters.GROUPS`."""


class Decoder:
    """The base model of a prepared folder."""

    def __init__(self, folder: Path, dtype: torch.dtype, device: torch.device) -> None:
        self.shape = shape.read(folder)
        self.dtype, self.device = dtype, device
        packed = device.type == "cpu" and dtype == torch.bfloat16
        with safe_open(folder / catalogue.WEIGHTS_FILE, "pt") as weights:

            def read(name: str) -> Tensor:
                tensor: Tensor = weights.get_tensor(name)
                return tensor.to(device, dtype)

            # A copy, or else the whole file would stay in memory.
            self._embeddings = read("model.embed_tokens.weight").clone()
            self._norm = read("model.norm.weight") + self.shape.norm_offset
            self._head = Linear(self._embeddings if self.shape.tied else read("lm_head.weight"), None, packed)
            self._layers = [Layer(self.shape, number, read, packed) for number in range(self.shape.layers)]
        self._frequencies = torch.tensor(self.shape.rope_frequencies(), device=device)

    @torch.no_grad()
    def learn(self, batch: Batch, adapters: Adapters, weight: float) -> Tensor:
        """``weight`` times the summed loss over the labels, in nats; its gradient is added to the adapters'."""
        tape: Tape = []
        x = self._forward(batch, adapters, tape)
        losses, d_labelled = self._loss(x[batch.labelled], batch.labels)
        d_x = torch.zeros_like(x).index_copy_(0, batch.labelled, d_labelled * weight)
        rotation = self._rotation(batch.positions)
        for layer, groups in zip(reversed(self._layers), reversed(adapters.groups), strict=True):
            d_x = layer.backward(d_x, batch.spans, rotation, groups, tape.pop())
        return losses * weight

    @torch.no_grad()
    def loss(self, batch: Batch, adapters: Adapters, weight: float) -> Tensor:
        """``weight`` times the summed loss over the labels, in nats."""
        x = self._forward(batch, adapters, None)[batch.labelled]
        h, _ = ops.norm(x, self._norm, self.shape.eps)
        return self._losses(h, batch.labels) * weight

    @torch.no_grad()
    def answer(self, prompt: Sequence[int], adapters: Adapters, most: int, end: int) -> list[int]:
        """The likeliest answer, token by token: at most so many, without its ``end``."""
        made: list[int] = []
        caches = [Cache() for _ in self._layers]
        given = torch.tensor(prompt, device=self.device)
        while len(made) < most:
            seen = len(prompt) + len(made)
            rotation = self._rotation(torch.arange(seen - len(given), seen, device=self.device))
            x = self._embedded(given)
            for layer, groups, cache in zip(self._layers, adapters.groups, caches, strict=True):
                x = layer.extend(x, rotation, groups, cache)
            h, _ = ops.norm(x[-1:], self._norm, self.shape.eps)
            likeliest = int(self._head(h).argmax())
            if likeliest == end:
                break
            made.append(likeliest)
            given = torch.tensor([likeliest], device=self.device)
        return made

    def _forward(self, batch: Batch, adapters: Adapters, tape: Tape | None) -> Tensor:
        """The last layer's output; ``tape`` gets what each layer keeps for the way back."""
        x = self._embedded(batch.tokens)
        rotation = self._rotation(batch.positions)
        for layer, groups in zip(self._layers, adapters.groups, strict=True):
            x, kept = layer.forward(x, batch.spans, rotation, groups)
            if tape is not None:
                tape.append(kept)
        return x

    def _embedded(self, tokens: Tensor) -> Tensor:
        x = self._embeddings[tokens]
        return x if self.shape.embedding_scale == 1 else x * x.new_tensor(self.shape.embedding_scale)

    def _rotation(self, positions: Tensor) -> Rotation:
        angles = (positions[:, None].float() * self._frequencies)[:, None]
        return angles.cos().to(self.dtype), angles.sin().to(self.dtype)

    def _loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The summed loss of labelled rows, and the gradient of ``x``. A few rows of logits are made at a time."""
        h, scale = ops.norm(x, self._norm, self.shape.eps)
        d_h = torch.empty_like(h)
        losses = self._losses(h, labels, d_h)
        return losses, ops.norm_backward(d_h, x, self._norm, scale)

    def _losses(self, h: Tensor, labels: Tensor, d_h: Tensor | None = None) -> Tensor:
        """The summed loss of what the head makes of ``h``; the gradient of ``h`` is written to ``d_h``."""
        losses = h.new_zeros((), dtype=ops.precise(h))
        for start in range(0, len(h), ops.ROWS_AT_ONCE):
            rows = slice(start, start + ops.ROWS_AT_ONCE)
            loss, d_logits = ops.cross_entropy(_filled(h[rows], self._head), labels[rows])
            losses += loss
            if d_h is not None:
                d_h[rows] = _filled(d_logits, self._head.backward)
        return losses


def _filled(rows: Tensor, linear: Callable[[Tensor], Tensor]) -> Tensor:
    """What ``linear`` makes of the rows, and of more to a round number that nobody sees."""
    missing = ops.rounded(len(rows)) - len(rows)
    return linear(functional.pad(rows, (0, 0, 0, missing)) if missing else rows)[: len(rows)]


class Cache:
    """The keys and values of the tokens that a layer has seen."""

    def __init__(self) -> None:
        self._seen: tuple[Tensor, Tensor] | None = None

    def look(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What the next tokens see: all before them, and themselves."""
        if self._seen:
            keys, values = torch.cat((self._seen[0], keys)), torch.cat((self._seen[1], values))
        self._seen = keys, values
        return ops.look((queries, keys, values), causal=len(queries) > 1)


class Layer:
    """Attention and MLP, each between a norm before it and a sum after it."""

    def __init__(self, made: Shape, number: int, read: Callable[[str], Tensor], packed: bool) -> None:
        self._shape = made
        prefix = f"model.layers.{number}."
        self._attention_norm = read(f"{prefix}input_layernorm.weight") + made.norm_offset
        self._mlp_norm = read(f"{prefix}post_attention_layernorm.weight") + made.norm_offset
        self._linears = []
        for parts in GROUPS:
            weight = torch.cat([read(f"{prefix}{part}.weight") for part in parts])
            biased = made.qkv_bias and parts is GROUPS[0]
            bias = torch.cat([read(f"{prefix}{part}.bias") for part in parts]) if biased else None
            self._linears.append(Linear(weight, bias, packed))

    def forward(self, x: Tensor, spans: tuple[Span, ...], rotation: Rotation, groups: Groups) -> tuple[Tensor, Any]:
        """The layer's output, and what :meth:`backward` needs."""
        h, scale = ops.norm(x, self._attention_norm, self._shape.eps)
        heads, qkv_low = self._looking(h, rotation, groups[0])
        seen, attention = ops.attend(heads, spans)
        seen = seen.flatten(1)
        y, out_low = _adapted(seen, self._linears[1], groups[1])
        y += x
        z, mlp = self._mlp(y, groups)
        return z, ((x, h, scale, qkv_low, attention, seen, out_low), mlp)

    def extend(self, x: Tensor, rotation: Rotation, groups: Groups, cache: Cache) -> Tensor:
        """The output for the next tokens of one sequence."""
        h, _ = ops.norm(x, self._attention_norm, self._shape.eps)
        heads, _ = self._looking(h, rotation, groups[0])
        y, _ = _adapted(cache.look(*heads).flatten(1), self._linears[1], groups[1])
        return self._mlp(y + x, groups)[0]

    def backward(self, d_z: Tensor, spans: tuple[Span, ...], rotation: Rotation, groups: Groups, kept: Any) -> Tensor:
        """The gradient of the layer's input; those of its adapters are added to the others."""
        (x, h, scale, qkv_low, attention, seen, out_low), mlp = kept
        d_y = self._mlp_backward(d_z, groups, mlp)
        d_seen = _adapted_backward(d_y, seen, self._linears[1], groups[1], out_low)
        d_qkv = d_y.new_empty(len(d_y), (self._shape.heads + 2 * self._shape.key_heads) * self._shape.head_dim)
        d_turned, d_queries, d_keys, d_values = self._heads(d_qkv)
        ops.attend_backward(d_seen.view_as(d_queries), (d_queries, d_keys, d_values), spans, attention)
        cos, sin = rotation
        ops.rotate(d_turned, cos, -sin)
        d_h = _adapted_backward(d_qkv, h, self._linears[0], groups[0], qkv_low)
        return ops.norm_backward(d_h, x, self._attention_norm, scale).add_(d_y)

    def _looking(self, h: Tensor, rotation: Rotation, low: LowRank) -> tuple[tuple[Tensor, Tensor, Tensor], Any]:
        """Queries, keys and values, (tokens, heads, dimensions) each."""
        qkv, kept = _adapted(h, self._linears[0], low)
        turned, queries, keys, values = self._heads(qkv)
        ops.rotate(turned, *rotation)
        return (queries, keys, values), kept

    def _mlp(self, y: Tensor, groups: Groups) -> tuple[Tensor, Any]:
        h, scale = ops.norm(y, self._mlp_norm, self._shape.eps)
        gate_up, gate_low = _adapted(h, self._linears[2], groups[2])
        gated, activated = ops.gate(gate_up, self._shape.activation)
        z, down_low = _adapted(gated, self._linears[3], groups[3])
        z += y
        return z, (y, h, scale, gate_up, activated, gate_low, down_low)

    def _mlp_backward(self, d_z: Tensor, groups: Groups, kept: Any) -> Tensor:
        y, h, scale, gate_up, activated, gate_low, down_low = kept
        gated = activated * gate_up[:, self._shape.inner :]  # sooner made again than kept
        d_gated = _adapted_backward(d_z, gated, self._linears[3], groups[3], down_low)
        d_gate_up = ops.gate_backward(d_gated, gate_up, activated, self._shape.activation)
        d_h = _adapted_backward(d_gate_up, h, self._linears[2], groups[2], gate_low)
        return ops.norm_backward(d_h, y, self._mlp_norm, scale).add_(d_z)

    def _heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Views, (tokens, heads, dimensions) each: queries and keys together, queries, keys, values."""
        heads = qkv.view(len(qkv), -1, self._shape.head_dim)
        queries, turned = self._shape.heads, self._shape.heads + self._shape.key_heads
        return heads[:, :turned], heads[:, :queries], heads[:, queries:turned], heads[:, turned:]


def _adapted(x: Tensor, linear: Linear, low: LowRank) -> tuple[Tensor, Any]:
    out = linear(x)
    return out, low.add(x, out)


def _adapted_backward(d_out: Tensor, x: Tensor, linear: Linear, low: LowRank, kept: Any) -> Tensor:
    d_x = linear.backward(d_out)
    low.backward(d_out, d_x, x, kept)
    return d_x
