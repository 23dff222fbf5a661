"""Workbooks: what a sheet costs is in proportion to what it holds."""

import zipfile
from pathlib import Path

import pytest

from lamina.data import read
from lamina.ground import DataError

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("fastexcel")

ODS = (
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="s"><table:table-row{rows}><table:table-cell office:value-type="string"{columns}>'
    "<text:p>x</text:p></table:table-cell></table:table-row><table:table-row>"
    '<table:table-cell office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell>'
    '</table:table-row><table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)


def book(path: Path, cells: dict[tuple[int, int], object]) -> Path:
    made = openpyxl.Workbook()
    for (row, column), cell in cells.items():
        made.active.cell(row, column, cell)
    made.save(path)
    return path


def ods(path: Path, rows: str = "", columns: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(rows=rows, columns=columns))
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{manifest}"/>')
    return path


def test_columns_without_a_name_are_called_by_number(tmp_path: Path) -> None:
    table = read(book(tmp_path / "a.xlsx", {(1, 1): "x", (2, 1): 1, (2, 3): 5, (3, 1): 2}))
    assert table.columns == ["x", "column_2"] and table.frame.rows() == [(1, 5), (2, None)]


def test_a_long_full_sheet_is_read(tmp_path: Path) -> None:
    cells = {(1, 1): "x", (1, 2): "y"} | {(row, 200): row for row in range(1, 60)}
    assert read(book(tmp_path / "a.xlsx", cells)).frame.height == 58


def test_rows_that_a_sheet_repeats_behind_its_last_value_cost_nothing(tmp_path: Path) -> None:
    assert read(ods(tmp_path / "a.ods")).frame.rows() == [(3,)]


@pytest.mark.parametrize("name", ["a.xlsx", "a.ods"])
def test_a_few_cells_spread_over_millions_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "a.xlsx":
        book(path, {(1, 1): "x", (1_000_000, 9_000): 1})
    else:
        ods(path, ' table:number-rows-repeated="1000000"', ' table:number-columns-repeated="9000"')
    with pytest.raises(DataError, match=rf"{name}: \w+.xml holds 2 cells in 1,000,00\d rows.*Delete the cells"):
        read(path)
