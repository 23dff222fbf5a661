"""Delimited text: how it is written is found out, and what does not fit is named with its line."""

import gzip
from pathlib import Path

import pytest

from lamina.data import Table, read
from lamina.ground import DataError

ROWS = [("7", "oak", "1.5"), ("8", "elm, tall", "2.5"), ("9", "é", "")]


def written(folder: Path, content: str | bytes, name: str = "trees.csv") -> Path:
    path = folder / name
    # A surrogate stands for a byte that is no UTF-8.
    path.write_bytes(content.encode(errors="surrogateescape") if isinstance(content, str) else content)
    return path


def cells(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell or "" for cell in row) for row in table.frame.rows()]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~", "\x01"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_separator_and_line_end_gives_the_same_cells(tmp_path, separator, newline):
    lines = [("age", "name", "size"), *[(age, f'"{name}"', size) for age, name, size in ROWS]]
    content = newline.join(separator.join(line) for line in lines) + newline
    table = read(written(tmp_path, content))
    assert table.columns == ["age", "name", "size"]
    assert cells(table) == ROWS
    assert set(map(str, table.frame.dtypes)) == {"String"}


@pytest.mark.parametrize(
    "encoding, said",
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("utf-32", None),
        ("latin-1", "not UTF-8 at line 4; read as Windows-1252, in which that character is 'é'"),
    ],
)
def test_any_encoding_is_read_and_a_guessed_one_is_said(tmp_path, encoding, said):
    content = "age,name,size\n" + "\n".join(f'{age},"{name}",{size}' for age, name, size in ROWS)
    table = read(written(tmp_path, content.encode(encoding)))
    assert table.columns == ["age", "name", "size"]
    assert cells(table) == ROWS
    assert (said is None and not table.notes) or said in " ".join(table.notes)


def test_quotes_hold_separators_line_breaks_and_doubled_quotes(tmp_path):
    table = read(written(tmp_path, 'n,text\n1,"a, b"\n2,"two\nlines"\n3,"a ""word"""\n'))
    assert table.frame["text"].to_list() == ["a, b", "two\nlines", 'a "word"']
    assert [table.where(row) for row in range(3)] == [f"trees.csv, line {line}" for line in (2, 3, 5)]


def test_empty_lines_are_no_rows_and_line_numbers_stay_true(tmp_path):
    table = read(written(tmp_path, "\na,b\n1,2\n\n\n3,4\r\n\r\n5,6\n\n"))
    assert cells(table) == [("1", "2"), ("3", "4"), ("5", "6")]
    assert [table.where(row).rpartition(" ")[2] for row in range(3)] == ["3", "6", "8"]


def test_a_gz_is_read_as_what_it_holds(tmp_path):
    path = written(tmp_path, gzip.compress(b"a,b\n1,x\n2,y\n"), "trees.csv.gz")
    assert cells(read(path)) == [("1", "x"), ("2", "y")]


@pytest.mark.parametrize(
    "content, names",
    [
        ("age,name\n1,a\n2,b\n", ["age", "name"]),
        ("1,a\n2,b\n", ["column_1", "column_2"]),
        ("name,kind\nann,x\nbob,y\n", ["name", "kind"]),
        ("ham,How are you?\nspam,Win now!\nham,Fine.\n", ["column_1", "column_2"]),
        ("country,2019,2020,2021\nPeru,1.5,1.6,1.7\n", ["country", "2019", "2020", "2021"]),
        (",0,1,2\n0,3.1,4.1,5.2\n1,1.1,2.1,3.2\n", ["column_1", "0", "1", "2"]),
        ("1,2,3\n2,3,4\n5,6,7\n", ["column_1", "column_2", "column_3"]),
        ("day,value\n2020-01-01,?\n2020-01-02,4\n", ["day", "value"]),
        ("2020-01-01,?\n2020-01-02,4\n", ["column_1", "column_2"]),
        ("price\n1\n2\n", ["price"]),
        ("1\x1f\x1f,2,3\nx,y,z\n", ["1", "2", "3"]),
        (f"{'9' * 5000},x,y\na,b,c\na,b,c\n", ["column_1", "column_2", "column_3"]),
        ("id,,size\n1,x,2\n2,y,3\n", ["id", "column_2", "size"]),
    ],
)
def test_the_first_line_is_a_header_only_if_it_reads_like_one(tmp_path, content, names):
    table = read(written(tmp_path, content))
    assert table.columns == names
    assert len(table) == content.count("\n") - (names[0] != "column_1" or "0" in names)
    assert ("no line of column names" in " ".join(table.notes)) == (names[:2] == ["column_1", "column_2"])


def test_stray_quotes_of_a_tab_separated_text_are_text(tmp_path):
    table = read(written(tmp_path, 'label\ttext\n1\t5" pipe\n0\t"so he said\n1\tok\n', "mails.tsv"))
    assert table.frame["text"].to_list() == ['5" pipe', '"so he said', "ok"]
    assert "quotation marks" in table.notes[0]


def test_numbers_set_apart_by_runs_of_blanks_are_columns(tmp_path):
    table = read(written(tmp_path, "  1   2.5  -3\n 10  3.5   4\n", "beats.txt"))
    assert cells(table) == [("1", "2.5", "-3"), ("10", "3.5", "4")]


@pytest.mark.parametrize(
    "content, words",
    [
        ("", ["empty", "column names"]),
        ("\n\n", ["empty"]),
        ("a,b,c\n", ["a, b, c", "no row"]),
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n9\n", ["line 3", "2 cells found, 3 expected", "'4,5'", "2 lines", "Fill in"]),
        ("a,b\n1,2\n3,x, y\n", ["line 3", "3 cells found, 2 expected", "'3,x, y'", "quotation marks"]),
        ('"a","b"\n"1","x"\n"2","y\n3,z\n', ["line 3", "never closed", "Close it"]),
        ('"a","b"\n"1","x"\n"2","y\n"3","z"\n"4","u"\n', ["line 3", "not closed", '"2","y', "doubled"]),
        ('a,b\n1,2\n1,x "y" z, and\n', ["line 3", "encloses no whole cell", "doubled"]),
        ("a,b\n1,2\n3,\x004\n", ["line 3", "NUL", "UTF-8"]),
        ("\ufeffa,b\n1,é\n2,\udce9\n", ["line 3", "says it is UTF-8", "several encodings"]),
        ("a,b,a\n1,2,3\n", ["line 1", "columns 1 and 3", "'a'", "Rename"]),
        ("a,*\n1,2\n", ["'*'", "several columns", "Rename"]),
        ("a,^b$\n1,2\n", ["'^b$'", "several columns", "Rename"]),
        ("x\x01,b\n1,2\n", ["cannot be read as a table"]),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line_and_a_remedy(tmp_path, content, words):
    with pytest.raises(DataError) as error:
        read(written(tmp_path, content))
    for word in ["trees.csv", *words]:
        assert word in str(error.value)


def test_plain_text_under_another_name_is_refused_and_a_damaged_gz_named(tmp_path):
    with pytest.raises(DataError, match=r"book.dat has no separator.*Name it .txt.*column `text`"):
        read(written(tmp_path, "Call me Ishmael.\nSome years ago, never mind\nhow long\n", "book.dat"))
    with pytest.raises(DataError, match=r"trees.csv.gz is a damaged .gz file.*again"):
        read(written(tmp_path, gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "trees.csv.gz"))


def test_a_record_longer_than_a_piece_of_the_survey_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.data._records.PIECE", 16)
    long = "x" * 100
    table = read(written(tmp_path, "".join(f'{row},"{long},\n{row}"\n' for row in range(1, 40)), "long.csv"))
    assert len(table) == 39 and table.frame[38, 1] == f"{long},\n39"
    assert table.where(38) == "long.csv, line 77"
