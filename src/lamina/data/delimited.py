"""CSV, TSV and their kin: found out how they are written, checked record by record, then read as text.

Every cell stays text: what a column means is judged later and on all of it, so that `007` keeps its zeros and one
late word does not turn up as a gap.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl

from lamina.data._dialect import as_utf8, columns_of_blanks, encoding_of, separator_of
from lamina.data._header import HEAD_ROWS, has_header
from lamina.data._records import Survey, encloses, survey
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError, listing

MAX_COLUMNS = 100_000
MAX_ROWS = 2_000_000_000
MAX_CELL = 64 << 20
"""Bytes of one cell."""
STRETCH = 8 << 20
"""Bytes of a large text that are read together where not all of it is wanted at once."""

_SHOWN = {"\t": "a tab", " ": "a blank", "\x01": "the byte 1", "\x1f": "the byte 31"}
_LOOSE = (".dat", ".data")


@dataclass(frozen=True)
class _Sound:
    """A text whose records agree, and how it is written."""

    name: str
    text: np.ndarray
    """(bytes,) uint8."""
    path: Path | None
    """Where it lies on the disk just as it is to be read."""
    separator: str
    quoted: bool
    found: Survey
    blanks: np.ndarray
    """(bytes,) where those of empty lines lie: how Polars treats such lines depends on where they are."""
    notes: list[str]

    def between(self, start: int, end: int) -> bytes:
        """Some of its bytes, without empty lines."""
        some = self.blanks[(self.blanks >= start) & (self.blanks < end)] - start
        return (np.delete(self.text[start:end], some) if len(some) else self.text[start:end]).tobytes()

    @property
    def head(self) -> tuple[int, int]:
        """Where a record ends behind all that a heading is judged by, and how many records there are before it."""
        return next((stop for stop in self.found.stops if stop[1] > HEAD_ROWS), self.found.stops[-1])

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """Where whole records begin and end, of `STRETCH` bytes or a little more, and how many they are."""
        start, done = 0, 0
        for end, records in self.found.stops:
            if records > done and (end - start >= STRETCH or end == self.found.stops[-1][0]):
                yield start, end, records - done
                start, done = end, records


@dataclass(frozen=True)
class _Heading:
    """The names of the columns, and whether the first record holds them."""

    names: list[str]
    is_first: bool


def read_delimited(file: File) -> list[Table]:
    """The one table of a delimited text file.

    Raises:
        DataError: naming file, line, and what was found and expected, if the records do not agree.
    """
    sound = _sound(file)
    frame = _records(sound.path or sound.between(0, len(sound.text)), sound, sound.found.records)
    heading = _heading(frame, sound)
    origins = _origins(sound.found, sound.name, skipped=int(heading.is_first))
    return [_named(frame.slice(int(heading.is_first)), heading, sound, origins)]


def delimited_slices(file: File) -> "Stretches":
    """The table of `read_delimited` a stretch at a time, in order: memory holds one of them, however large the file.

    Raises:
        DataError: as `read_delimited`; for a record that can be taken in two ways, or a cell that is too long, when it
            is reached.
    """
    sound = _sound(file)
    heading = _heading(_records(sound.between(0, sound.head[0]), sound, sound.head[1]), sound)
    return Stretches(sound, heading)


@dataclass(frozen=True)
class Stretches:
    """A text that was found sound, to be read a stretch at a time as often as it is wanted."""

    _sound: _Sound
    _heading: _Heading

    def __len__(self) -> int:
        """Rows of all of it."""
        return self._sound.found.records - self._heading.is_first

    @property
    def weight(self) -> int:
        """Bytes of all of it."""
        return len(self._sound.text)

    def digest(self) -> str:
        """The sha256, in hexadecimal, of all its bytes."""
        found = hashlib.sha256()
        for start in range(0, self.weight, STRETCH):
            found.update(self._sound.text[start : start + STRETCH].data)
        return found.hexdigest()

    def __iter__(self) -> Iterator[Table]:
        """Its rows in order.

        Raises:
            DataError: for a record that can be taken in two ways, or a cell that is too long.
        """
        sound, done, skipped = self._sound, 0, int(self._heading.is_first)
        origins = _origins(sound.found, sound.name, skipped)
        for start, end, records in sound.stretches():
            frame = _records(sound.between(start, end), sound, records)
            if start == 0:
                frame = frame.slice(skipped)
            if frame.height:
                yield _named(frame, self._heading, sound, _between(origins, done, done + frame.height))
            done += frame.height


def _sound(file: File) -> _Sound:
    """How a text is written, surveyed record by record.

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
    blanks = np.concatenate(found.blanks)
    blanks = blanks[blanks < len(text)]
    unchanged = path is not None and np.shares_memory(text, data) and not mark and not len(blanks)
    return _Sound(file.name, text, path if unchanged else None, separator, quoted, found, blanks, notes)


def contents_of(file: File) -> np.ndarray:
    """(bytes,) uint8, mapped where the file lies on the disk as it is."""
    path = file.path
    if path is None:
        return np.frombuffer(file.read(), np.uint8)
    return np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)


def _records(source: Path | bytes, sound: _Sound, records: int) -> pl.DataFrame:
    """The cells of so many records of a text that was found sound.

    Raises:
        DataError: if Polars finds others: a cell shifted without a word would be worse.
    """
    quote = '"' if sound.quoted else None
    try:
        frame = pl.read_csv(source, has_header=False, infer_schema=False, separator=sound.separator, quote_char=quote)
    except (pl.exceptions.PolarsError, OSError) as error:  # the latter where text begins as a compressed file would
        said = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"{sound.name} cannot be read as a table: {said}. Save it again as CSV in UTF-8.") from error
    width = sound.found.width
    if frame.shape != (records, width):
        raise DataError(
            f"{sound.name} can be taken in two ways: as {records:,} rows of {width:,} cells, or as "
            f"{frame.height:,} of {frame.width:,}. Put cells in quotation marks, or save it as Parquet."
        )
    return frame


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


def _heading(frame: pl.DataFrame, sound: _Sound) -> _Heading:
    """How the columns are called: as the first record says, or by number."""
    is_first, reason = has_header(frame)
    if is_first:
        names = _column_names(frame.row(0), sound.name, sound.notes)
        if sound.found.records == 1:
            raise DataError(f"{sound.name} has a line of column names ({listing(names)}) and no row below it.")
        return _Heading(names, True)
    names = [f"column_{number}" for number in range(1, frame.width + 1)]
    sound.notes.append(f"{sound.name}: no line of column names ({reason}), so they are column_1 to {names[-1]}.")
    return _Heading(names, False)


def _named(frame: pl.DataFrame, heading: _Heading, sound: _Sound, origins: tuple[Origin, ...]) -> Table:
    """Rows with their columns named."""
    longest = max(length or 0 for length in frame.select(pl.all().str.len_bytes().max()).row(0))
    if longest > MAX_CELL:
        raise DataError(f"{sound.name} has a cell of {longest:,} bytes; at most {MAX_CELL:,} are read. Is it a table?")
    frame.columns = heading.names
    return Table(frame, origins=origins, notes=tuple(sound.notes))


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


def _between(origins: Sequence[Origin], start: int, end: int) -> tuple[Origin, ...]:
    """Where the rows from one to before another lie."""
    found, before = list[Origin](), 0
    for origin in origins:
        first, last = max(start, before), min(end, before + origin.rows)
        if first < last:
            found.append(replace(origin, rows=last - first, first=origin.first + first - before))
        before += origin.rows
    return tuple(found)
