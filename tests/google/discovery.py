"""Google's discovery documents: which methods there are, and what may be sent to them and answered by them.

The wheel of google-api-python-client carries them. A request is held to them strictly: what the document does not know
is refused, and so is what it calls output only, which Google itself passes over in silence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import orjson

from tests.google.refusals import Refusal, invalid

Schema = dict[str, Any]

SSE = {"location": "query", "type": "string", "enum": ["json", "sse"]}
"""Google's own clients ask for streams so, though no discovery document has it."""


@dataclass(frozen=True)
class Method:
    """A method of the document, as it is found by a request's verb and path."""

    id: str
    verb: str
    pattern: re.Pattern[str]
    told: Schema

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.told.get("scopes", ()))

    @property
    def request(self) -> str:
        return str(self.told.get("request", {}).get("$ref", ""))

    @property
    def response(self) -> str:
        return str(self.told.get("response", {}).get("$ref", ""))


class Document:
    """One service's document."""

    def __init__(self, name: str, service_path: str = "") -> None:
        folder = files("googleapiclient.discovery_cache") / "documents"
        self._told = orjson.loads((folder / f"{name}.json").read_bytes())
        self.schemas: dict[str, Schema] = self._told["schemas"]
        self.methods = [
            Method(told["id"], told["httpMethod"], _pattern(service_path + told["path"], told), told)
            for told in _methods(self._told)
        ]

    def find(self, verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """The method that answers to ``path``, which begins without a slash, and the path's parameters."""
        for method in self.methods:
            if method.verb == verb and (match := method.pattern.fullmatch(path)):
                return method, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def check_query(self, method: Method, query: dict[str, list[str]]) -> None:
        """Raises ``Refusal`` for a parameter that the method does not have, or a value that it cannot be."""
        known = self._told["parameters"] | method.told.get("parameters", {})
        if method.id.endswith(".streamGenerateContent"):
            known = known | {"alt": SSE}
        for name, values in query.items():
            told = known.get(name)
            if told is None or told.get("location") != "query":
                raise invalid(
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.', name
                )
            if len(values) > 1 and not told.get("repeated"):
                raise invalid(f"Invalid value at '{name}': it is not repeated.", name)
            for value in values:
                _check_text(name, value, told)

    def check_request(self, method: Method, body: Any) -> None:
        """Raises ``Refusal`` for the first thing in ``body`` that the method's schema does not allow."""
        if not method.request:
            if body not in (None, {}):
                raise invalid("Request body must be empty.", "")
            return
        if problem := next(self.problems(method.request, body or {}, asked=True), None):
            raise problem

    def check_answer(self, method: Method, answer: Any) -> None:
        """Raises ``AssertionError``: then it is the stand-in that is wrong."""
        for problem in self.problems(method.response, answer, asked=False):
            raise AssertionError(f"{method.id} would answer what its schema has not: {problem.message}")

    def problems(self, name: str, value: Any, *, asked: bool, at: str = "") -> Iterator[Refusal]:
        """What of ``value`` is not as the schema ``name`` has it."""
        yield from self._of({"$ref": name}, value, asked, at)

    def _of(self, schema: Schema, value: Any, asked: bool, at: str) -> Iterator[Refusal]:
        if "$ref" in schema:
            yield from self._of(self.schemas[schema["$ref"]], value, asked, at)
            return
        kind = schema.get("type", "any")
        if kind == "array":
            yield from self._of_array(schema, value, asked, at)
        elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            yield from self._of_map(schema, value, asked, at)
        elif kind == "object":
            yield from self._of_object(schema, value, asked, at)
        elif kind != "any" and not fits(schema, value, asked):
            yield invalid(f"Invalid value at '{at}' ({schema.get('format', kind)}), {orjson.dumps(value).decode()}", at)

    def _of_array(self, schema: Schema, value: Any, asked: bool, at: str) -> Iterator[Refusal]:
        if not isinstance(value, list):
            yield invalid(f"Invalid value at '{at}': it is no list.", at)
            return
        for number, one in enumerate(value):
            yield from self._of(schema["items"], one, asked, f"{at}[{number}]")

    def _of_map(self, schema: Schema, value: Any, asked: bool, at: str) -> Iterator[Refusal]:
        if not isinstance(value, dict):
            yield invalid(f"Invalid value at '{at}': it is no object.", at)
            return
        for key, one in value.items():
            yield from self._of(schema["additionalProperties"], one, asked, f"{at}.{key}")

    def _of_object(self, schema: Schema, value: Any, asked: bool, at: str) -> Iterator[Refusal]:
        if not isinstance(value, dict):
            yield invalid(f"Invalid value at '{at}': it is no object.", at)
            return
        properties = schema.get("properties", {})
        for name, one in value.items():
            inside = f"{at}.{name}".lstrip(".")
            told = properties.get(name)
            if told is None:
                yield invalid(
                    f"Invalid JSON payload received. Unknown name \"{name}\" at '{at}': Cannot find field.", at
                )
            elif asked and told.get("readOnly"):
                yield invalid(f"'{inside}' is output only.", inside)
            else:
                yield from self._of(told, one, asked, inside)
        if asked:
            yield from self._missing(properties, value, at)

    def _missing(self, properties: Schema, value: dict[str, Any], at: str) -> Iterator[Refusal]:
        for name, told in properties.items():
            if told.get("description", "").startswith("Required.") and value.get(name) in (None, "", [], {}):
                inside = f"{at}.{name}".lstrip(".")
                yield invalid(f"Required field '{inside}' is missing.", inside)


def fits(schema: Schema, value: Any, asked: bool) -> bool:
    """Whether ``value`` is one of the schema's. What is asked may write 64-bit numbers as numbers; answers may not."""
    kind, form = schema["type"], schema.get("format", "")
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (kind == "number" and isinstance(value, float))
    if form in ("int64", "uint64"):
        return (isinstance(value, str) and bool(re.fullmatch(r"-?\d+", value))) or (asked and type(value) is int)
    if not isinstance(value, str):
        return False
    if form in ("google-datetime", "date-time"):
        return _is_time(value)
    return "enum" not in schema or value in schema["enum"]


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _check_text(name: str, value: str, told: Schema) -> None:
    """A query's ``value`` by its parameter's type."""
    kind = told.get("type")
    wrong = (
        (kind == "integer" and not re.fullmatch(r"-?\d+", value))
        or (kind == "boolean" and value not in ("true", "false"))
        or ("enum" in told and value not in told["enum"])
    )
    if wrong:
        raise invalid(f"Invalid value at '{name}', \"{value}\"", name)


def _methods(resource: Schema) -> Iterator[Schema]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _pattern(path: str, told: Schema) -> re.Pattern[str]:
    """``v1/{+name}:cancel`` -> a pattern; a name's end is no colon, for there the verb begins."""
    parts = re.split(r"\{(\+?\w+)\}", path)
    made = []
    for number, part in enumerate(parts):
        name = part.lstrip("+")
        if number % 2 == 0:
            made.append(re.escape(part))
        elif part.startswith("+"):
            shape = told["parameters"][name].get("pattern", "[^:]+").strip("^$").replace("[^/]+", "[^/:]+")
            made.append(f"(?P<{name}>{shape})")
        else:
            made.append(f"(?P<{name}>[^/]+)")
    return re.compile("".join(made))


@cache
def aiplatform() -> Document:
    return Document("aiplatform.v1")


@cache
def storage() -> Document:
    return Document("storage.v1", "storage/v1/")
