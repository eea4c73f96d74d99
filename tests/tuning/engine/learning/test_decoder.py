"""The decoder against transformers and PEFT, in float32: losses, gradients and answers of each family."""

from pathlib import Path

import numpy as np
import peft
import pytest
import torch
import transformers
from torch import Tensor
from torch.nn.functional import cross_entropy

from tuning.engine.learning.adapters import Adapters, Size
from tuning.engine.learning.corpus import Example, pack
from tuning.engine.learning.decoder import Decoder

SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}

LLAMA_3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

BASES = {
    "llama": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama 3": transformers.LlamaConfig(**SIZES, rope_parameters=LLAMA_3, head_dim=16),
    "mistral": transformers.MistralConfig(**SIZES),
    "qwen2": transformers.Qwen2Config(**SIZES, tie_word_embeddings=True),
    "gemma": transformers.GemmaConfig(**SIZES, head_dim=16),
}

LENGTHS = [(5, 4), (30, 12), (1, 1), (90, 80), (3, 9)]
"""Tokens of each example's prompt and of its output."""


@pytest.fixture(params=list(BASES))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model of random weights, as transformers saves it."""
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(BASES[request.param])
    with torch.no_grad():
        for name, values in model.named_parameters():  # norms and biases begin as ones and zeros
            values.normal_(1.0 if "norm" in name and request.param != "gemma" else 0.0, 0.3)
    model.save_pretrained(tmp_path)
    return tmp_path


class Pair:
    """A base model with the same adapters here and there."""

    def __init__(self, folder: Path) -> None:
        self.decoder = Decoder(folder, torch.float32, torch.device("cpu"))
        self.adapters = Adapters(self.decoder.shape, Size(4, 8.0), torch.float32, self.decoder.device)
        self.adapters.draw(seed=1)
        self.adapters.values += torch.randn(self.adapters.values.shape) * 0.05
        self.adapters.adopt()
        base = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        lora = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
        self.reference = peft.get_peft_model(base, lora)
        unmatched = peft.set_peft_model_state_dict(self.reference, self.adapters.tensors()).unexpected_keys
        assert unmatched == []


def examples() -> list[Example]:
    draw = np.random.default_rng(5)
    return [Example(draw.integers(0, 97, given + said).astype(np.int32), given) for given, said in LENGTHS]


def summed_loss(model: peft.PeftModel, example: Example) -> Tensor:
    tokens = torch.from_numpy(example.tokens).long()
    logits = model(input_ids=tokens[None]).logits[0]
    return cross_entropy(logits[example.given - 1 : -1], tokens[example.given :], reduction="sum")


def test_losses_and_gradients_are_those_of_transformers_and_peft(folder: Path) -> None:
    pair = Pair(folder)
    batch = pack(examples(), torch.float32)

    loss = pair.decoder.learn(batch, pair.adapters, 0.25)
    expected = torch.stack([summed_loss(pair.reference, example) for example in examples()]).sum() * 0.25
    expected.backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert pair.decoder.loss(batch, pair.adapters, 0.25).item() == pytest.approx(loss.item(), rel=1e-6)
    sought = {name: values.grad for name, values in pair.reference.named_parameters() if values.requires_grad}
    pair.adapters.values.copy_(pair.adapters.gradients)
    for name, found in pair.adapters.tensors().items():
        torch.testing.assert_close(found, sought.pop(name.replace(".weight", ".default.weight")), rtol=1e-3, atol=1e-5)
    assert sought == {}


def test_answers_are_those_of_transformers_and_peft(folder: Path) -> None:
    pair = Pair(folder)

    for example in examples():
        tokens = torch.from_numpy(example.tokens).long()
        made = pair.reference.generate(
            input_ids=tokens[None],
            attention_mask=torch.ones_like(tokens)[None],
            max_new_tokens=12,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=96,
        )
        expected = [token for token in made[0, len(tokens) :].tolist() if token != 96]
        assert pair.decoder.answer(tokens.tolist(), pair.adapters, most=12, end=96) == expected


def test_weights_packed_for_bfloat16_compute_the_same(folder: Path) -> None:
    exact, rounded = (Decoder(folder, dtype, torch.device("cpu")) for dtype in (torch.float32, torch.bfloat16))
    losses = []
    for decoder in (exact, rounded):
        adapters = Adapters(decoder.shape, Size(4, 8.0), decoder.dtype, decoder.device)
        adapters.draw(seed=1)
        losses.append(decoder.learn(pack(examples(), decoder.dtype), adapters, 0.01).item())

    assert losses[1] == pytest.approx(losses[0], rel=2e-2)


def test_dropout_leaves_out_the_same_again_and_nothing_when_judging(folder: Path) -> None:
    decoder = Decoder(folder, torch.float32, torch.device("cpu"))
    adapters = Adapters(decoder.shape, Size(4, 8.0), torch.float32, decoder.device, dropout=0.5)
    adapters.draw(seed=1)
    adapters.values += 0.05
    adapters.adopt()
    batch = pack(examples(), torch.float32)

    def learnt(*numbers: int) -> tuple[float, Tensor]:
        adapters.gradients.zero_()
        adapters.dropout.begin(*numbers)
        loss = decoder.learn(batch, adapters, 1.0).item()
        adapters.dropout.end()
        return loss, adapters.gradients.clone()

    first, again, other = learnt(1, 2), learnt(1, 2), learnt(1, 3)
    judged = decoder.loss(batch, adapters, 1.0).item()

    assert first[0] == again[0] != other[0]
    assert torch.equal(first[1], again[1])
    assert judged not in (first[0], other[0])


def test_the_gradient_with_dropout_is_the_slope_of_the_loss(folder: Path) -> None:
    decoder = Decoder(folder, torch.float64, torch.device("cpu"))
    adapters = Adapters(decoder.shape, Size(2, 4.0), torch.float64, decoder.device, dropout=0.5)
    adapters.values = adapters.values.double()
    adapters.gradients = adapters.gradients.double()
    adapters.draw(seed=1)
    adapters.values += torch.randn(adapters.values.shape, dtype=torch.float64) * 0.05
    batch = pack(examples()[:2], torch.float64)

    def loss() -> float:
        adapters.adopt()
        adapters.dropout.begin(7)
        value = decoder.learn(batch, adapters, 1.0).item()
        adapters.dropout.end()
        return value

    loss()
    direction = torch.randn(adapters.values.shape, dtype=torch.float64)
    slope = (adapters.gradients @ direction).item()
    adapters.values += 1e-5 * direction
    higher = loss()
    adapters.values -= 2e-5 * direction
    lower = loss()

    assert (higher - lower) / 2e-5 == pytest.approx(slope, rel=1e-3)
