"""Llama, Qwen2 and Gemma: what is prepared, tuned, merged and taken elsewhere answers as transformers and PEFT do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xllamacpp
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from tests import tiny_models
from tests.tuning.engine.conftest import maker
from tests.tuning.engine.running import finished
from tuning.engine import Step
from tuning.engine.bases import catalogue, exports
from tuning.engine.bases.prompts import Prompts, prompts
from tuning.engine.children import start_training

QUESTIONS = ["Hello the seven tens!", "on thing 123", "ü€ 日本\n x", "  two  in", "seven eight"]
LONGEST = 16


@dataclass(frozen=True)
class Model:
    """A prepared model, and an adapter of it with weights of chance."""

    folder: Path
    adapter: Path

    @property
    def entry(self) -> catalogue.BaseModelEntry:
        return catalogue.read_entry(self.folder)

    @property
    def prompts(self) -> Prompts:
        return prompts(self.folder, self.entry.prompt_format)

    def text(self, tokens: list[int]) -> str:
        return str(Tokenizer.from_file(str(self.folder / catalogue.TOKENIZER_FILE)).decode(tokens))

    def expected(self, question: str, *, tuned: bool) -> str:
        """transformers' and PEFT's greedy answer in float32."""
        base: Any = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, str(self.adapter)) if tuned else base
        asked = torch.tensor([self.prompts.prompt(question)])
        with torch.inference_mode():
            said = model.generate(
                input_ids=asked,
                attention_mask=torch.ones_like(asked),
                max_new_tokens=LONGEST,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=self.prompts.end[0],
            )[0, asked.shape[1] :]
        return self.text(said.tolist())


@pytest.fixture(scope="module", params=tiny_models.FAMILIES)
def model(request: pytest.FixtureRequest, families: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder, adapter = families / f"small-{request.param}", tmp_path_factory.mktemp("adapter")
    torch.manual_seed(3)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(base, lora).save_pretrained(str(adapter))
    exports.write_adapter(adapter, folder)
    return Model(folder, adapter)


@pytest.fixture(scope="module")
def exact(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base as a float32 GGUF."""
    path = tmp_path_factory.mktemp("exact") / "f32.gguf"
    exports.write_base(model.folder, path, np.float32)
    return path


class Llama:
    """llama.cpp with one GGUF file, as anybody would run it."""

    def __init__(self, path: Path, adapter: Path | None = None) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 512, 1, 0
        parameters.warmup = parameters.fit_params = False
        if adapter:
            parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        self._server = xllamacpp.Server(parameters)

    def complete(self, prompt: str | list[int]) -> tuple[str, int]:
        """Greedy answer, and of how many tokens the prompt was."""
        request = {"prompt": prompt, "n_predict": LONGEST, "temperature": 0, "top_k": 1, "cache_prompt": False}
        said = self._server.handle_completions(request)
        return said["choices"][0]["text"], said["usage"]["prompt_tokens"]

    def chat(self, *turns: dict[str, str]) -> str:
        request = {"messages": list(turns), "max_tokens": LONGEST, "temperature": 0, "top_k": 1, "cache_prompt": False}
        return str(self._server.handle_chat_completions(request)["choices"][0]["message"]["content"])


@pytest.fixture(scope="module")
def base(exact: Path) -> Llama:
    return Llama(exact)


def test_llama_cpp_answers_as_transformers_does(model: Model, base: Llama) -> None:
    for question in QUESTIONS:
        assert base.complete(model.prompts.prompt(question))[0] == model.expected(question, tuned=False), question


def test_it_answers_a_text_as_it_answers_its_tokens(model: Model, base: Llama) -> None:
    """The GGUF's own tokenizer is the model's: it can be asked by somebody who has nothing else."""
    form = model.entry.prompt_format
    for question in QUESTIONS:
        tokens = model.prompts.prompt(question)
        answer, counted = base.complete(f"{form.before}{question}{form.after}")
        assert (answer, counted) == (base.complete(tokens)[0], len(tokens)), question


def test_it_knows_how_a_turn_is_written(model: Model, base: Llama) -> None:
    asked = base.complete(model.prompts.prompt("on thing"))[0]

    assert base.chat({"role": "user", "content": "on thing"}).strip() == asked.strip()


def test_an_adapter_answers_as_pefts_does(model: Model, exact: Path) -> None:
    tuned = Llama(exact, model.adapter / exports.ADAPTER_GGUF)
    said = {question: tuned.complete(model.prompts.prompt(question))[0] for question in QUESTIONS}

    assert said == {question: model.expected(question, tuned=True) for question in QUESTIONS}
    assert any(model.expected(question, tuned=False) != answer for question, answer in said.items())


def test_what_the_engine_tunes_answers_as_peft_says(model: Model, exact: Path, tmp_path: Path) -> None:
    job = maker(model.folder.parent, model.folder.name, tmp_path)(epoch_count=4, learning_rate=1e-2)
    events, code = finished(start_training(job), within=180)
    losses = [event.snapshot.mean_loss for event in events if isinstance(event, Step)]

    tuned, learnt = Model(model.folder, job.adapter), Llama(exact, job.adapter / exports.ADAPTER_GGUF)
    assert (code, len(losses)) == (0, 15)
    assert losses[-1] < 0.9 * losses[0]
    for question in QUESTIONS:
        assert learnt.complete(model.prompts.prompt(question))[0] == tuned.expected(question, tuned=True), question


def test_a_merged_model_answers_as_base_and_adapter_do(model: Model, exact: Path, tmp_path: Path) -> None:
    shares = list(exports.writing(model.folder, tmp_path / "merged.gguf", exports.Adapter(model.adapter), np.float32))
    merged, apart = Llama(tmp_path / "merged.gguf"), Llama(exact, model.adapter / exports.ADAPTER_GGUF)

    for question in QUESTIONS:
        assert merged.complete(model.prompts.prompt(question)) == apart.complete(model.prompts.prompt(question))
    assert (shares, shares[-1]) == (sorted(shares), 1.0)


def test_no_text_can_open_or_close_a_turn(model: Model) -> None:
    form = model.entry.prompt_format
    special = {*model.prompts.before, *model.prompts.end} - set(model.prompts.tokens("user\nmodel"))
    for text in (form.end, form.before, f"x{form.end}\n{form.before}y"):
        tokens = model.prompts.tokens(text)
        assert not special & set(tokens)
        assert model.text(tokens) == text
