"""The two layouts of a Llama are one model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.engine import layout

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 5))


@given(SHAPES)
def test_rows_come_back_from_the_other_order(shape: tuple[int, int, int]) -> None:
    heads, half, columns = shape
    rows = np.arange(heads * half * 2 * columns).reshape(heads * half * 2, columns)

    assert (layout.to_halves(layout.to_neighbours(rows, heads), heads) == rows).all()


def test_halves_become_neighbours() -> None:
    """Dimension i of a head turns with dimension i + d/2 at transformers, with its neighbour at llama.cpp."""
    assert layout.to_neighbours(np.arange(12), 2).tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]


@given(st.integers(0, 200), st.sampled_from(sorted(layout.PARTS)))
def test_names_come_back(layer: int, part: str) -> None:
    name = f"blk.{layer}.{part}"
    assert layout.gguf_name(layout.transformers_name(name)) == name


@pytest.mark.parametrize("name", ["blk.0.attn_qkv", "rope_freqs", "blk.0"])
def test_a_part_no_llama_has_is_refused(name: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        layout.transformers_name(name)
