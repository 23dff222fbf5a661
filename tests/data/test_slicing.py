"""A large text, a stretch of rows at a time: the rows, names and places of all of it at once."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from lamina.data import read, slices
from lamina.ground import DataError

ROWS = 500


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text counts as large and is read some thirty rows at a time."""
    monkeypatch.setattr("lamina.data.slicing.LARGE", 0)
    monkeypatch.setattr("lamina.data.delimited.STRETCH", 300)
    monkeypatch.setattr("lamina.data._records.PIECE", 100)


def lines(newline: str = "\n", separator: str = ",", header: bool = True) -> str:
    """Rows with line breaks inside quotation marks and empty lines between them."""
    rows = [separator.join((f"{row}.5", '"two' + newline + 'lines"' if row % 7 == 0 else f"w{row % 5}"))
            + newline * (1 + (row % 11 == 0)) for row in range(ROWS)]  # fmt: skip
    return (separator.join(("size", "word")) + newline if header else "") + "".join(rows)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    "name, newline, separator", [("a.csv", "\n", ","), ("a.tsv", "\r\n", "\t"), ("a.dat", "\n", ";")]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_stretches_add_up_to_the_table(
    tmp_path: Path, header: bool, name: str, newline: str, separator: str, encoding: str
) -> None:
    path = tmp_path / name
    path.write_bytes(lines(newline, separator, header).encode(encoding))
    whole, some = read(path), list(slices([path]))
    assert len(some) > 5
    assert pl.concat([table.frame for table in some]).equals(whole.frame)
    assert [table.where(row) for table in some for row in range(len(table))] == list(
        map(whole.where, range(len(whole)))
    )
    assert all(table.notes == whole.notes and table.name == whole.name for table in some)


def test_small_files_several_of_them_and_tables_in_memory_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text(lines())
    other.write_text(lines())
    assert [len(table) for table in slices([path, other])] == [2 * ROWS]
    assert [len(table) for table in slices([read(path).frame])] == [ROWS]
    monkeypatch.setattr("lamina.data.slicing.LARGE", 1 << 20)
    assert [len(table) for table in slices([path])] == [ROWS]


def test_pictures_that_a_table_names_are_looked_for_at_once(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    path = tmp_path / "photos.csv"
    path.write_text("size,photo\n" + "1.5,a.png\n" * ROWS)
    (table,) = slices([path])
    assert len(table) == ROWS and "photo" in table.media


def test_tagged_sentences_are_no_stretches_of_cells(tmp_path: Path) -> None:
    path = tmp_path / "tagged.tsv"
    path.write_text("Anna\tB-PER\nlaughs\tO\n\n" * 100)
    (table,) = slices([path])
    assert len(table) == 100


def test_what_does_not_fit_is_refused_before_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines() + "1,2,3\n")
    with pytest.raises(DataError, match="3 cells found, 2 expected"):
        next(slices([path]))
    path.write_text("size,word\n")
    with pytest.raises(DataError, match="no row below it"):
        next(slices([path]))
