"""From the chat template that comes with a base model to what stands around a prompt.

A chat template is a program of somebody else's (Jinja). It is rendered in a process of its own, in jinja2's immutable
sandbox, with little time and memory: ``python -m tuning.engine.bases.templates``, a :class:`Task` on standard input.
"""

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import orjson

from tuning.engine.bases.catalogue import PromptFormat
from tuning.errors import EngineError

LONGEST = 200_000
"""Characters of a template."""
SECONDS = 10
MEMORY = 512 << 20
LARGEST = 1 << 20
"""Bytes of what it may render."""

ASKED, ANSWER, FURTHER, RULES = "ASKED-8c1f", "ANSWER-8c1f", "FURTHER-8c1f", "RULES-8c1f"
"""Texts that no template has in it, and that none can want to trim."""

ROOT = Path(__file__).resolve().parents[3]

CONVERSATIONS: Mapping[str, list[tuple[str, str]]] = {
    "asked": [("user", ASKED)],
    "answered": [("user", ASKED), ("assistant", ANSWER)],
    "further": [("user", ASKED), ("assistant", ANSWER), ("user", FURTHER)],
    "ruled": [("system", RULES), ("user", ASKED)],
}


def prompt_format(template: str, special: Mapping[str, str], tokens: Mapping[str, int]) -> PromptFormat:
    """What ``template`` puts around a person's turn and after the model's.

    ``special`` are the texts of ``bos_token`` and ``eos_token``, ``tokens`` the special tokens by text. A system turn
    of the template's own is kept only where it cannot be replaced by another: a model whose makers let it be left out
    needs none. Without a template the format is ChatML, if its tokens are known, and otherwise the plain prompt.

    Raises ``EngineError("chat_template_unusable")``.
    """
    if not template.strip():
        return _default(special, tokens)
    texts = _rendered(template, special)
    before, after = _around(texts.get("asked"), ASKED)
    _, closing = _around(texts.get("answered"), ANSWER)
    if opening := _opening(texts, closing):
        before = _without_rules(before, opening, texts, special)
    return PromptFormat(before=before, after=after, end=_end(closing, special, tokens))


def _default(special: Mapping[str, str], tokens: Mapping[str, int]) -> PromptFormat:
    chatml = PromptFormat()
    if {"<|im_start|>", chatml.end} <= set(tokens):
        return chatml
    end = special.get("eos_token", "")
    if end not in tokens:
        raise EngineError("chat_template_unusable", detail="there is neither a template nor a token that ends a text")
    return PromptFormat(before=special.get("bos_token", ""), after="\n", end=end)


def _around(text: str | None, mark: str) -> tuple[str, str]:
    if text is None or text.count(mark) != 1:
        raise EngineError("chat_template_unusable", detail="a turn does not come out as it went in")
    before, _, after = text.partition(mark)
    return before, after


def _opening(texts: Mapping[str, str | None], closing: str) -> str:
    """What begins a person's turn, seen where one follows an answer; empty where the template knows but one turn."""
    further = texts.get("further")
    if further is None or ANSWER not in further or FURTHER not in further:
        return ""
    between = further.partition(ANSWER)[2].partition(FURTHER)[0]
    return between.removeprefix(closing)


def _without_rules(before: str, opening: str, texts: Mapping[str, str | None], special: Mapping[str, str]) -> str:
    bos = special.get("bos_token", "")
    bos = bos if bos and before.startswith(bos) else ""
    unasked = before.removeprefix(bos).removesuffix(opening)
    ruled = texts.get("ruled")
    if not unasked.strip() or not before.endswith(opening) or ruled is None or RULES not in ruled:
        return before
    return before if unasked in ruled.replace(RULES, "") else bos + opening


def _end(closing: str, special: Mapping[str, str], tokens: Mapping[str, int]) -> str:
    """The special token with which an answer closes."""
    found = min(
        (token for token in tokens if token in closing), key=closing.index, default=special.get("eos_token", "")
    )
    if found not in tokens:
        raise EngineError("chat_template_unusable", detail="no special token ends an answer")
    return found


def _rendered(template: str, special: Mapping[str, str]) -> dict[str, str | None]:
    """Each conversation as the template writes it; ``None`` for one it refuses."""
    if len(template) > LONGEST:
        raise EngineError("chat_template_unusable", detail="the template is too long")
    task = orjson.dumps({"template": template, "special": dict(special)})
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "tuning.engine.bases.templates"],
            input=task,
            capture_output=True,
            timeout=SECONDS,
            check=True,
            cwd=ROOT,
            env={},
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as exc:
        raise EngineError("chat_template_unusable", detail="the template cannot be rendered") from exc
    return dict(orjson.loads(ran.stdout))


def main() -> NoReturn:
    """Render the conversations of the task on standard input."""
    task = orjson.loads(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    template = _compiled(task["template"])
    texts = {name: _render(template, turns, task["special"]) for name, turns in CONVERSATIONS.items()}
    sys.stdout.buffer.write(orjson.dumps(texts))
    sys.exit(0)


def _compiled(template: str) -> Any:
    from jinja2.ext import loopcontrols  # noqa: PLC0415 - in the child alone
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = _refuse
    return environment.from_string(template)


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def _render(template: Any, turns: list[tuple[str, str]], special: Mapping[str, str]) -> str | None:
    messages = [{"role": role, "content": content} for role, content in turns]
    try:
        text = template.render(messages=messages, add_generation_prompt=messages[-1]["role"] == "user", **special)
    except Exception:  # whatever a template does wrong
        return None
    return text if len(text) <= LARGEST else None


if __name__ == "__main__":
    main()
