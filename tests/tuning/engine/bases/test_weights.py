"""bfloat16 without torch is torch's bfloat16."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tuning.engine.bases import weights


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_rounding_is_torchs(numbers: list[float]) -> None:
    values = np.array(numbers, dtype=np.float32)

    rounded = weights.to_float32(weights.to_bfloat16(values))

    assert rounded.tolist() == torch.from_numpy(values).to(torch.bfloat16).float().tolist()


def test_a_saved_file_is_read_by_torch_and_by_us(tmp_path: Path) -> None:
    bits = {
        "a": weights.to_bfloat16(np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)),
        "b": np.zeros(2, np.uint16),
    }
    weights.save(bits, tmp_path / "w")

    theirs, ours = load_file(tmp_path / "w"), dict(weights.load(tmp_path / "w"))

    assert {name: values.dtype for name, values in theirs.items()} == {"a": torch.bfloat16, "b": torch.bfloat16}
    for name, expected in bits.items():
        assert theirs[name].float().numpy().tolist() == weights.to_float32(expected).tolist()
        assert ours[name].tolist() == expected.tolist()


def test_another_type_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "w")

    with pytest.raises(ValueError, match="a is F32"):
        list(weights.load(tmp_path / "w"))
