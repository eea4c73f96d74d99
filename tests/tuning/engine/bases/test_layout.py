"""The two layouts of a model's tensors are one model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny_models
from tuning.engine.bases import layout, shape

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 5))
SIZES = {
    family: shape.shape(tiny_models.COMMON | tiny_models.CONFIGS[family] | {"vocab_size": 300})
    for family in tiny_models.FAMILIES
}


@given(SHAPES)
def test_rows_come_back_from_the_other_order(sizes: tuple[int, int, int]) -> None:
    heads, half, columns = sizes
    rows = np.arange(heads * half * 2 * columns).reshape(heads * half * 2, columns)

    assert (layout.to_halves(layout.to_neighbours(rows, heads), heads) == rows).all()


def test_halves_become_neighbours() -> None:
    """Dimension i of a head turns with dimension i + d/2 at transformers, with its neighbour at llama.cpp."""
    assert layout.to_neighbours(np.arange(12), 2).tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]


@pytest.mark.parametrize("family", tiny_models.FAMILIES)
def test_every_tensor_comes_back(family: str) -> None:
    for name, size in SIZES[family].tensors().items():
        rows = np.arange(np.prod(size), dtype=np.float32).reshape(size)
        there = layout.to_gguf(name, rows, SIZES[family])
        moved = "q_proj" in name or "k_proj" in name

        assert (layout.from_gguf(name, there, SIZES[family]) == rows).all()
        assert (family == "llama" and moved) == ((there != rows).any() and not layout.is_norm(name))
        assert layout.gguf_tensor(name).endswith((".weight", ".bias"))


@given(st.integers(0, 200), st.sampled_from(sorted(layout.PARTS)))
def test_names_come_back(layer: int, part: str) -> None:
    name = f"blk.{layer}.{part}"
    assert layout.gguf_name(layout.transformers_name(name)) == name


@pytest.mark.parametrize("name", ["blk.0.attn_qkv", "rope_freqs", "blk.0"])
def test_a_part_no_model_has_is_refused(name: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        layout.transformers_name(name)
