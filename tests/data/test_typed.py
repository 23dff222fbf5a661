"""Files whose cells have types keep them."""

import datetime
import gzip
import io
import sqlite3
import sys

import polars as pl
import pytest
from PIL import Image

from lamina.data import decode, read
from lamina.ground import DataError, MachineError

FRAME = pl.DataFrame(
    {
        "n": [1, None, 3],
        "x": [0.5, 1.5, None],
        "s": ["a", None, "c"],
        "d": [datetime.date(2020, 1, day) for day in (1, 2, 3)],
        "b": [True, False, None],
    }
)


@pytest.mark.parametrize(
    "name, write",
    [
        ("a.parquet", lambda path: FRAME.write_parquet(path)),
        ("a.feather", lambda path: FRAME.write_ipc(path)),
        ("a.arrow", lambda path: FRAME.write_ipc_stream(path)),
    ],
)
def test_typed_files_keep_their_types(tmp_path, name, write):
    write(tmp_path / name)
    assert read(tmp_path / name).frame.equals(FRAME)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert read(tmp_path / f"{name}.gz").frame.equals(FRAME)


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.jsonl", '{"n": 1, "s": "x"}\n\n{"n": 2.5, "s": null}\n'),
        ("a.json", '[{"n": 1, "s": "x"}, {"n": 2.5}]'),
    ],
)
def test_json_lines_and_a_json_list(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert read(tmp_path / name).frame.rows() == [(1.0, "x"), (2.5, None)]


@pytest.mark.parametrize(
    "content, words",
    [
        ("", ["is empty"]),
        ('{"a": 1}\n{"a": \n', ["line 2", "column", "one whole JSON object"]),
        ('{"a": 1}\n[1, 2]\n', ["line 2", "[1, 2]", "no JSON object"]),
        ('{"a": 1}\n\n{"a": {"b": 2}}\n', ["line 3", "'a' is a list or object", "a number in line 1"]),
    ],
)
def test_a_bad_line_of_json_is_named(tmp_path, content, words):
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(DataError) as error:
        read(tmp_path / "a.jsonl")
    for word in ["a.jsonl", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.xlsx", "a.sqlite"])
def test_a_damaged_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DataError, match=rf"{name} is not a sound"):
        read(tmp_path / name)


def panics(content: bytes) -> bool:
    try:
        pl.read_ipc(io.BytesIO(content))
    except pl.exceptions.PanicException:
        return True
    except (pl.exceptions.PolarsError, OSError):
        return False
    return False


def test_what_a_decoder_prints_while_it_fails_is_not_shown(tmp_path, capfd):
    FRAME.write_ipc(tmp_path / "a.arrow")
    data = (tmp_path / "a.arrow").read_bytes()
    bent = (data[:place] + b"\x7f" + data[place + 1 :] for place in range(4, len(data), 8))
    found = list(filter(panics, bent))  # one byte leads out of the file there
    assert found and "panicked" in capfd.readouterr().err
    for content in found:
        (tmp_path / "b.arrow").write_bytes(content)
        with pytest.raises(DataError, match="parts contradict each other"):
            read(tmp_path / "b.arrow")
    assert capfd.readouterr() == ("", "")


def test_sheets_append_and_say_the_split(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("fastexcel")
    book = openpyxl.Workbook()
    for title, rows in {"train": [(1, "a"), (2, "b")], "test": [(3, "c")]}.items():
        sheet = book.create_sheet(title)
        for row in [("n", "s"), *rows]:
            sheet.append(row)
    del book["Sheet"]
    book.save(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    assert table.frame.rows() == [(1, "a"), (2, "b"), (3, "c")]
    assert table.parts.tolist() == ["train", "train", "test"]
    assert table.where(2) == "a.xlsx/test, row 2"


def test_excel_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(MachineError, match=r"a.xlsx.*pip install 'lamina\[tables\]'"):
        read(tmp_path / "a.xlsx")


@pytest.mark.parametrize("packed", [False, True])
def test_a_database_is_read_and_not_changed(tmp_path, packed):
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute('create table "my rows" (n integer, s text, mixed)')
        connection.executemany('insert into "my rows" values (?, ?, ?)', [(1, "a", 1), (None, "b", "x")])
        connection.execute("create table empty (q)")
    connection.close()
    before = path.read_bytes()
    if packed:
        path = tmp_path / "a.sqlite.gz"
        path.write_bytes(gzip.compress(before))
    assert read(path).frame.rows() == [(1, "a", "1"), (None, "b", "x")]
    assert (tmp_path / "a.sqlite").read_bytes() == before


def test_what_a_database_computes_is_left_alone(tmp_path):
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (n integer, vast as (hex(zeroblob(n * 1000000))))")
    connection.execute("create view v as select 1")
    connection.execute("insert into t (n) values (40)")
    connection.commit()
    connection.close()
    assert read(path).frame.rows() == [(40,)]


def test_a_table_of_a_database_whose_name_is_no_text_is_left_alone(tmp_path):
    path = tmp_path / "a.sqlite"
    connection = sqlite3.connect(path)
    for name in ("a", "b"):
        connection.execute(f"create table {name} (x)")
        connection.executemany(f"insert into {name} values (?)", [(1,), (2,)])
    connection.execute("pragma writable_schema = on")
    connection.execute("update sqlite_master set name = x'62' where name = 'b'")
    connection.commit()
    connection.close()
    assert read(path).frame.rows() == [(1,), (2,)]


def test_a_database_that_uses_a_page_twice_is_refused(tmp_path):
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("pragma page_size = 512")
    connection.execute("create table t (s text)")
    connection.executemany("insert into t values (?)", [("x" * 100,)] * 20)
    connection.commit()
    connection.close()
    data = bytearray(path.read_bytes())
    root = 512  # the second page: an inner one, whose cells name the pages below it in four bytes each
    cells = [int.from_bytes(data[root + place : root + place + 2], "big") for place in (12, 14)]
    data[root + cells[1] : root + cells[1] + 4] = data[root + cells[0] : root + cells[0] + 4]
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a.db is not a sound SQLite database"):
        read(path)


def test_rare_types_become_what_can_be_used():
    frame = pl.DataFrame(
        {
            "category": pl.Series(["a", "b"], dtype=pl.Categorical),
            "list": [[1, 2], None],
            "span": [datetime.timedelta(seconds=90), None],
            "none": [None, None],
        }
    )
    table = read(frame)
    assert table.frame.rows() == [("a", "[1, 2]", 90.0, None), ("b", None, None, None)]
    assert any("'list'" in note for note in table.notes) and any("seconds" in note for note in table.notes)
    with pytest.raises(DataError, match="'o' holds Python objects"):
        read(pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}))
    with pytest.raises(DataError, match="0 rows"):
        read(pl.DataFrame({"a": []}))


def test_pictures_inside_cells_are_opened_from_there(tmp_path):
    target = io.BytesIO()
    Image.new("RGB", (3, 2), (5, 6, 7)).save(target, "PNG")
    cells = [{"bytes": target.getvalue(), "path": "1.png"}, None]
    pl.DataFrame({"image": cells, "label": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    table = read(tmp_path / "a.parquet")
    assert table.frame["image"].to_list() == ["a.parquet:image#0", None]
    assert decode(table.open("image", "a.parquet:image#0"), "a").tolist()[0][0] == [5, 6, 7]
    with pytest.raises(DataError, match=r"no picture 'a.parquet:image#7'"):
        table.open("image", "a.parquet:image#7")
