"""A model's tensors as the two libraries lay them out: transformers (safetensors) and llama.cpp (GGUF).

They differ in names; in Llama's order of the rows of the query and key projections, where transformers rotates the
first half of a head's dimensions against the second, llama.cpp neighbours; and in Gemma's norms, which llama.cpp keeps
with the one that transformers adds.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tuning.engine.bases.shape import Family, Shape

Scalar = TypeVar("Scalar", bound=np.generic)

PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ENDS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}

_GGUF_PARTS = {theirs: ours for ours, theirs in PARTS.items()}
_GGUF_ENDS = {theirs: ours for ours, theirs in ENDS.items()}


def transformers_name(gguf_name: str) -> str:
    """``blk.3.attn_q`` → ``model.layers.3.self_attn.q_proj``. Raises ``KeyError`` where no model has such a part."""
    if not gguf_name.startswith("blk."):
        return ENDS[gguf_name]
    _, layer, part = gguf_name.split(".", 2)
    return f"model.layers.{layer}.{PARTS[part]}"


def gguf_name(transformers_name: str) -> str:
    """``model.layers.3.self_attn.q_proj`` → ``blk.3.attn_q``. Raises ``KeyError`` where no model has such a part."""
    if not transformers_name.startswith("model.layers."):
        return _GGUF_ENDS[transformers_name]
    _, _, layer, part = transformers_name.split(".", 3)
    return f"blk.{layer}.{_GGUF_PARTS[part]}"


def gguf_tensor(name: str) -> str:
    """The same with the ``.weight`` or ``.bias`` that both end in."""
    module, _, end = name.rpartition(".")
    return f"{gguf_name(module)}.{end}"


def head_rows(name: str, shape: Shape) -> int:
    """Of how many rows a rotated head is in the tensor of transformers' ``name``; 0 where none is in another order."""
    rotated = ".self_attn.q_proj" in name or ".self_attn.k_proj" in name
    return shape.head_dim if rotated and shape.family is Family.LLAMA else 0


def to_gguf(name: str, rows: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """Whole heads of the tensor of transformers' ``name``, as llama.cpp has them."""
    if height := head_rows(name, shape):
        return to_neighbours(rows, len(rows) // height)
    return rows + np.float32(shape.norm_offset) if is_norm(name) else rows


def from_gguf(name: str, rows: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """The other way round."""
    if height := head_rows(name, shape):
        return to_halves(rows, len(rows) // height)
    return rows - np.float32(shape.norm_offset) if is_norm(name) else rows


def is_norm(name: str) -> bool:
    return name.removesuffix(".weight").endswith("norm")


def to_neighbours(rows: NDArray[Scalar], heads: int) -> NDArray[Scalar]:
    """The rows of a rotated projection in llama.cpp's order."""
    return _swap(rows, (heads, 2, -1))


def to_halves(rows: NDArray[Scalar], heads: int) -> NDArray[Scalar]:
    """The rows of a rotated projection in transformers' order."""
    return _swap(rows, (heads, rows.shape[0] // heads // 2, 2))


def _swap(rows: NDArray[Scalar], order: tuple[int, int, int]) -> NDArray[Scalar]:
    return rows.reshape(*order, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
