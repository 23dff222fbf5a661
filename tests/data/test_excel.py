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


@pytest.mark.parametrize(
    "cell",
    ['r="TABLESA2"', 'r="ta2"', "r = 'A9999999999'", 's="1" r="xfd1048576"'],
    ids=["long", "short", "row", "low"],
)
def test_a_cell_is_far_off_however_its_place_is_written(cell: str, tmp_path: Path) -> None:
    book(tmp_path / "whole.xlsx", {(1, 1): "x", (2, 1): 3})
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as changed:
        for name in whole.namelist():
            content = whole.read(name).decode()
            changed.writestr(name, content.replace('r="A2"', cell) if "sheet1" in name else content)
    if cell == 'r="ta2"':  # 521 columns do no harm
        assert read(tmp_path / "a.xlsx").frame.height == 1
    else:
        with pytest.raises(DataError, match=r"a.xlsx: sheet1.xml holds 2 cells in .* nearly all of them empty"):
            read(tmp_path / "a.xlsx")


def test_a_binary_workbook_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
    with pytest.raises(DataError, match=r"a.xlsx is not a sound Excel file: it is a binary workbook \(.xlsb\)"):
        read(tmp_path / "a.xlsx")
