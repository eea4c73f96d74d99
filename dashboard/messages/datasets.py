"""What is wrong with a dataset's file, or with a row of it (codes: :mod:`tuning.datasets`)."""

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from dashboard.messages.wording import written
from tuning.errors import Problem

PROBLEMS = {
    "empty_file": _("The file is empty. Choose one that holds examples."),
    "no_examples": _("The file has no examples: below its header, or in its list, stands nothing."),
    "file_too_large": _("The file is larger than %(limit)s. Split it, or leave rows out."),
    "spreadsheet": _("This is a spreadsheet’s own format. Save it as CSV (UTF-8) there, and upload that."),
    "binary_file": _("This is no text file. Upload CSV, JSONL or JSON."),
    "not_utf8": _("The text is in another encoding than UTF-8. Save it as UTF-8 (in Excel: “CSV UTF-8”)."),
    "too_many_rows": _("There are more than %(limit)s rows. Split the file, or leave rows out."),
    "too_many_columns": _("There are more than %(limit)s columns. Keep the two that matter."),
    "row_too_long": _("A row is longer than %(limit)s characters. A quotation mark may be missing its partner."),
    "cell_too_long": _("A cell is longer than %(limit)s characters. A quotation mark may be missing its partner."),
    "bad_json": _("This is not JSON (line %(line)s, column %(column)s): %(reason)s."),
    "no_list": _("The document holds no list of examples. Write [{“text_input”: …, “output”: …}, …]."),
    "columns_unknown": _("No column names tell input from output (found: %(names)s). Name them text_input and output."),
    "column_not_found": _("There is no column “%(column)s” (found: %(names)s)."),
    "duplicate_header": _("The column “%(column)s” stands in the header twice. Rename one of them."),
    "too_few_columns": _("An example needs two columns, an input and an output. Found: %(names)s."),
    "empty_input": _("The input is empty. Fill it in, or remove the row."),
    "empty_output": _("The output is empty. Fill it in, or remove the row."),
    "input_too_long": _("The input has %(length)s characters; at most %(limit)s can be tuned with. Shorten it."),
    "output_too_long": _("The output has %(length)s characters; at most %(limit)s can be tuned with. Shorten it."),
    "nul_character": _("A text holds a NUL character. Remove it."),
    "lone_surrogate": _("A text holds half of a character (a lone surrogate escape). Remove or mend it."),
    "missing_column": _("The row lacks “%(column)s”."),
    "wrong_type": _("“%(column)s” is of the type %(found)s, not text. Put it in quotation marks."),
    "not_an_object": _("An example is written as an object; this is of the type %(found)s."),
    "too_many_cells": _("%(found)s cells where the header has %(expected)s. Put texts with commas in quotation marks."),
    "unbalanced_quotes": _("A quotation mark is opened and never closed."),
    "bad_quotes": _("A quotation mark stands within a text. Double it, and put the whole text in quotation marks."),
    "chat_system_turn": _("The chat has a system turn, for which a pair has no place. Put it into the user’s turn."),
    "chat_not_one_exchange": _("The chat has %(turns)s turns; exactly one question and one answer can be used."),
}


def explain_problem(problem: Problem) -> str:
    """The sentence for what is wrong with a dataset's file or one of its rows, the row's number apart."""
    template = PROBLEMS.get(problem.code)
    if template is None:
        return f"{problem.code} {problem.params}" if problem.params else problem.code
    params = {name: written(value) for name, value in problem.params.items()}
    if problem.code == "file_too_large":
        params["limit"] = filesizeformat(str(problem.params["limit"]))
    return str(template) % params
