"""Reading a base model out of a GGUF file: configuration, tokenizer, chat template and weights of any quantisation."""

import math
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from tuning.engine.bases import layout, vocabulary
from tuning.engine.bases.shape import Family, RopeScaling, Shape, unknown
from tuning.engine.bases.vocabulary import Tables
from tuning.engine.bases.weights import Float32, Size
from tuning.errors import EngineError

ARCHITECTURES = {
    Family.LLAMA: "LlamaForCausalLM",
    Family.QWEN2: "Qwen2ForCausalLM",
    Family.GEMMA: "GemmaForCausalLM",
}
"""What transformers calls llama.cpp's architectures."""


class GgufFile:
    """One GGUF file. Raises ``EngineError("base_model_unreadable")`` when it is none."""

    def __init__(self, path: Path) -> None:
        try:
            self._reader = gguf.GGUFReader(path)
        except (ValueError, IndexError, KeyError, OverflowError, MemoryError, UnicodeDecodeError) as exc:
            raise EngineError("base_model_unreadable", detail=f"{path.name} is no GGUF file") from exc
        self._path = path
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def config(self) -> dict[str, Any]:
        """``config.json`` of the model, as transformers reads it."""
        architecture = str(self._value("general.architecture"))
        if architecture not in set(Family):
            raise unknown(architecture)
        family = Family(architecture)
        heads, hidden = self._of(family, "attention.head_count"), self._of(family, "embedding_length")
        return {
            "architectures": [ARCHITECTURES[family]],
            "model_type": family.value,
            "hidden_act": "gelu_pytorch_tanh" if family is Family.GEMMA else "silu",
            "hidden_size": hidden,
            "intermediate_size": self._of(family, "feed_forward_length"),
            "num_hidden_layers": self._of(family, "block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self._of(family, "attention.head_count_kv", heads),
            "head_dim": self._of(family, "attention.key_length", hidden // heads),
            "max_position_embeddings": self._of(family, "context_length"),
            "vocab_size": len(self._value("tokenizer.ggml.tokens")),
            "rms_norm_eps": self._of(family, "attention.layer_norm_rms_epsilon"),
            "rope_theta": self._of(family, "rope.freq_base", 10_000.0),
            **self._scaling(family),
            "tie_word_embeddings": "output.weight" not in self._tensors,
            "bos_token_id": self._value("tokenizer.ggml.bos_token_id", None),
            "eos_token_id": self._value("tokenizer.ggml.eos_token_id"),
            "dtype": "bfloat16",
        }

    def tokenizer(self) -> bytes:
        """``tokenizer.json``."""
        model = str(self._value("tokenizer.ggml.model"))
        found = Tables(
            model=model,
            pre=str(self._value("tokenizer.ggml.pre", vocabulary.GPT2)),
            tokens=list(self._value("tokenizer.ggml.tokens")),
            kinds=list(self._value("tokenizer.ggml.token_type")),
            merges=list(self._value("tokenizer.ggml.merges", ())),
            scores=list(self._value("tokenizer.ggml.scores", ())),
            space_before=bool(self._value("tokenizer.ggml.add_space_prefix", model == "llama")),
        )
        return vocabulary.tokenizer(found).to_str().encode()

    def chat_template(self) -> str:
        """Empty where there is none."""
        return str(self._value("tokenizer.chat_template", ""))

    def special_texts(self) -> dict[str, str]:
        """What a chat template calls ``bos_token`` and ``eos_token``."""
        tokens = self._value("tokenizer.ggml.tokens")
        numbers = {name: self._value(f"tokenizer.ggml.{name}_id", None) for name in ("bos_token", "eos_token")}
        return {name: tokens[number] for name, number in numbers.items() if number is not None}

    def sizes(self) -> dict[str, Size]:
        """The size of every tensor, by transformers' name; what the tensors of no model are called is left out."""
        named = {}
        for tensor in self._reader.tensors:
            module, _, end = tensor.name.rpartition(".")
            if module != "rope_freqs":
                named[f"{layout.transformers_name(module)}.{end}"] = tuple(int(n) for n in reversed(tensor.shape))
        return named

    def rows(self, name: str, first: int, last: int, shape: Shape) -> Float32:
        """Rows (whole heads, where they are rotated) of the tensor of transformers' ``name``, in its layout."""
        tensor = self._tensors[layout.gguf_tensor(name)]
        values = self._stored(tensor, first, last)
        try:
            plain = gguf.dequantize(values, tensor.tensor_type).astype(np.float32, copy=False)
        except NotImplementedError as exc:
            raise EngineError("base_model_unreadable", detail=f"quantisation {tensor.tensor_type.name}") from exc
        return layout.from_gguf(name, plain, shape)

    def _stored(self, tensor: gguf.ReaderTensor, first: int, last: int) -> NDArray[Any]:
        """Rows as they are in the file. Read, not mapped: the pages of a map that were touched count as our own."""
        kind, row = tensor.data.dtype, tensor.data.shape[1:]
        numbers = math.prod(row)
        offset = int(tensor.data_offset) + first * numbers * kind.itemsize
        return np.fromfile(self._path, kind, (last - first) * numbers, offset=offset).reshape(last - first, *row)

    def _scaling(self, family: Family) -> dict[str, Any]:
        """Llama 3's scaling stands in a tensor, which tells its divisors and not how they came about."""
        kind = self._of(family, "rope.scaling.type", "none")
        if "rope_freqs.weight" in self._tensors:
            return {"rope_scaling": self._llama3(family)}
        if kind in ("none", ""):
            return {}
        return {"rope_scaling": {"rope_type": kind, "factor": self._of(family, "rope.scaling.factor", 1.0)}}

    def _llama3(self, family: Family) -> dict[str, Any]:
        divisors = self._tensors["rope_freqs.weight"].data
        scaling = RopeScaling(linear=False, factor=float(divisors.max()))
        theta, pairs = self._of(family, "rope.freq_base", 10_000.0), len(divisors)
        expected = [scaling.divisor(theta ** -(pair / pairs)) for pair in range(pairs)]
        if not np.allclose(divisors, expected, rtol=1e-3):
            raise unknown(f"{family} with frequencies of its own")
        return {
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low_frequency_factor,
            "high_freq_factor": scaling.high_frequency_factor,
            "original_max_position_embeddings": scaling.original_positions,
        }

    def _of(self, family: Family, key: str, default: Any = EngineError) -> Any:
        return self._value(f"{family}.{key}", default)

    def _value(self, key: str, default: Any = EngineError) -> Any:
        field = self._reader.get_field(key)
        if field is not None:
            found = field.contents()
            return float(f"{found:.7g}") if isinstance(found, float) else found  # what was meant, in float32
        if default is EngineError:
            raise EngineError("base_model_unreadable", detail=f"the GGUF file lacks {key}")
        return default
