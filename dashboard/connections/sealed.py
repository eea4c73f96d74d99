"""Secrets in the database, encrypted at rest."""

from typing import Any

from cryptography.fernet import InvalidToken
from encrypted_fields.fields import EncryptedTextField


class SealedField(EncryptedTextField):  # type: ignore[misc] # the package has no types
    """A secret, encrypted under SECRET_KEY; what an earlier key sealed opens by SECRET_KEY_FALLBACKS. What no key opens
    is as if it were not there, and is never taken for the secret itself. In no form.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "default": "", "blank": True, "editable": False})

    def get_prep_value(self, value: Any) -> str:
        return str(super().get_prep_value(value) or "")

    def from_db_value(self, value: str | None, *_context: Any) -> str:
        try:
            return str(self.f.decrypt((value or "").encode()).decode())
        except InvalidToken:
            return ""

    def to_python(self, value: Any) -> Any:
        return value
