"""A library's file on its way here from a browser: straight into MOVING_DIR, and no more of it than has room."""

import logging
import shutil
from tempfile import NamedTemporaryFile
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.datasets.uploads import MEBIBYTE, CappedTemporaryFile
from dashboard.messages import explain
from dashboard.moving import archive, files
from dashboard.templatetags.tuneboard import size as shown_size

logger = logging.getLogger(__name__)


def most_bytes() -> int:
    """The most that a file may have: what the settings say, and half of the free disk, for bringing it in takes as
    much once more.
    """
    return min(int(settings.LIBRARY_UPLOAD_LIMIT_MB * MEBIBYTE), shutil.disk_usage(files.folder()).free // 2)


class Part(TemporaryUploadedFile):
    """A file that is not whole yet, and gone when nobody gives it a name. ``broken``: it could not be written."""

    broken = False

    def __init__(self, *said: Any) -> None:
        file = NamedTemporaryFile(dir=files.folder(), prefix=".", suffix=files.PART)  # noqa: SIM115 - its closing is its end
        UploadedFile.__init__(self, file, *said)


class LibraryFile(CappedTemporaryFile):
    """Takes a library's file in."""

    file: Part

    def most(self) -> int:
        return most_bytes()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file.close()
        self.file = Part(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            logger.warning("a library's file could not be written: %s", error.strerror)
            self.file.broken, self.left = True, -1


class LibraryForm(forms.Form):
    """A file that looks like a library. What it holds is looked at when it is brought in."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("What “Export the library” wrote, here or elsewhere."),
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )

    def clean_file(self) -> Part:
        file: Part = self.cleaned_data["file"]
        if file.broken:
            raise _said(archive.ArchiveError("archive_unwritten"))
        if (file.size or 0) > (most := most_bytes()):
            sentence = gettext(
                "The file has %(size)s; at most %(most)s can be uploaded now. Larger ones are put into MOVING_DIR."
            )
            raise forms.ValidationError(sentence % {"size": shown_size(file.size or 0), "most": shown_size(most)})
        try:
            archive.glance(file.temporary_file_path())
        except archive.ArchiveError as error:
            raise _said(error) from None
        return file


def _said(error: archive.ArchiveError) -> forms.ValidationError:
    message = explain(error)
    return forms.ValidationError(f"{message.title}. {message.advice}")
