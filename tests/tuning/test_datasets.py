"""Datasets: what loads, exactly as it was written, and what is refused, with the row that is wrong."""

import csv
import hashlib
import io
import json
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning import datasets
from tuning.datasets import Columns, Limits
from tuning.errors import DatasetError, Problem
from tuning.resources import Example

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: not text.isspace()
)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=20)
NAMES = st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.txt", "a", "a.xlsx"])


def parse(data: bytes, name: str = "pairs.csv", *args, **kwargs) -> datasets.Parsed:
    return datasets.parse(io.BytesIO(data), name, *args, **kwargs)


def pairs_of(parsed: datasets.Parsed) -> list[tuple[str, str]]:
    return [(example.text_input, example.output) for example in parsed.examples]


def problems_of(data: bytes, name: str = "pairs.csv", *args, **kwargs) -> list[Problem]:
    with pytest.raises(DatasetError) as caught:
        parse(data, name, *args, **kwargs)
    return caught.value.problems


def problem_of(data: bytes, name: str = "pairs.csv", *args, **kwargs) -> Problem:
    (problem,) = problems_of(data, name, *args, **kwargs)
    return problem


def csv_of(rows, delimiter: str, end: str) -> str:
    text = io.StringIO()
    # Of a lone carriage return the writer thinks only where it ends its own lines so.
    quoting = csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


# What loads


@given(PAIRS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\r\n", "\n"]))
def test_a_csv_gives_the_pairs_that_were_written(pairs, delimiter, end):
    text = csv_of([("text_input", "output"), *pairs], delimiter, end)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert pairs_of(parse(text.encode(encoding))) == pairs


@given(PAIRS, st.booleans())
def test_jsonl_gives_the_pairs_that_were_written(pairs, ascii_only):
    lines = [json.dumps({"text_input": one, "output": other}, ensure_ascii=ascii_only) for one, other in pairs]
    assert pairs_of(parse("\n".join(lines).encode(), "a.jsonl")) == pairs


@given(PAIRS, st.booleans(), st.sampled_from([None, 2]))
def test_a_json_list_gives_the_pairs_that_were_written(pairs, ascii_only, indent):
    rows = [{"textInput": one, "output": other} for one, other in pairs]
    assert pairs_of(parse(json.dumps(rows, ensure_ascii=ascii_only, indent=indent).encode(), "a.json")) == pairs


@given(PAIRS)
def test_a_chat_of_one_question_and_one_answer_is_a_pair(pairs):
    turns = [[{"role": "user", "content": one}, {"role": "assistant", "content": other}] for one, other in pairs]
    lines = [json.dumps({"messages": messages}) for messages in turns]
    assert pairs_of(parse("\n".join(lines).encode(), "a.jsonl")) == pairs


@given(PAIRS)
def test_a_written_dataset_reads_back_the_same(tmp_path_factory, pairs):
    parsed = datasets.from_examples(Example(text_input=one, output=other) for one, other in pairs)
    path = tmp_path_factory.mktemp("written") / "stored.jsonl"
    address = parsed.write_jsonl(path)
    again = parse(path.read_bytes(), "stored.jsonl")
    assert datasets.read_jsonl(path) == list(parsed.examples) == list(again.examples)
    assert address == parsed.sha256 == again.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert parsed.size == path.stat().st_size


@pytest.mark.parametrize(
    "line",
    [
        {"text_input": "a", "output": "b"},
        {"textInput": "a", "output": "b"},
        {"input": "a", "output": "b"},
        {"prompt": "a", "completion": "b"},
        {"Question": "a", "Answer": "b", "id": 7},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "a"}]},
                {"role": "assistant", "content": "b"},
            ]
        },
        {"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]},
    ],
)
def test_each_known_spelling_is_understood(line):
    assert pairs_of(parse(json.dumps(line).encode(), "a.jsonl")) == [("a", "b")]
    assert pairs_of(parse(json.dumps([line]).encode(), "a.json")) == [("a", "b")]


def test_the_tutorials_request_body_is_a_dataset():
    body = b"""{"display_name": "numbers, [and] more", "base_model": "models/gemini-1.5-flash-001-tuning",
      "tuning_task": {"hyperparameters": {"batch_size": 2, "learning_rate": 0.001, "epoch_count":5,},
        "training_data": {"examples": {"examples": [
          {"text_input": "1", "output": "2",},{"text_input": "10,]", "output": "-2", } ]}}}}"""
    assert pairs_of(parse(body, "request.json")) == [("1", "2"), ("10,]", "-2")]


def test_rows_may_be_spelled_differently_in_one_file():
    data = b'{"prompt": "a", "completion": "b"}\n{"text_input": "c", "output": "d"}\n'
    assert pairs_of(parse(data, "a.jsonl")) == [("a", "b"), ("c", "d")]


def test_texts_are_kept_exactly():
    data = b'text_input,output\n-3, x \n"two\r\nlines","a ""word"""\n=1+1,"1,000"\n'
    assert pairs_of(parse(data)) == [("-3", " x "), ("two\r\nlines", 'a "word"'), ("=1+1", "1,000")]


def test_blank_lines_are_passed_over_and_counted_as_rows():
    assert pairs_of(parse(b"\ntext_input,output\n\na,b\n,,,\n")) == [("a", "b")]
    assert problem_of(b"text_input,output\n\na,\n") == Problem("empty_output", 2)


def test_json_lines_in_a_json_file_are_understood():
    assert pairs_of(parse(b'{"input": "a", "output": "b"}\n{"input": "c", "output": "d"}', "a.json"))[1] == ("c", "d")


def test_chats_line_by_line_in_a_json_file_are_understood():
    line = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    assert pairs_of(parse(line * 2, "a.json")) == [("a", "b")] * 2


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"input,output\n" + b"a,b\n" * 9, "a.csv"), (b'{"input": "a", "output": "b"}\n' * 9, "a.jsonl")],
)
def test_many_rows_may_be_longer_than_any_one_may_be(data, name):
    assert parse(data, name, limits=Limits(row_characters=31)).count == 9


def test_a_file_without_an_ending_is_known_by_what_it_holds():
    assert pairs_of(parse(b' [{"input": "a", "output": "b"}]', "data")) == [("a", "b")]
    assert pairs_of(parse(b'{"input": "a", "output": "b"}', "data")) == [("a", "b")]
    assert pairs_of(parse(b"input\toutput\na\tb\n", "data.txt")) == [("a", "b")]


def test_a_long_object_is_read_whole():
    long = {"text_input": "é" * 40_000, "output": "o" * 5_000}
    for text in (json.dumps([long, long]), json.dumps([long], ensure_ascii=False)):
        assert set(pairs_of(parse(text.encode(), "a.json"))) == {(long["text_input"], long["output"])}


def test_the_facts_of_a_dataset_are_counted():
    parsed = parse(b"text_input,output\na,bbb\na,bbb\naaaa,b\n")
    assert parsed.count == 3
    assert parsed.facts == datasets.Facts(datasets.Lengths(2.0, 4), datasets.Lengths(7 / 3, 3), duplicates=1)
    assert parsed.columns == Columns("text_input", "output")


def test_a_page_of_a_stored_dataset_can_be_read(tmp_path):
    path = tmp_path / "stored.jsonl"
    datasets.from_examples(Example(text_input=f"q{n}", output="a") for n in range(10)).write_jsonl(path)
    assert [example.text_input for example in datasets.read_jsonl(path, 8, 5)] == ["q8", "q9"]


def test_writing_leaves_nothing_else_behind(tmp_path):
    parsed = parse(b"text_input,output\na,b\n")
    parsed.write_jsonl(tmp_path / "new" / "stored.jsonl")
    parsed.write_jsonl(tmp_path / "new" / "stored.jsonl")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["stored.jsonl"]


# Columns


def test_columns_are_guessed_from_their_names_and_shown_with_the_first_rows():
    header = datasets.columns_of(io.BytesIO(b"id,Question,Answer\n1,a,b\n2,c\n"), "a.csv")
    assert header == datasets.Header(
        ("id", "Question", "Answer"), Columns("Question", "Answer"), (("1", "a", "b"), ("2", "c", ""))
    )


def test_two_columns_are_guessed_from_their_order():
    assert datasets.columns_of(io.BytesIO(b"de;pl\na;b\n"), "a.csv").guess == Columns("de", "pl")


def test_columns_that_tell_nothing_are_not_guessed():
    assert datasets.columns_of(io.BytesIO(b"x,y,z\n1,2,3\n"), "a.csv").guess is None


def test_the_columns_of_a_json_file_are_its_names():
    data = b'{"de": "a", "pl": "b"}\n{"de": "c", "pl": "d"}\n'
    assert datasets.columns_of(io.BytesIO(data), "a.jsonl") == datasets.Header(
        ("de", "pl"), Columns("de", "pl"), (("a", "b"), ("c", "d"))
    )


def test_chosen_columns_are_read_whatever_their_names():
    chosen = Columns("to", "from")
    assert pairs_of(parse(b"from,to,output\na,b,c\n", "a.csv", chosen)) == [("b", "a")]
    assert pairs_of(parse(b'[{"from": "a", "to": "b"}]', "a.json", chosen)) == [("b", "a")]


def test_a_choice_holds_for_every_row():
    data = b'{"from": "a", "to": "b"}\n{"input": "c", "output": "d"}\n'
    assert problem_of(data, "a.jsonl", Columns("from", "to")) == Problem("missing_column", 2, {"column": "from"})


def test_unknown_columns_ask_for_a_choice():
    assert problem_of(b"x,y\na,b\n") == Problem("columns_unknown", None, {"names": ["x", "y"]})
    assert problem_of(b'{"x": 1}\n{"x": 2}\n', "a.jsonl") == Problem("columns_unknown", None, {"names": ["x"]})


def test_a_chosen_column_has_to_be_there_once():
    assert problem_of(b"x,y\na,b\n", "a.csv", Columns("x", "z")).code == "column_not_found"
    assert problem_of(b"x,y,y\na,b,c\n", "a.csv", Columns("x", "y")) == Problem(
        "duplicate_header", None, {"column": "y"}
    )


def test_columns_of_no_concern_may_repeat_or_have_no_name():
    assert pairs_of(parse(b"input,output,,,note,note\na,b,,,c,d\n")) == [("a", "b")]


# What is refused


def workbook() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "empty_file"),
        (b" \n\n ", "a.csv", "empty_file"),
        (b"\xef\xbb\xbf", "a.csv", "empty_file"),
        (b"text_input,output\n", "a.csv", "no_examples"),
        (b"[]", "a.json", "no_examples"),
        (b'{"examples": []}', "a.json", "no_examples"),
        (b"text_input,output\na\0,b\n", "a.csv", "binary_file"),
        (b"text_input,output\n" + b"a,b\n" * 50_000 + b"\0", "a.csv", "binary_file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.csv", "binary_file"),
        (b"PK\x03\x04something", "a.zip", "binary_file"),
        (workbook(), "a.xlsx", "spreadsheet"),
        (workbook(), "a.csv", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "spreadsheet"),
        ("text_input,output\nGröße,b\n".encode("latin-1"), "a.csv", "not_utf8"),
        ("text_input,output\na,b\n".encode("utf-32"), "a.csv", "not_utf8"),
        ("text_input,output\na,b\n".encode("utf-16")[:-1], "a.csv", "not_utf8"),
        ('[{"input": "ö", "output": "b"}]'.encode("latin-1"), "a.json", "not_utf8"),
        ('{"input": "ö", "output": "b"}'.encode("latin-1"), "a.jsonl", "not_utf8"),
        (b'{"a": 1}', "a.json", "no_list"),
        (b'{"a": ' * 20_000 + b"[]", "a.json", "no_list"),
        (b"[" * 100_000, "a.json", "bad_json"),
        (b"[1" + b"0" * 5000 + b"]", "a.json", "bad_json"),
        (b"{" + b'"a": {' * 100_000, "a.jsonl", "bad_json"),
        (b"not json", "a.json", "bad_json"),
    ],
)
def test_what_is_no_dataset_is_refused_with_its_reason(data, name, code):
    assert problem_of(data, name).code == code


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b",b", Problem("empty_input", 2)),
        (b"a, ", Problem("empty_output", 2)),
        (b"a", Problem("missing_column", 2, {"column": "output"})),
        (b"1,000,1,001", Problem("too_many_cells", 2, {"found": 4, "expected": 2})),
        (b"a" * 40_001 + b",b", Problem("input_too_long", 2, {"length": 40_001, "limit": 40_000})),
        (b"a," + b"b" * 5_001, Problem("output_too_long", 2, {"length": 5_001, "limit": 5_000})),
        (b'"a" b,c', Problem("bad_quotes", 2)),
    ],
)
def test_a_wrong_csv_row_is_named_and_the_rest_is_read(row, problem):
    problems = problems_of(b"text_input,output\na,b\n" + row + b"\nc,d\n,\ne,\n")
    assert problems == [problem, Problem("empty_output", 5)]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1", Problem("not_an_object", 2, {"found": "number"})),
        ("null", Problem("not_an_object", 2, {"found": "null"})),
        ('{"text_input": "a"}', Problem("missing_column", 2, {"column": "output"})),
        ('{"text_input": 1, "output": "b"}', Problem("wrong_type", 2, {"column": "text_input", "found": "number"})),
        ('{"text_input": "a", "output": null}', Problem("wrong_type", 2, {"column": "output", "found": "null"})),
        ('{"text_input": "a\\u0000", "output": "b"}', Problem("nul_character", 2)),
        (
            '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]}',
            Problem("chat_system_turn", 2),
        ),
        (
            '{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "a"}, 3]}',
            Problem("chat_not_one_exchange", 2, {"turns": 3}),
        ),
        (
            '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"image": 1}]}]}',
            Problem("wrong_type", 2, {"column": "assistant", "found": "list"}),
        ),
    ],
)
def test_a_wrong_json_row_is_named_and_the_rest_is_read(value, problem):
    good, empty = '{"text_input": "a", "output": "b"}', '{"text_input": "a", "output": ""}'
    expected = [problem, Problem("empty_output", 3)]
    assert problems_of("\n".join([good, value, empty]).encode(), "a.jsonl") == expected
    assert problems_of(f"[{good}, {value}, {empty}]".encode(), "a.json") == expected


def test_bad_json_lines_are_named_with_their_column():
    problems = problems_of(b'{"input": "a", "output": "b"}\n{"input": oops}\n\n{"input"\n', "a.jsonl")
    assert [(p.code, p.row, p.params["line"], p.params["column"]) for p in problems] == [
        ("bad_json", 2, 2, 11),
        ("bad_json", 4, 4, 9),
    ]


def test_bad_json_in_a_document_is_named_with_row_line_and_column():
    problem = problem_of(b'[{"input": "a", "output": "b"},\n {"a": [1,], "input": oops}]', "a.json")
    assert (problem.code, problem.row, problem.params["line"], problem.params["column"]) == ("bad_json", 2, 2, 23)


@pytest.mark.parametrize("filler", [10, 100_000, 2_000_000])
def test_bad_json_is_told_from_a_long_row(filler):
    head, tail = b'[{"input": "a", "output": "b"}, {"input": oops},', b'{"input": "a", "output": "b"},' * (filler // 30)
    assert problem_of(head + tail + b"]", "a.json").code == "bad_json"


def test_half_a_surrogate_pair_is_refused():
    assert problem_of(b'[{"input": "\\ud800", "output": "b"}]', "a.json") == Problem("lone_surrogate", 1)
    assert problem_of(b'{"input": "\\ud800", "output": "b"}', "a.jsonl").code == "bad_json"


def test_text_after_a_list_is_refused():
    assert problem_of(b'[{"input": "a", "output": "b"}] and more', "a.json").code == "bad_json"


def test_a_list_cut_off_is_refused():
    assert problem_of(b'[{"input": "a", "output": "b"}', "a.json").code == "bad_json"


def test_an_open_quotation_mark_is_named_where_it_opens():
    assert problem_of(b'text_input,output\na,b\n"c,d\ne,f\n') == Problem("unbalanced_quotes", 2)
    long = problem_of(b'text_input,output\na,b\n"c,d\n' + b"e,f\n" * 50_000)
    assert (long.code, long.row) == ("unbalanced_quotes", 2)


def test_a_cell_beyond_all_measure_is_refused():
    problem = problem_of(b"text_input,output\na,b\n" + b"c" * 200_000 + b",d\n")
    assert (problem.code, problem.row) == ("cell_too_long", 2)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"text_input,output\n" + b"a" * 2_000_000, "a.csv"),
        (b'text_input,output\n"' + b'a\n","' * 500_000, "a.csv"),
        (b'{"text_input": "' + b"a" * 2_000_000, "a.jsonl"),
        (b'[{"text_input": "' + b"a" * 2_000_000, "a.json"),
        (b"[[" + b"1," * 1_000_000, "a.json"),
    ],
)
def test_a_row_beyond_all_measure_is_refused(data, name):
    assert problem_of(data, name).code == "row_too_long"


def test_ten_million_columns_are_refused():
    assert problem_of(b"," * 10_000_000) == Problem("too_many_columns", None, {"limit": 1000})
    assert problem_of(b",".join(b"%d" % n for n in range(1001)) + b"\n").code == "too_many_columns"


class Endless(io.RawIOBase):
    """A gigabyte of rows, of which is remembered how much was asked for."""

    taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = (b"a,b\n" * (len(buffer) // 4 + 1))[: len(buffer)]
        self.taken += len(buffer)
        return len(buffer) if self.taken < 2**30 else 0


def test_a_gigabyte_is_refused_before_it_is_read():
    file, limits = Endless(), Limits(file_bytes=2**20, rows=10**9)
    with pytest.raises(DatasetError, match="file_too_large"):
        datasets.parse(file, "a.csv", Columns("a", "b"), limits)
    assert file.taken < 2**21


def test_a_file_that_knows_its_size_is_refused_unread(tmp_path):
    path = tmp_path / "large.csv"
    path.write_bytes(b"text_input,output\na,b\n")
    with path.open("rb") as file:
        with pytest.raises(DatasetError) as caught:
            datasets.parse(file, "large.csv", limits=Limits(file_bytes=10))
        assert caught.value.problems == [Problem("file_too_large", None, {"limit": 10})]
        assert file.tell() == 0


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"text_input,output\n" + b"a,b\n" * 4, "a.csv"),
        (b'{"input": "a", "output": "b"}\n' * 4, "a.jsonl"),
        (b"[" + b'{"input": "a", "output": "b"},' * 4 + b"]", "a.json"),
        (b"text_input,output\na,b\n" + b"\n" * 4, "a.csv"),
    ],
)
def test_a_row_too_many_is_refused(data, name):
    assert problem_of(data, name, limits=Limits(rows=3)) == Problem("too_many_rows", None, {"limit": 3})


def test_the_first_hundred_problems_are_kept_and_all_are_counted():
    with pytest.raises(DatasetError) as caught:
        parse(b"text_input,output\n" + b"a,\n" * 250)
    assert [problem.row for problem in caught.value.problems] == list(range(1, 101))
    assert caught.value.count == 250


def test_examples_of_a_request_are_held_to_the_same_rules():
    with pytest.raises(DatasetError) as caught:
        datasets.from_examples([Example(text_input="a", output="b"), Example(text_input="a")])
    assert caught.value.problems == [Problem("empty_output", 2)]
    with pytest.raises(DatasetError, match="no_examples"):
        datasets.from_examples([])


MORSELS = r""" " , ; { } [ ] : \ \u \ud800 1 ä text_input output "messages": "role":"user" """
RAW = [b"\t", b"\n", b"\r", b" ", b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04"]
BYTES = st.binary(max_size=300) | st.lists(st.sampled_from([*map(str.encode, MORSELS.split()), *RAW]), max_size=40).map(
    b"".join
)


@given(BYTES, NAMES, st.none() | st.just(Columns("text_input", "output")))
def test_no_bytes_whatsoever_give_anything_but_a_dataset_or_its_error(data, name, columns):
    limits = Limits(rows=20, row_characters=100)
    reads = (datasets.parse, (columns, limits)), (datasets.columns_of, (limits,))
    for read, rest in reads:
        try:
            found = read(io.BytesIO(data), name, *rest)
        except DatasetError as error:
            found = error.problems
        assert repr(found).encode()


def test_json_of_trailing_commas_is_read_in_little_memory():
    data = b"[" + b'["",],' * 100_000 + b'{"text_input": "1", "output": "2",},]'
    tracemalloc.start()
    with pytest.raises(DatasetError):
        parse(data, "pairs.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(data)


@given(st.text(' \n"\\,[]{}:a1', max_size=60))
def test_trailing_commas_read_as_if_they_were_not_there(text):
    with_comma, without = (
        f'[{{"text_input": {json.dumps(text)}, "output": "2",}},]',
        [{"text_input": text, "output": "2"}],
    )
    assert outcome(with_comma.encode()) == outcome(json.dumps(without).encode())


def outcome(data: bytes):
    try:
        return pairs_of(parse(data, "pairs.json"))
    except DatasetError as error:
        return error.problems


def test_cells_nested_too_deep_are_named_by_their_type():
    line = b'{"a": ' + b"[" * 900 + b"]" * 900 + b', "b": "x"}\n'
    header = datasets.columns_of(io.BytesIO(line), "rows.jsonl")
    assert header.rows == (("list", "x"),)
