"""Names of tuned models and operations, made and checked as the recorded service did."""

import re
import secrets
import string
import unicodedata

from tuning.errors import InvalidRequest

ID_LENGTH = 40
SUFFIX_LENGTH = 12
BASE_36 = string.digits + string.ascii_lowercase

PERMISSION_ID = re.compile(r"[0-9]{21}|everyone")
TUNED_MODEL_ID = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def check_model_id(chosen: str) -> str:
    """``chosen`` if it may name a tuned model. Raises ``InvalidRequest``."""
    if not TUNED_MODEL_ID.fullmatch(chosen):
        raise InvalidRequest("bad_id", id=chosen[:80])
    return chosen


def model_id(display_name: str) -> str:
    """A name for a model nobody named: its display name's words and a random end, 40 characters at most.

    ``number generator`` becomes ``number-generator-wl1qr34x2pyk``, ``test_number_generator``
    ``testnumbergenerator-…``. Long names get a shorter end.
    """
    slug = _slug(display_name)[: ID_LENGTH - 9].strip("-") or "tuned-model"
    return f"{slug}-{_random(min(SUFFIX_LENGTH, ID_LENGTH - 1 - len(slug)))}"


def operation_id() -> str:
    return _random(SUFFIX_LENGTH)


def permission_id() -> str:
    """21 digits, as the service's."""
    return str(secrets.randbelow(9 * 10**20) + 10**20)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("_", "")
    return "-".join(re.findall(r"[a-z0-9]+", plain)).lstrip(string.digits + "-")


def _random(length: int) -> str:
    return "".join(secrets.choice(BASE_36) for _ in range(length))
