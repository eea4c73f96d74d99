"""What a job is called at a service that speaks the tuned-models API: its model, and the operation that makes it."""

import hashlib
import re
import string
import unicodedata

from tuning.errors import BadAnswer, NotFound
from tuning.providers.base import JobRef, JobSpec

ID_CHARACTERS = 40
KEY_CHARACTERS = 12
"""Of an id that stand for the job's key: 62 bits."""
BASE_36 = string.digits + string.ascii_lowercase
OPERATION = re.compile(r"tunedModels/[A-Za-z0-9-]+/operations/[A-Za-z0-9-]+", re.ASCII)
MODEL = re.compile(r"tunedModels/[A-Za-z0-9][\w.-]*", re.ASCII)
UNKNOWN = "unknown"
"""Stands for the operation of a job whose service tells of none any more."""


def tuned_model_id(spec: JobSpec) -> str:
    """The id under which ``spec`` is sent: words of its display name, and an end that its key decides."""
    plain = unicodedata.normalize("NFKD", spec.display_name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)).lstrip(string.digits + "-") or "tuned-model"
    number = int.from_bytes(hashlib.sha256(spec.key.encode()).digest())
    end = "".join(BASE_36[number // 36**place % 36] for place in range(KEY_CHARACTERS))
    return f"{slug[: ID_CHARACTERS - KEY_CHARACTERS - 1].rstrip('-')}-{end}"


def ref_of(operation: object) -> JobRef:
    """By which the job of ``operation``, a name, is found again. Raises ``BadAnswer`` where that is none."""
    if not isinstance(operation, str) or not OPERATION.fullmatch(operation):
        raise BadAnswer(detail="no operation's name")
    return JobRef(operation)


def model_name(ref: JobRef) -> str:
    """``tunedModels/ID``."""
    return ref.partition("/operations/")[0]


def model_id(model: str) -> str:
    """The ``ID`` of ``tunedModels/ID``. Raises ``NotFound`` for what can be no model's name."""
    if not MODEL.fullmatch(model):
        raise NotFound("tuned_model_missing")
    return model.removeprefix("tunedModels/")
