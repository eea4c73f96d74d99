"""From a chat template to the prompt format, and from a hostile one to a refusal."""

import time
from pathlib import Path

import pytest

from tests import tiny_models
from tuning.engine.bases.catalogue import PromptFormat
from tuning.engine.bases.templates import prompt_format
from tuning.errors import EngineError

CHATML = PromptFormat()
TOKENS = {"<s>": 0, "<|im_start|>": 1, "<|im_end|>": 2, "</s>": 3, "<|eot_id|>": 4}
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{{ '<|start|>system<|end|>\n\nCutting knowledge: 2023\n' }}"
    "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] }}{% set messages = messages[1:] %}{% endif %}"
    "{{ '<|eot_id|>' }}{% for message in messages %}"
    "{{ '<|start|>' + message['role'] + '<|end|>\n\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant<|end|>\n\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)


def test_a_system_turn_that_can_be_replaced_is_left_out() -> None:
    assert prompt_format(SMOLLM2, {"eos_token": "<|im_end|>"}, TOKENS) == CHATML
    assert prompt_format(tiny_models.RULED, {"eos_token": "<|im_end|>"}, TOKENS) == CHATML


def test_a_system_turn_that_is_always_there_stays() -> None:
    found = prompt_format(LLAMA3, SPECIAL, TOKENS)

    opening = "<|start|>user<|end|>\n\n"
    assert found.before == f"<s><|start|>system<|end|>\n\nCutting knowledge: 2023\n<|eot_id|>{opening}"
    assert found.after == "<|eot_id|><|start|>assistant<|end|>\n\n"
    assert found.end == "<|eot_id|>"


def test_a_template_without_a_system_turn_is_taken_as_it_is() -> None:
    found = prompt_format(MISTRAL, SPECIAL, TOKENS)

    assert found == PromptFormat(before="<s>[INST] ", after=" [/INST]", end="</s>")


def test_without_a_template_it_is_chatml_where_its_tokens_are_known() -> None:
    assert prompt_format("", SPECIAL, TOKENS) == CHATML
    assert prompt_format(" \n", SPECIAL, {"</s>": 3}) == PromptFormat(before="<s>", after="\n", end="</s>")


@pytest.mark.parametrize(
    "template",
    [
        "{% if %}",
        "Every prompt is the same.",
        "{{ messages[0]['content'] }}{{ messages[0]['content'] }}",
        "{{ raise_exception('not today') }}",
        "{{ messages.append(messages[0]) }}{{ messages[0]['content'] }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[0]['content'] }}",
        "{{ 'x' * 10 ** 12 }}{{ messages[0]['content'] }}",
        "{{ 'x' * 2000000 }}{{ messages[0]['content'] }}",
        "{{ messages[0]['content'] }}" + " " * 200_000,
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages[0]['content'] }}",
    ],
    ids=["no jinja", "no prompt", "twice", "refuses", "changes", "escapes", "memory", "size", "length", "time"],
)
def test_what_cannot_be_used_is_refused_soon(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(EngineError) as refused:
        prompt_format(template, SPECIAL, TOKENS)

    assert refused.value.code == "chat_template_unusable"
    assert time.monotonic() - began < 20


def test_a_template_reaches_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("very secret")
    template = "{% include '" + str(secret) + "' %}{{ messages[0]['content'] }}"

    with pytest.raises(EngineError):
        prompt_format(template, SPECIAL, TOKENS)


def test_a_model_without_a_token_that_ends_an_answer_is_refused() -> None:
    template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    for special in ({}, {"eos_token": "no token"}):
        with pytest.raises(EngineError) as refused:
            prompt_format(template, special, {})
        assert refused.value.code == "chat_template_unusable"
