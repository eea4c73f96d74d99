"""How uploads arrive: into a temporary file, never into memory, and no more of them than may be."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

MEBIBYTE = 2**20
FORM_BYTES = MEBIBYTE
"""What the rest of a form, besides its file, may take of the request."""
DRAINED_BYTES = 2**31
"""A browser shows our answer only after it has sent its body, so a body too large is read and dropped; one
beyond this is cut off."""


def upload_limit() -> int:
    """The most bytes a file may have."""
    return int(settings.UPLOAD_LIMIT_MB * MEBIBYTE)


class CappedTemporaryFile(TemporaryFileUploadHandler):
    """Stores no more of a request than one file may have. What is incomplete has the request's size as its own."""

    def most(self) -> int:
        """The most bytes a file may have here."""
        return upload_limit()

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, Any]] | None:
        """Decide by the announced length alone, before a byte is stored."""
        self.sent = content_length
        most = self.most()
        self.left = most if content_length <= most + FORM_BYTES else 0
        return None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if not self.left and self.sent > DRAINED_BYTES:
            raise StopUpload(connection_reset=True)
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.left = max(self.left - len(raw_data), -1)
        if self.left >= 0:
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return super().file_complete(file_size if self.left >= 0 else self.sent)
