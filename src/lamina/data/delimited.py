"""CSV, TSV and their kin: found out how they are written, checked record by record, then read as text.

Every cell stays text: what a column means is judged later and on all of it, so that `007` keeps its zeros and one
late word does not turn up as a gap.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl

from lamina.data._dialect import as_utf8, columns_of_blanks, encoding_of, separator_of
from lamina.data._header import has_header
from lamina.data._records import Survey, encloses, survey
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError, listing

MAX_COLUMNS = 100_000
MAX_ROWS = 2_000_000_000
MAX_CELL = 64 << 20
"""Bytes of one cell."""

_SHOWN = {"\t": "a tab", " ": "a blank", "\x01": "the byte 1", "\x1f": "the byte 31"}
_LOOSE = (".dat", ".data")


def read_delimited(file: File) -> list[Table]:
    """The one table of a delimited text file.

    Raises:
        DataError: naming file, line, and what was found and expected, if the records do not agree.
    """
    path, data = file.path, contents_of(file)
    encoding, mark, note = encoding_of(data, file.name)
    text = as_utf8(data, encoding, mark, file.name)
    notes = [note] if note else []
    suffix = "." + file.plain_name.rpartition(".")[2]
    separator = separator_of(text, suffix)
    if separator is None and (tabbed := columns_of_blanks(text)) is not None:
        text, separator = tabbed, "\t"
    if separator is None and suffix in _LOOSE:
        raise DataError(
            f"{file.name} has no separator that divides its lines into columns: it looks like running text. "
            f"Name it .txt to have it read as such, or make it a CSV file with a column `text`."
        )
    separator = separator or ","
    found, quoted = _surveyed(text, separator, file.name)
    if separator not in (",", "\t") and found.width > 1:
        notes.append(f"{file.name}: cells are separated by {_shown(separator)}.")
    if not quoted:
        notes.append(f"{file.name}: quotation marks do not enclose whole cells, so they are read as part of the text.")
    unchanged = path is not None and np.shares_memory(text, data) and not mark
    blanks = np.concatenate(found.blanks)
    if len(blanks):  # how the reader treats empty lines depends on where they are
        source: Path | bytes = np.delete(text, blanks[blanks < len(text)]).tobytes()
    else:
        source = path if path is not None and unchanged else text.tobytes()
    frame = _records(source, separator, quoted, file.name)
    if frame.shape != (found.records, found.width):  # a cell shifted without a word would be worse
        raise DataError(
            f"{file.name} can be taken in two ways: as {found.records:,} rows of {found.width:,} cells, or as "
            f"{frame.height:,} of {frame.width:,}. Put cells in quotation marks, or save it as Parquet."
        )
    return [_named(frame, found, file.name, notes)]


def contents_of(file: File) -> np.ndarray:
    """(bytes,) uint8, mapped where the file lies on the disk as it is."""
    path = file.path
    if path is None:
        return np.frombuffer(file.read(), np.uint8)
    return np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)


def _records(source: Path | bytes, separator: str, quoted: bool, where: str) -> pl.DataFrame:
    """The cells of a text that was found sound."""
    try:
        return pl.read_csv(
            source, has_header=False, infer_schema=False, separator=separator, quote_char='"' if quoted else None
        )
    except (pl.exceptions.PolarsError, OSError) as error:  # the latter where text begins as a compressed file would
        said = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"{where} cannot be read as a table: {said}. Save it again as CSV in UTF-8.") from error


def _shown(separator: str) -> str:
    return _SHOWN.get(separator, f"`{separator}`")


def _surveyed(text: np.ndarray, separator: str, where: str) -> tuple[Survey, bool]:
    """The survey of a sound text, and whether its quotation marks enclose cells.

    Raises:
        DataError: at the first record that does not fit.
    """
    found = survey(text, ord(separator), quoted=True)
    if not found.records:
        raise DataError(
            f"{where} is empty: it holds no row. Give a file with a line of column names and rows below it."
        )
    if found.nul_line is not None:
        raise DataError(
            f"{where}, line {found.nul_line}: there is a NUL byte, which no text holds. The file is damaged or not a "
            f"text; save it again as CSV in UTF-8."
        )
    quoted = True
    is_doubtful = found.stray_line is not None or found.unclosed_line is not None
    if is_doubtful and not encloses(text, ord(separator)):
        without = survey(text, ord(separator), quoted=False)
        if without.is_sound:
            found, quoted = without, False
    if not found.is_sound:
        _refuse(found, text, separator, where)
    if found.width > MAX_COLUMNS or found.records > MAX_ROWS:
        raise DataError(
            f"{where} has {found.width:,} columns and {found.records:,} rows; at most {MAX_COLUMNS:,} and {MAX_ROWS:,} "
            f"are read. Split it."
        )
    return found, quoted


def _refuse(found: Survey, text: np.ndarray, separator: str, where: str) -> NoReturn:
    odd, stray, unclosed = found.odd, found.stray_line, found.unclosed_line
    if stray is not None and (odd is None or stray <= odd.line):
        raise DataError(
            f"{where}, line {stray}: a quotation mark encloses no whole cell, or is not closed: {_line(text, stray)}. "
            f'Write the cell as "..." with each mark inside it doubled, or take the mark out.'
        )
    if unclosed is not None and (odd is None or unclosed <= odd.line):
        raise DataError(
            f"{where}, line {unclosed}: a quotation mark is opened and never closed: {_line(text, unclosed)}. "
            f"Close it, or take it out."
        )
    assert odd is not None
    line = _line(text, odd.line)
    more = f" So it is in {odd.count:,} lines." if odd.count > 1 else ""
    if "\\r" in line:
        hint = "Lines end in several ways (\\r stands for one of them): save it with one kind of line end"
    elif odd.cells < found.width:
        hint = f"Fill in what is missing or write nothing between two separators ({separator * 2})"
    else:
        hint = f'Put cells that hold {_shown(separator)} in quotation marks ("...")'
    cells = "1 cell" if odd.cells == 1 else f"{odd.cells:,} cells"
    raise DataError(
        f"{where}, line {odd.line}: {cells} found, {found.width:,} expected as in the first line: {line}.{more} "
        f"{hint}; if cells are separated by something else than {_shown(separator)}, use one separator throughout."
    )


def _line(text: np.ndarray, number: int, most: int = 60) -> str:
    """The beginning of a line as a message shows it."""
    ends = np.flatnonzero(text == 10)
    start = int(ends[number - 2]) + 1 if number > 1 else 0
    line = text[start : start + 4 * most].tobytes().decode(errors="replace").partition("\n")[0].rstrip("\r")
    return repr(line if len(line) <= most else line[:most] + "...")


def _named(frame: pl.DataFrame, found: Survey, where: str, notes: list[str]) -> Table:
    """The table with its columns named: from the first record, or by number."""
    longest = max(length or 0 for length in frame.select(pl.all().str.len_bytes().max()).row(0))
    if longest > MAX_CELL:
        raise DataError(f"{where} has a cell of {longest:,} bytes; at most {MAX_CELL:,} are read. Is it a table?")
    is_header, reason = has_header(frame)
    if is_header:
        names = _column_names(frame.row(0), where, notes)
        frame = frame.slice(1)
    else:
        names = [f"column_{number}" for number in range(1, frame.width + 1)]
        notes.append(f"{where}: no line of column names ({reason}), so they are column_1 to column_{frame.width}.")
    if not frame.height:
        raise DataError(f"{where} has a line of column names ({listing(names)}) and no row below it.")
    frame.columns = names
    return Table(frame, origins=_origins(found, where, skipped=int(is_header)), notes=tuple(notes))


def _column_names(cells: Sequence[str | None], where: str, notes: list[str]) -> list[str]:
    names = [(cell or "").strip() for cell in cells]
    nameless = [number for number, name in enumerate(names, 1) if not name]
    for number in nameless:
        names[number - 1] = f"column_{number}"
    if nameless:
        notes.append(f"{where}: without a name, called {listing(names[number - 1] for number in nameless)}.")
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            raise DataError(
                f"{where}, line 1: columns {names.index(name) + 1} and {number} are both called {name!r}. Rename one."
            )
    return names


def _origins(found: Survey, where: str, skipped: int) -> tuple[Origin, ...]:
    """Where the rows lie; in several pieces when empty lines or line breaks in cells make the line numbers jump."""
    starts = [(record - skipped, line) for record, line in found.breaks if record >= skipped]
    if not starts or starts[0][0] > 0:
        first = max((line + skipped - record for record, line in found.breaks if record < skipped), default=1 + skipped)
        starts.insert(0, (0, first))
    ends = [row for row, _ in starts[1:]] + [found.records - skipped]
    return tuple(Origin(where, end - row, line) for (row, line), end in zip(starts, ends, strict=True))
