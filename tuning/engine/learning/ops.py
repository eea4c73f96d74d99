"""What a decoder layer computes, each operation with its derivative.

Written out by hand, because torch's autograd records and keeps more than low-rank tuning needs: a frozen weight has
no gradient, and half of the intermediate values can be had again for less than their memory costs. Rows are the
tokens of a packed batch: examples end to end, without padding. Sums are in float32 whatever the values' type.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tuning.engine.bases.shape import Activation

LONGEST_EXACT = 384
"""Tokens of a span up to which its attention is computed in plain matrices, on a CPU: from there on they cost more
memory than torch's blockwise attention costs time."""

ROWS_AT_ONCE = 64
"""Rows of logits made at a time: all of a batch would be the largest values of the whole step."""


def rounded(count: int) -> int:
    """The next round number of rows. oneDNN makes a program for every shape of matrix that it meets, and keeps a
    thousand: with the lengths as they come, making them took longer than running them, and 1 GB.
    """
    step = 16 if count <= 256 else 32 if count <= 1024 else 64
    return -(-count // step) * step


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive tokens that may attend to each other: one example, or several short ones and a mask between them.

    ``mask`` is added to the scores, (tokens, tokens) and more to a round number: zero where a token may look, else
    minus infinity. ``None`` is one example, each token of which looks at itself and those before.
    """

    start: int
    stop: int
    mask: Tensor | None


def norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """``x`` scaled to a root mean square of one, times ``weight`` (RMSNorm, Zhang & Sennrich 2019); and the scales."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=precise(x))
    scale = (length.square() / x.shape[-1] + eps).rsqrt()
    return (x * scale).to(x.dtype) * weight, scale


def norm_backward(d_out: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """The gradient of :func:`norm`'s ``x``."""
    weighted = d_out * weight
    along = (weighted * x).sum(-1, keepdim=True, dtype=scale.dtype)
    return (weighted * scale - x * (along * scale.pow(3) / x.shape[-1])).to(x.dtype)


def rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn the heads (tokens, heads, dimensions) by their tokens' angles (RoPE, Su et al. 2021) where they are, the
    first half of a head's dimensions against the second. With ``-sin`` they are turned back: the derivative, too.
    """
    first, second = heads.chunk(2, dim=-1)
    turned = first * cos
    turned.addcmul_(second, sin, value=-1)
    second.mul_(cos).addcmul_(first, sin)
    first.copy_(turned)


Heads = tuple[Tensor, Tensor, Tensor]
"""Queries, keys and values, or their gradients: (tokens, heads, dimensions) each."""


def attend(heads: Heads, spans: tuple[Span, ...]) -> tuple[Tensor, list[Any]]:
    """Attention within each span, and what its derivative needs."""
    queries, keys, values = heads
    out = torch.empty_like(queries, memory_format=torch.contiguous_format)
    kept: list[Any] = []
    for span in spans:
        rows = slice(span.start, span.stop)
        attention = _exact if _is_exact(span, queries) else _blockwise
        out[rows], remembered = attention(queries[rows], keys[rows], values[rows], span.mask)
        kept.append(remembered)
    return out, kept


def attend_backward(d_out: Tensor, d_heads: Heads, spans: tuple[Span, ...], kept: list[Any]) -> None:
    """Write the gradients of :func:`attend`'s arguments into ``d_heads``."""
    d_queries, d_keys, d_values = d_heads
    for span, remembered in zip(spans, kept, strict=True):
        rows = slice(span.start, span.stop)
        backward = _exact_backward if _is_exact(span, d_out) else _blockwise_backward
        backward(d_out[rows], d_queries[rows], d_keys[rows], d_values[rows], remembered)


def gate(gate_up: Tensor, activation: Activation) -> tuple[Tensor, Tensor]:
    """The MLP's gate applied, and the gates as they were activated. ``gate_up`` holds both halves side by side."""
    gates, ups = gate_up.chunk(2, dim=-1)
    activated = functional.silu(gates) if activation is Activation.SILU else functional.gelu(gates, approximate="tanh")
    return activated * ups, activated


def gate_backward(d_out: Tensor, gate_up: Tensor, activated: Tensor, activation: Activation) -> Tensor:
    """The gradient of :func:`gate`'s argument. ``d_out`` is used up."""
    gates, ups = gate_up.chunk(2, dim=-1)
    d_gate_up = torch.empty_like(gate_up)
    d_gates, d_ups = d_gate_up.chunk(2, dim=-1)
    torch.mul(d_out, activated, out=d_ups)
    if activation is Activation.SILU:
        torch.ops.aten.silu_backward.grad_input(d_out.mul_(ups), gates, grad_input=d_gates)
    else:
        torch.ops.aten.gelu_backward.grad_input(d_out.mul_(ups), gates, approximate="tanh", grad_input=d_gates)
    return d_gate_up


def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The summed cross-entropy of rows of logits in nats, and the gradient of the logits."""
    likely = torch.softmax(logits, -1, dtype=precise(logits))
    highest, at = logits.max(-1, keepdim=True)
    # The likeliest token's probability is never tiny: through it the normaliser is exact.
    normaliser = highest.to(likely.dtype) - likely.gather(-1, at).log()
    losses = normaliser - logits.gather(-1, labels[:, None]).to(likely.dtype)
    likely.scatter_add_(-1, labels[:, None], likely.new_full((len(labels), 1), -1.0))
    return losses.sum(), likely.to(logits.dtype)


def precise(x: Tensor) -> torch.dtype:
    """The type in which sums of ``x`` are kept."""
    return torch.promote_types(x.dtype, torch.float32)


def _is_exact(span: Span, values: Tensor) -> bool:
    return span.mask is not None and values.device.type == "cpu" and span.stop - span.start <= LONGEST_EXACT


def _exact(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Any]:
    """The queries that share a head of keys stand below each other: one product serves them all."""
    assert mask is not None  # _is_exact has seen to it
    groups, shared = keys.shape[1], queries.shape[1] // keys.shape[1]
    asked, known, meant = (_grouped(heads, groups, len(mask)) for heads in (queries, keys, values))
    scores = torch.baddbmm(mask.repeat(shared, 1), asked, known.transpose(1, 2), alpha=queries.shape[-1] ** -0.5)
    weights = torch.softmax(scores, -1)
    return _ungrouped(torch.bmm(weights, meant), len(mask))[: len(queries)], (asked, known, meant, weights)


def _exact_backward(d_out: Tensor, d_queries: Tensor, d_keys: Tensor, d_values: Tensor, kept: Any) -> None:
    asked, known, meant, weights = kept
    tokens, rows = len(d_out), known.shape[1]
    given = _grouped(d_out, len(known), rows)
    d_values.copy_(torch.bmm(weights.transpose(1, 2), given).transpose(0, 1)[:tokens])
    d_weights = torch.bmm(given, meant.transpose(1, 2))
    d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
    d_scores *= d_out.shape[-1] ** -0.5
    d_queries.copy_(_ungrouped(torch.bmm(d_scores, known), rows)[:tokens])
    d_keys.copy_(torch.bmm(d_scores.transpose(1, 2), asked).transpose(0, 1)[:tokens])


def _grouped(heads: Tensor, groups: int, rows: int) -> Tensor:
    """(tokens, heads, size) -> (groups, heads a group × rows, size); rows beyond the tokens are zero."""
    tokens, count, size = heads.shape
    grouped = heads.new_zeros(groups, count // groups, rows, size)
    grouped[:, :, :tokens] = heads.view(tokens, groups, -1, size).permute(1, 2, 0, 3)
    return grouped.view(groups, -1, size)


def _ungrouped(grouped: Tensor, rows: int) -> Tensor:
    groups, _, size = grouped.shape
    return grouped.view(groups, -1, rows, size).permute(2, 0, 1, 3).reshape(rows, -1, size)


def _blockwise(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Any]:
    leaves = [heads.detach().requires_grad_() for heads in (queries, keys, values)]
    with torch.enable_grad():
        seen = None if mask is None else mask[: len(queries), : len(queries)]
        out = look((leaves[0], leaves[1], leaves[2]), seen, causal=seen is None)
    return out.detach(), (leaves, out)


def _blockwise_backward(d_out: Tensor, d_queries: Tensor, d_keys: Tensor, d_values: Tensor, kept: Any) -> None:
    leaves, out = kept
    found = torch.autograd.grad(out, leaves, d_out)
    for target, gradient in zip((d_queries, d_keys, d_values), found, strict=True):
        target.copy_(gradient)


def look(heads: Heads, mask: Tensor | None = None, *, causal: bool) -> Tensor:
    """Attention block by block, by torch, without the whole matrix of scores."""
    queries, keys, values = (part.transpose(0, 1)[None] for part in heads)
    shared = queries.shape[1] != keys.shape[1]
    out = functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=mask, is_causal=causal, enable_gqa=shared
    )
    return out[0].transpose(0, 1)
