"""Each operation's derivative, against torch's own in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tuning.engine.bases.shape import Activation
from tuning.engine.learning import ops
from tuning.engine.learning.corpus import Example, pack
from tuning.engine.learning.ops import Span


def drawn(*size: int) -> Tensor:
    return torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(size)))


def gradients(function: Callable[..., Tensor], d_out: Tensor, *values: Tensor) -> list[Tensor]:
    """By torch's autograd."""
    leaves = [value.clone().requires_grad_() for value in values]
    return list(torch.autograd.grad(function(*leaves), leaves, d_out))


def test_norm() -> None:
    x, weight, d_out = drawn(5, 8), drawn(8), drawn(5, 8) + 1
    out, scale = ops.norm(x, weight, 1e-5)

    torch.testing.assert_close(out, functional.rms_norm(x, (8,), weight, 1e-5))
    (expected,) = gradients(lambda leaf: functional.rms_norm(leaf, (8,), weight, 1e-5), d_out, x)
    torch.testing.assert_close(ops.norm_backward(d_out, x, weight, scale), expected)


def test_turning_back_is_the_derivative_of_turning() -> None:
    x, d_out, angles = drawn(6, 3, 8), drawn(6, 3, 8) - 1, drawn(6, 1, 4)
    cos, sin = angles.cos(), angles.sin()

    def turned(heads: Tensor) -> Tensor:
        first, second = heads.chunk(2, -1)
        return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)

    out, back = x.clone(), d_out.clone()
    ops.rotate(out, cos, sin)
    ops.rotate(back, cos, -sin)

    torch.testing.assert_close(out, turned(x))
    torch.testing.assert_close(back, gradients(turned, d_out, x)[0])


def in_full(lengths: list[int]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The definition: one example after the other, every score, each query with its own copy of its keys."""

    def attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        found, start = [], 0
        for length in lengths:
            rows = slice(start, start + length)
            shared = queries.shape[1] // keys.shape[1]
            near, meant = (heads[rows].repeat_interleave(shared, 1) for heads in (keys, values))
            scores = torch.einsum("qhd,khd->hqk", queries[rows], near) / queries.shape[-1] ** 0.5
            later = torch.ones(length, length).triu(1).bool()
            weights = scores.masked_fill(later, -torch.inf).softmax(-1)
            found.append(torch.einsum("hqk,khd->qhd", weights, meant))
            start += length
        return torch.cat(found)

    return attention


@pytest.mark.parametrize("longest_exact", [0, 1000])
@pytest.mark.parametrize("lengths", [[7], [3, 1, 5], [90, 60, 20]])
def test_attention(lengths: list[int], longest_exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "LONGEST_EXACT", longest_exact)
    tokens = ops.rounded(sum(lengths))
    queries, keys, values = drawn(tokens, 6, 4), drawn(tokens, 2, 4), drawn(tokens, 2, 4) + 1
    d_out = drawn(tokens, 6, 4) - 1
    spans = pack([Example(np.zeros(length, np.int32), length) for length in lengths], torch.float64).spans
    d_queries, d_keys, d_values = (torch.empty_like(heads) for heads in (queries, keys, values))

    out, kept = ops.attend((queries, keys, values), spans)
    ops.attend_backward(d_out, (d_queries, d_keys, d_values), spans, kept)

    lengths += [tokens - sum(lengths)] if tokens > sum(lengths) else []
    torch.testing.assert_close(out, in_full(lengths)(queries, keys, values))
    expected = gradients(in_full(lengths), d_out, queries, keys, values)
    for found, sought in zip((d_queries, d_keys, d_values), expected, strict=True):
        torch.testing.assert_close(found, sought)


def test_one_long_example_needs_no_mask() -> None:
    longer = ops.rounded(ops.LONGEST_EXACT + 1)

    assert pack([Example(np.zeros(longer, np.int32), 1)], torch.float32).spans == (Span(0, longer, None),)


@pytest.mark.parametrize("activation", Activation)
def test_gate(activation: Activation) -> None:
    gate_up, d_out = drawn(5, 12), drawn(5, 6)

    def gated(both: Tensor) -> Tensor:
        gates, ups = both.chunk(2, -1)
        activated = functional.silu(gates) if activation == "silu" else functional.gelu(gates, approximate="tanh")
        return activated * ups

    out, activated = ops.gate(gate_up, activation)

    torch.testing.assert_close(out, gated(gate_up))
    (expected,) = gradients(gated, d_out, gate_up)
    torch.testing.assert_close(ops.gate_backward(d_out, gate_up, activated, activation), expected)


def test_cross_entropy() -> None:
    logits, labels = drawn(5, 30) * 10, torch.tensor([0, 3, 29, 3, 7])

    loss, d_logits = ops.cross_entropy(logits, labels)

    def summed(leaf: Tensor) -> Tensor:
        return functional.cross_entropy(leaf, labels, reduction="sum")

    torch.testing.assert_close(loss, summed(logits))
    torch.testing.assert_close(d_logits, gradients(summed, torch.tensor(1.0, dtype=torch.float64), logits)[0])


def test_the_loss_of_what_is_held_for_impossible_is_finite() -> None:
    loss, _ = ops.cross_entropy(torch.tensor([[0.0, 500.0]]), torch.tensor([0]))

    assert loss.item() == 500
