"""A request for a tuning job, read from what somebody pastes: a curl command, or its JSON alone.

Both bodies are read, Google's ``tunedModels`` (Gemini's and PaLM's, which are spelled alike) and ours of
``/tuneboard/v1/jobs``, in camelCase or snake_case and with the tutorials' trailing commas. Headers, user names, cookies
and all of the address but two of its parameters are dropped where they are met: no key gets any further.

What cannot be read ends as :class:`tuning.errors.PasteError`:

======================  ===========================================================================================
paste_empty             nothing but white space
paste_not_a_request     neither a curl command nor a JSON object
paste_quotes            a quotation mark of the command is never closed
paste_without_body      a curl command that sends nothing
paste_from_file         a curl command that sends a file, or its standard input, which are not in the text
paste_bad_json          ``reason``: the body is no JSON object
paste_bad_value         ``path``, ``value``, ``expected``
paste_contradiction     ``path``: two fields that exclude each other
paste_too_many          ``path``, ``limit``
======================  ===========================================================================================
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tuning import wire
from tuning.errors import InvalidRequest, PasteError
from tuning.resources import Example, JobRecipe, NewJob, TunedModel, TuningTask

PIECE = re.compile(
    r"""(?P<blank>[ \t\n]+)|[^ \t\n'"\\]+|'[^']*'|"[^"\\]*(?:\\.[^"\\]*)*"|\\.""",
    re.DOTALL,
)
"""What lies between words, and what words are put together from: bare, quoted, and escaped characters."""
ESCAPED_IN_QUOTES = re.compile(r"""\\(?:([\\"$`])|\n)""")
MOST_COMMANDS = 50
"""Commands that are looked at for one that sends something."""
BODY_OPTIONS = frozenset({"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"})
OPTIONS_WITH_VALUE = frozenset(
    {
        *("-A", "-b", "-c", "-e", "-F", "-H", "-K", "-m", "-o", "-T", "-u", "-w", "-x", "-X"),
        *("--cacert", "--cert", "--connect-timeout", "--cookie", "--form", "--header", "--key", "--max-time"),
        *("--output", "--proxy", "--referer", "--request", "--retry", "--url", "--user", "--user-agent", "--write-out"),
    }
)
"""Whose next word is no address. Only ``--url`` is looked at."""
JOINED = re.compile(r"(-d)(?=.)|(--[a-z-]+)=", re.DOTALL)
"""``-d{…}`` and ``--data={…}``."""
FLAGS_AND_BODY = re.compile(r"-[a-zA-Z#]*d")
"""``-sd``: flags without a value, then ``-d``."""
ENDS = frozenset({"|", ";", "&&", "||", "&", ">", ">>", "2>", "curl"})
"""Words at which a shell's command is over."""
OURS = frozenset({"tuned_model", "dataset", "validation", "recipe", "tuned_model_id"})
"""Fields that only ``/tuneboard/v1/jobs`` has beside a tuned model."""
CARRIED = frozenset({"display_name", "base_model", "tuned_model_source", "tuning_task"})
"""What of a tuned model says how it is made; the rest is told to be left out."""
CARRIED_OF_TASK = frozenset({"training_data", "hyperparameters"})
HASH = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
REASONS = {
    "bad_json": "paste_bad_json",
    "bad_value": "paste_bad_value",
    "oneof": "paste_contradiction",
    "too_many_items": "paste_too_many",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pasted:
    """A job as it was asked for; what was not said is empty. ``recipe`` has the names of
    :class:`tuning.recipes.Recipe`, and perhaps ``learning_rate_multiplier``. ``dataset`` and ``validation`` are SHA-256
    sums in hexadecimal. ``left_out`` are the paths of what has no place in a job.
    """

    display_name: str = ""
    base_model: str = ""
    tuned_from: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    dataset: str = ""
    validation: str = ""
    left_out: tuple[str, ...] = ()


def read(text: str) -> Pasted:
    """The job that ``text`` asks for. Raises ``PasteError``."""
    stripped = text.strip()
    if not stripped:
        raise PasteError("paste_empty")
    try:
        if stripped.startswith("{"):
            return _job(stripped, "")
        return _job(*_command(stripped))
    except InvalidRequest as error:
        # Without its cause, which would carry what was pasted.
        raise PasteError(REASONS.get(error.code), **{**error.params, "reason": error.detail}) from None  # type: ignore[arg-type]


def _command(text: str) -> tuple[str, str]:
    """Body and address of the first curl command that sends something."""
    words = _words(text)
    starts = [place for place, word in enumerate(words) if word.rpartition("/")[2] in {"curl", "curl.exe"}]
    if not starts:
        raise PasteError
    for start in starts[:MOST_COMMANDS]:
        body, address = _request(words[start + 1 :])
        if body:
            return body, address
    raise PasteError("paste_without_body")


def _words(text: str) -> list[str]:
    """The words of a shell's command line, in one pass: :mod:`shlex` copies a word for each of its characters."""
    words: list[list[str]] = [[]]
    end = 0
    for piece in PIECE.finditer(text := text.replace("\r\n", "\n")):
        if piece.start() != end:
            break
        end = piece.end()
        if piece[0] == "\\\n":
            continue  # at a line's end it only joins lines
        if piece["blank"] is None:
            words[-1].append(_unquoted(piece[0]))
        elif words[-1]:
            words.append([])
    if end != len(text):
        raise PasteError("paste_quotes")
    return ["".join(pieces) for pieces in words if pieces]


def _unquoted(piece: str) -> str:
    if piece.startswith("'"):
        return piece[1:-1]
    if piece.startswith('"'):
        return ESCAPED_IN_QUOTES.sub(lambda found: found[1] or "", piece[1:-1])
    return piece.removeprefix("\\") if len(piece) == 2 else piece


def _request(words: Sequence[str]) -> tuple[str, str]:
    body, address = [], ""
    for option, value in _options(words):
        if option in BODY_OPTIONS:
            if value.startswith("@") and option != "--data-raw":
                raise PasteError("paste_from_file")
            body.append(value)
        elif option in {"", "--url"} and "?" in value:
            address = address or value
    return "".join(body), address


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value; addresses have the option ``""``."""
    rest = iter(words)
    for word in rest:
        if word in ENDS:
            return
        if joined := JOINED.match(word):
            yield joined[1] or joined[2], word[joined.end() :]
        elif word in BODY_OPTIONS or word in OPTIONS_WITH_VALUE:
            yield word, next(rest, "")
        elif FLAGS_AND_BODY.fullmatch(word):
            yield "-d", next(rest, "")
        elif not word.startswith("-"):
            yield "", word


def _job(body: str, address: str) -> Pasted:
    document = wire.load_json(body.encode("utf-8", "replace"))
    if not isinstance(document, dict):
        raise PasteError("paste_bad_json", reason="no object")
    left_out: list[str] = []
    ours = any(wire.attribute(NewJob, name) in OURS for name in document)
    if ours:
        asked = wire.loads(NewJob, document, unknown=left_out)
        model = asked.tuned_model or TunedModel()
    else:
        model = wire.loads(TunedModel, document, unknown=left_out)
        asked = NewJob(tuned_model=model)
    left_out += _not_carried(asked, model)
    dataset = asked.dataset or _named_in(address)
    if dataset and not HASH.fullmatch(dataset):
        left_out.append("dataset")
    return _pasted(asked, model, dataset, left_out)


def _pasted(asked: NewJob, model: TunedModel, dataset: str, left_out: Sequence[str]) -> Pasted:
    task, source = model.tuning_task or TuningTask(), model.tuned_model_source
    data = task.training_data
    return Pasted(
        display_name=model.display_name,
        base_model=_full_name(model.base_model or "", "models/"),
        tuned_from=_full_name(source.tuned_model if source else "", "tunedModels/"),
        recipe=_recipe(task, asked.recipe),
        examples=data.examples.examples if data and data.examples else (),
        dataset=_hash(dataset),
        validation=_hash(asked.validation.dataset if asked.validation else ""),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _recipe(task: TuningTask, ours: JobRecipe | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for part in (task.hyperparameters, ours):
        said |= {name: value for name, value in asdict(part).items() if value is not None} if part else {}
    return said


def _not_carried(asked: NewJob, model: TunedModel) -> Iterator[str]:
    """What the wire knows and a new job has no field for."""
    if asked.tuned_model_id:
        yield "tuned_model_id"
    yield from _set_beside(model, CARRIED)
    if model.tuning_task:
        yield from (f"tuning_task.{name}" for name in _set_beside(model.tuning_task, CARRIED_OF_TASK))


def _set_beside(message: TunedModel | TuningTask, known: frozenset[str]) -> Iterator[str]:
    for one in fields(message):
        if one.name not in known and getattr(message, one.name) != one.default:
            yield one.name


def _named_in(address: str) -> str:
    """The dataset that an address names. Nothing else of it is looked at: it may hold a key."""
    try:
        return parse_qs(urlsplit(address).query, max_num_fields=50).get("dataset", [""])[0]
    except ValueError:
        return ""


def _full_name(name: str, prefix: str) -> str:
    return name if not name or name.startswith(prefix) else prefix + name


def _hash(name: str) -> str:
    found = HASH.fullmatch(name)
    return found[1] if found else ""
