"""Base models of this installation: adding them, and removing them."""

from pathlib import Path

from django.conf import settings

from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry, Folder
from tuning.engine.children import start_inspection
from tuning.errors import AlreadyExists, FailedPrecondition, InvalidRequest, NotFound
from tuning.jobs import JobState
from tuning.resources import NewBaseModel
from tuning.server import base_models
from tuning.server.looking import looks_well
from tuning.server.models import BasePreparation, Job

LOOK_SECONDS = 30.0
"""For looking at a folder; weights are not read."""
LONGEST_TEXT = 1000


def add(new: NewBaseModel) -> BaseModelEntry:
    """Have a base model made ready by the tuner, and return its entry.

    Raises ``InvalidRequest`` (``bad_base_name``, ``too_long``, ``folder_outside``, or why the engine cannot use it),
    ``NotFound`` (``base_model_unknown``, ``base_folder_missing``) and ``AlreadyExists`` (``base_model_exists``).
    """
    if not catalogue.NAME.fullmatch(new.name):
        raise InvalidRequest("bad_base_name", name=new.name[:80])
    entry = _placed(new) if new.folder else base_models.entry(new.name)
    if not catalogue.is_prepared(entry.name, settings.MODELS_DIR):
        told = {"failure_code": "", "failure_detail": ""}
        BasePreparation.objects.update_or_create(base=entry.name, defaults=told)
    return entry


def remove(name: str) -> None:
    """Remove a base model's files; one that is listed in a file stays on offer.

    Raises ``NotFound`` and ``FailedPrecondition`` (``base_model_kept``, ``base_model_in_use``).
    """
    entry = base_models.entry(name)
    if is_kept(entry):
        raise FailedPrecondition("base_model_kept", name=entry.api_name)
    if count := users(name):
        raise FailedPrecondition("base_model_in_use", name=entry.api_name, models=count)
    BasePreparation.objects.filter(base=name).delete()  # a tuner at it gives up
    catalogue.remove(name, settings.MODELS_DIR)


def folders() -> list[str]:
    """The folders and GGUF files in BASES_DIR, by name."""
    found = Path(settings.BASES_DIR).glob("*")
    return sorted(path.name for path in found if path.is_dir() or path.suffix == ".gguf")


def _placed(new: NewBaseModel) -> BaseModelEntry:
    for field in ("display_name", "description", "licence"):
        if (length := len(getattr(new, field))) > LONGEST_TEXT:
            raise InvalidRequest("too_long", field=field, limit=LONGEST_TEXT, length=length)
    if any(entry.name == new.name for entry in base_models.entries()):
        raise AlreadyExists("base_model_exists", name=new.name)
    source = _inside(new.folder)
    _look(source)
    entry = BaseModelEntry(
        name=new.name,
        display_name=new.display_name or new.name,
        description=new.description,
        licence=new.licence,
        weights=Folder(folder=str(source)),
        own_template=True,
    )
    try:
        catalogue.place(entry, settings.MODELS_DIR)
    except FileExistsError as exc:
        raise AlreadyExists("base_model_exists", name=new.name) from exc
    return entry


def _inside(text: str) -> Path:
    """What ``text`` names in BASES_DIR; neither it nor what is in it may lead out of there."""
    root = Path(settings.BASES_DIR).resolve()
    place = (root / text.replace("\0", "")).resolve()
    if not place.is_relative_to(root) or place == root:
        raise InvalidRequest("folder_outside", folder=text[:100])
    if not place.exists():
        raise NotFound("base_folder_missing", folder=text[:100])
    within = list(place.iterdir()) if place.is_dir() else []
    if not all(path.resolve().is_relative_to(root) for path in within):
        raise InvalidRequest("folder_outside", folder=text[:100])
    return place


def _look(place: Path) -> None:
    """Have a child see whether the model can be used: what is in its files stays out of this process."""
    if not looks_well(start_inspection(place, Path(settings.MODELS_DIR)), LOOK_SECONDS):
        raise InvalidRequest("base_model_unreadable", detail="looking at it came to no end")


def is_kept(entry: BaseModelEntry) -> bool:
    """Whether it cannot be removed: it came with Tuneboard, or stands for Google's models."""
    return entry.name in (settings.DEFAULT_BASE_MODEL, *catalogue.BUILT_IN)


def users(name: str) -> int:
    """How many tuned models need it, or will."""
    return Job.objects.filter(base=name).exclude(state__in=(JobState.FAILED, JobState.CANCELLED)).count()
