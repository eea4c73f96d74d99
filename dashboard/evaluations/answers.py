"""Answers beside what was expected: a page of them, and a file."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson
from django.core.paginator import Page, Paginator
from django.db.models import Q, TextChoices
from django.http import StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.audit.files import FORMULA
from dashboard.datasets.models import Dataset
from dashboard.evaluations.models import Answer, Evaluation
from dashboard.evaluations.scoring import differences
from dashboard.messages import FINISH_REASONS, Message, explain
from tuning import datasets
from tuning.datasets import Example
from tuning.errors import ServiceError

A_PAGE = 50
COLUMNS = ("row", "prompt", "expected", "answer", "as_expected", "nearly", "similarity", "seconds", "finish", "problem")
BLANKS = " \t\r\n"
"""What spreadsheets pass over before they look for a formula."""


class Only(TextChoices):
    """Which answers are shown."""

    ALL = "", _("All")
    WRONG = "wrong", _("Not as expected")
    NEARLY = "nearly", _("But for case and punctuation")
    FAILED = "failed", _("Not answered")


WHICH = {
    Only.ALL: Q(),
    Only.WRONG: Q(exact=False, problem=""),
    Only.NEARLY: Q(exact=False, normalised=True),
    Only.FAILED: ~Q(problem=""),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An answer and its example."""

    answer: Answer
    example: Example

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The answer's text, and where it differs from what was expected."""
        whole = [(self.answer.text, False)]
        return whole if self.answer.exact else differences(self.example.output, self.answer.text)

    @property
    def problem(self) -> Message | None:
        return explain(ServiceError(self.answer.problem)) if self.answer.problem else None

    @property
    def cut(self) -> str:
        """How the answer ended, in words, where the model did not end it itself."""
        reason = self.answer.finish_reason
        return "" if reason in {"", "STOP"} else str(FINISH_REASONS.get(reason, reason))


def may_see(evaluation: Evaluation, user: User) -> bool:
    """Whether the examples, and so the answers, are ``user``'s to see."""
    version = evaluation.dataset_version
    return version is not None and Dataset.objects.visible_to(user).filter(pk=version.dataset_id).exists()


def chosen(said: str) -> Only:
    """Which answers an address asks for; all, where it asks for none that there are."""
    return Only(said) if said in Only.values else Only.ALL


def page_of(evaluation: Evaluation, only: Only, number: str | None) -> tuple[Page[Answer], list[Line]]:
    """A page of the answers that ``only`` names, in the order of their rows."""
    page = Paginator(evaluation.answers.filter(WHICH[only]), A_PAGE).get_page(number)
    return page, lines(evaluation, list(page.object_list))


def lines(evaluation: Evaluation, answers: Iterable[Answer]) -> list[Line]:
    """``answers`` with the examples that they answer."""
    version = evaluation.dataset_version
    by_row = {answer.row: answer for answer in answers}
    examples = datasets.read_rows(version.path, by_row) if version else {}
    return [Line(answer, examples[row]) for row, answer in by_row.items() if row in examples]


def as_csv(evaluation: Evaluation) -> StreamingHttpResponse:
    """A header and a line for each answer. A cell that a spreadsheet would compute has an apostrophe before it."""
    return _file(evaluation, "csv", "text/csv; charset=utf-8", _csv(evaluation))


def as_jsonl(evaluation: Evaluation) -> StreamingHttpResponse:
    """An object a line, with the names of :data:`COLUMNS`."""
    rows = (orjson.dumps(said) + b"\n" for said in _said(evaluation))
    return _file(evaluation, "jsonl", "application/jsonl; charset=utf-8", rows)


def _csv(evaluation: Evaluation) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield str(writer.writerow(COLUMNS))
    for said in _said(evaluation):
        yield str(writer.writerow(_cell(said[name]) for name in COLUMNS))


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.lstrip(BLANKS).startswith(FORMULA) or value.startswith(FORMULA) else value


def _said(evaluation: Evaluation) -> Iterator[dict[str, object]]:
    for line in lines(evaluation, evaluation.answers.all()):
        answer, example = line.answer, line.example
        failed = bool(answer.problem)
        yield {
            "row": answer.row,
            "prompt": example.text_input,
            "expected": example.output,
            "answer": None if failed else answer.text,
            "as_expected": None if failed else answer.exact,
            "nearly": None if failed else answer.normalised,
            "similarity": answer.similarity,
            "seconds": round(answer.seconds, 3),
            "finish": answer.finish_reason,
            "problem": answer.problem,
        }


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _file(
    evaluation: Evaluation, suffix: str, content_type: str, pieces: Iterator[str] | Iterator[bytes]
) -> StreamingHttpResponse:
    name = slugify(evaluation.model.display_name) or f"model-{evaluation.model_id}"
    headers = {"Content-Disposition": f'attachment; filename="{name}-evaluation-{evaluation.pk}.{suffix}"'}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)
