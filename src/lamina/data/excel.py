"""Workbooks of Excel and LibreOffice: a table for each sheet that holds rows."""

import io
import logging
import re
import zipfile
from collections.abc import Iterator

import polars as pl

from lamina.data.archive import check_zip, read_member
from lamina.data.place import File
from lamina.data.table import Table
from lamina.data.typed import quietly, table_of
from lamina.ground.errors import DataError, MachineError, listing

MOST_EMPTY = 10_000_000
"""Cells of a sheet from its corner to the furthest that is filled, above which nearly all may not be empty: the reader
makes room for every one of them."""
_EMPTY_RATIO = 50

# The reader takes letters of any number and case for a column.
_IN_TAG = rb"<(?:\w+:)?(?:c|row)\s[^<>]*?\br\s*=\s*[\"']"
_CELL = re.compile(_IN_TAG + rb"([A-Za-z]*)(\d+)[\"']")
_FAR = re.compile(_IN_TAG + rb"(?:[A-Za-z]*\d{6,}|(?:[A-Za-z]{3,}|[D-Zd-z][A-Za-z])\d+)[\"']")
_TIMES = re.compile(rb"number-(rows|columns)-repeated\s*=\s*[\"']([^\"']*)[\"']")
_NAMELESS = "__UNNAMED__"


def read_excel(file: File) -> list[Table]:
    """A table for each sheet that holds rows.

    Raises:
        DataError: if it is no sound workbook, has no row, or a sheet spreads a few cells over a vast area.
        MachineError: if the package that reads workbooks is not installed.
    """
    try:
        import fastexcel
    except ImportError as error:
        raise MachineError(f"{file.name}: Excel needs one more package: pip install 'lamina[tables]'.") from error
    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # what kinds columns are is said later, and by us
    data = file.read()
    _check(data, file.name)
    try:
        with quietly():
            sheets = pl.read_excel(
                io.BytesIO(data), sheet_id=0, engine="calamine", infer_schema_length=None, raise_if_empty=False
            )
    except (
        fastexcel.FastExcelError,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        ValueError,
        MemoryError,
    ) as error:
        raise _unsound(file.name, str(error).partition("\n")[0].rstrip(".")) from error
    full = {name: _named(frame) for name, frame in sheets.items() if frame.height and frame.width}
    if not full:
        what = "1 sheet" if len(sheets) == 1 else f"{len(sheets)} sheets"
        raise DataError(f"{file.name} has {what} ({listing(sheets)}) and no row below a line of column names in any.")
    if len(full) == 1:
        return [table_of(frame, file.name, first=2) for frame in full.values()]
    return [table_of(frame, f"{file.name}/{name}", first=2) for name, frame in full.items()]


def _unsound(where: str, why: str) -> DataError:
    return DataError(f"{where} is not a sound Excel file: {why}. Save it again as .xlsx.")


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns without a name are called by their number, as in other tables."""
    return frame.rename({name: f"column_{number}" for number, name in enumerate(frame.columns, 1)
                         if name.startswith(_NAMELESS)})  # fmt: skip


def _check(data: bytes, where: str) -> None:
    """Refuse a workbook that costs far more to take in than it weighs: packed too well, or spread too wide."""
    if not data:
        raise _unsound(where, "it is empty")
    if data[:2] != b"PK":
        return
    check_zip(io.BytesIO(data), where)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith("workbook.bin"):
                    raise _unsound(where, "it is a binary workbook (.xlsb)")
                content = read_member(archive, info)  # every one: what lies about its size is found here
                sheet = info.filename.rpartition("/")[2]
                found = _spread_of_cells(content) if "sheet" in info.filename else None
                found = _spread_of_repeats(content) if sheet == "content.xml" else found
                if found and found[0] * found[1] > max(MOST_EMPTY, _EMPTY_RATIO * found[2]):
                    raise DataError(
                        f"{where}: {sheet} holds {found[2]:,} cells in {found[0]:,} rows and {found[1]:,} columns, "
                        f"nearly all of them empty. Delete the cells that lie far off, or save the sheet as CSV."
                    )
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise _unsound(where, str(error)) from error


def _spread_of_cells(xml: bytes) -> tuple[int, int, int] | None:
    """(rows, columns, cells) of a sheet of .xlsx, if some of it lies far from the corner."""
    if not _FAR.search(xml):
        return None
    rows, columns, cells = 0, 0, 0
    for letters, number in _CELL.findall(xml):
        rows, cells = max(rows, int(number)), cells + bool(letters)
        columns = max(columns, _column(letters))
    return rows, columns, cells


def _column(letters: bytes) -> int:
    """`A` is 1, `Z` 26, `AA` 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _spread_of_repeats(xml: bytes) -> tuple[int, int, int]:
    """(rows, columns, cells) of all sheets of .ods up to the last row with a value; cells say how often they come."""
    rows, width, cells, last = 0, 0, 0, 0
    for row, filled in _rows(xml):
        times = {b"rows": 1, b"columns": 0}
        for what, count in _TIMES.findall(row):
            times[what] = int(count) if what == b"rows" else times[what] + int(count)
        rows += times[b"rows"]
        if filled:
            last, width, cells = rows, max(width, times[b"columns"] + filled), cells + filled
    return last, width, cells


def _rows(xml: bytes) -> Iterator[tuple[bytes, int]]:
    """Each row, and how many cells with a value stand in it."""
    for row in xml.split(b"<table:table-row")[1:]:
        yield row, row.count(b"office:value-type")
