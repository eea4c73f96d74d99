"""What comes into the datasets room: files, choices of columns, names."""

from pathlib import PurePath
from typing import Any, BinaryIO, cast

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dashboard.datasets.models import NAME_LENGTH, Dataset, Upload
from dashboard.datasets.uploads import upload_limit
from dashboard.messages import explain_problem
from dashboard.templatetags.tuneboard import size as shown_size
from tuning.datasets import Columns, Header, Limits, Parsed, columns_of, parse
from tuning.errors import DatasetError, Problem

ACCEPTED = ".csv,.tsv,.jsonl,.ndjson,.json,text/csv,application/json"


def limits() -> Limits:
    """What may be uploaded here."""
    return Limits(file_bytes=upload_limit())


class ReadingForm(forms.Form):
    """A form that reads a file: ``parsed`` holds its examples, or ``refusal`` what is wrong with them."""

    parsed: Parsed | None = None
    refusal: DatasetError | None = None

    def read(self, file: BinaryIO, name: str, columns: Columns | None = None) -> None:
        self.parsed = parse(file, name, columns, limits())

    def refuse(self, field: str, error: DatasetError) -> None:
        """Say in one sentence what is wrong, where the list of problems has more."""
        self.refusal = error
        self.add_error(field, summary(error))


class FileForm(ReadingForm):
    """A file of examples. Valid without ``parsed``: its columns are to be chosen first."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV with a header row, JSONL or JSON, as UTF-8."),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty. Choose one that holds examples."),
        },
    )
    choose = forms.BooleanField(
        label=_("Let me choose the columns"),
        required=False,
        help_text=_("Asked anyway where their names do not tell the input from the output."),
    )

    def clean(self) -> dict[str, Any]:
        upload = self.cleaned_data.get("file")
        if upload and upload.size > upload_limit():
            self.add_error("file", too_large(upload.size))
        elif upload:
            self._take(cast(BinaryIO, upload.file), str(upload.name))
        return self.cleaned_data

    def _take(self, file: BinaryIO, name: str) -> None:
        try:
            if self.cleaned_data["choose"]:
                header(file, name)
            else:
                self.read(file, name)
        except DatasetError as error:
            if error.code != "columns_unknown" or not has_choice(file, name):
                self.refuse("file", error)


class NewDatasetForm(FileForm):
    """A first file, and what the dataset is to be called."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, required=False, help_text=_("The file’s name where you give none.")
    )
    field_order = ("file", "name", "choose")

    def clean_name(self) -> str:
        upload = self.files.get("file")
        return self.cleaned_data["name"] or name_from(str(upload.name) if upload else "")


class ColumnsForm(ReadingForm):
    """Which column is the input and which the output, of those in ``header``."""

    text_input = forms.TypedChoiceField(label=_("Input: what is asked"), coerce=int)
    output = forms.TypedChoiceField(label=_("Output: the answer to learn"), coerce=int)

    def __init__(self, upload: Upload, header: Header, data: Any = None) -> None:
        places = {name: place for place, name in enumerate(header.names)}
        guess = header.guess
        initial = {"text_input": places[guess.text_input], "output": places[guess.output]} if guess else {}
        super().__init__(data, initial=initial)
        self.upload, self.header = upload, header
        choices: list[tuple[int | str, str]] = [] if guess else [("", gettext("Choose a column"))]
        choices += [(place, name[:80]) for name, place in places.items()]
        cast(forms.ChoiceField, self.fields["text_input"]).choices = choices
        cast(forms.ChoiceField, self.fields["output"]).choices = choices

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if len(chosen) == 2 and chosen["text_input"] == chosen["output"]:
            self.add_error("output", gettext("Choose another column than for the input."))
        elif len(chosen) == 2:
            self._take(Columns(self.header.names[chosen["text_input"]], self.header.names[chosen["output"]]))
        return chosen

    def _take(self, columns: Columns) -> None:
        try:
            with self.upload.path.open("rb") as file:
                self.read(file, self.upload.file_name, columns)
        except DatasetError as error:
            self.refuse("output", error)


class RenameForm(forms.ModelForm[Dataset]):
    class Meta:
        model = Dataset
        fields = ("name",)


def header(file: BinaryIO, name: str) -> Header:
    """The columns to choose from. Raises ``DatasetError``, also where there are fewer than two."""
    file.seek(0)
    found = columns_of(file, name, limits())
    if len(found.names) < 2:
        raise DatasetError([Problem("too_few_columns", None, {"names": list(found.names)})])
    return found


def has_choice(file: BinaryIO, name: str) -> bool:
    """Whether there are columns to choose from."""
    try:
        return bool(header(file, name))
    except DatasetError:
        return False


def name_from(file_name: str) -> str:
    """What to call a dataset that comes from a file of this name."""
    stem = "".join(letter for letter in PurePath(file_name).stem if letter.isprintable()).strip()
    return stem[:NAME_LENGTH] or gettext("Dataset")


def too_large(size: int) -> str:
    """Why a file of ``size`` bytes was not taken."""
    return gettext("The file has %(size)s; at most %(limit)s can be uploaded. Split it, or leave rows out.") % {
        "size": shown_size(size),
        "limit": shown_size(upload_limit()),
    }


def summary(error: DatasetError) -> str:
    """What is wrong with a file, in one sentence."""
    first = error.problems[0]
    if error.count == 1 and first.row is None:
        return explain_problem(first)
    text = ngettext(
        "%(count)s row cannot be used; it is named below. Nothing was kept.",
        "%(count)s problems were found; they are listed below. Nothing was kept.",
        error.count,
    )
    return text % {"count": f"{error.count:,}"}
