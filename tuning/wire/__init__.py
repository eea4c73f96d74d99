"""Resources <-> JSON, and the only place that knows how the wire spells them.

Reading follows proto3's JSON mapping (https://protobuf.dev/programming-guides/json/) and is as lenient as the
recorded service: fields in camelCase or snake_case, trailing commas, numbers as strings, enums by name or
number, ``null`` as absent. It is as strict, too: unknown fields, two members of a oneof and wrong types are
refused with the path that offends. Writing follows the recorded answers: fields in the resources' order,
defaults left out, float32, two spaces of indentation.
"""

from tuning.wire.reading import LONGEST_LIST, load_json, loads
from tuning.wire.spelling import attribute, camel, given, shape
from tuning.wire.writing import TYPE_URL, dumps, float32, rfc3339, to_json

__all__ = [
    "LONGEST_LIST",
    "TYPE_URL",
    "attribute",
    "camel",
    "dumps",
    "float32",
    "given",
    "load_json",
    "loads",
    "rfc3339",
    "shape",
    "to_json",
]
