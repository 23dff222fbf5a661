"""How a delimited text is cut into records: a fast survey of the whole file before anything is read from it.

A reader that fills up short lines or cuts long ones would shift cells into wrong columns without a word. So every
record is counted first, on raw bytes, a few million at a time; only a text in which all records agree is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

PIECE = 8 << 20
"""Bytes looked at together; more when one record is longer."""
MAX_RECORD = 256 << 20
"""Bytes of one record; a longer one means a quotation mark that is never closed."""
MAX_BREAKS = 10_000
"""Places where line numbers jump (empty lines, line breaks inside quotes) that are remembered for messages."""

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


@dataclass(frozen=True)
class Odd:
    """The first record that does not fit, and how many there are."""

    line: int
    cells: int
    count: int


@dataclass
class Survey:
    """What the records of a text look like."""

    width: int = 0
    """Cells of the first record."""
    records: int = 0
    """Records that are not empty lines."""
    odd: Odd | None = None
    """Records with other than `width` cells."""
    stray_line: int | None = None
    """Line at which the first record begins with a quotation mark that encloses no whole cell."""
    unclosed_line: int | None = None
    """Line at which a record begins whose quotation mark is never closed."""
    nul_line: int | None = None
    """Line of the first NUL byte."""
    blanks: list[np.ndarray] = field(default_factory=list)
    """Where the bytes of empty lines lie, in pieces."""
    stops: list[tuple[int, int]] = field(default_factory=list)
    """(byte, records before it): places where a record ends, some millions of bytes apart; the last is the end."""
    breaks: list[tuple[int, int]] = field(default_factory=list)
    """(record, line): from this record on lines count up from this line."""

    @property
    def is_sound(self) -> bool:
        """Whether every record has the same cells and every quotation mark its partner."""
        return self.odd is None and self.stray_line is None and self.unclosed_line is None


@dataclass(frozen=True)
class _Piece:
    """Whole records: each begins after the end of the one before."""

    data: np.ndarray
    ends: np.ndarray
    """Where the line break after each record lies."""
    widths: np.ndarray
    """Cells of each record."""
    is_open: bool
    """Whether the text ends inside quotation marks."""

    @property
    def starts(self) -> np.ndarray:
        return np.concatenate(([0], self.ends[:-1] + 1))


def pieces(data: np.ndarray, separator: int, quoted: bool) -> Iterator[_Piece]:
    """Whole records of a text, a few million bytes at a time.

    Args:
        data: (bytes,) uint8.
        separator: the byte between cells.
        quoted: whether separators and line breaks between double quotation marks belong to the cell.
    """
    start, length = 0, PIECE
    while start < len(data):
        some = data[start : start + length]
        is_last = start + length >= len(data)
        marks = (some == separator) | (some == _NEWLINE)
        is_open = False
        if quoted and (quotes := some == _QUOTE).any():
            is_inside = np.logical_xor.accumulate(quotes)
            is_open = bool(is_inside[-1])
            marks &= ~is_inside
        places = np.flatnonzero(marks)
        turns = np.flatnonzero(some[places] == _NEWLINE)
        ends, widths = places[turns], np.diff(turns, prepend=-1)
        rest = ends[-1] + 1 if len(ends) else 0
        if is_last and rest < len(some):  # no line break after the last record
            ends = np.append(ends, len(some))
            widths = np.append(widths, len(places) - (turns[-1] + 1 if len(turns) else 0) + 1)
            rest = len(some)
        if not is_last and not len(ends):
            if length >= MAX_RECORD:
                yield _Piece(some, np.array([len(some)]), np.array([1]), is_open=True)
                return
            length *= 2
            continue
        yield _Piece(some[:rest], ends, widths, is_open and is_last)
        start, length = start + rest, PIECE


def survey(data: np.ndarray, separator: int, quoted: bool) -> Survey:
    """Count the cells of every record; arguments as in `pieces`."""
    found = Survey()
    line, last_line, offset, odd_count = 1, 0, 0, 0
    for piece in pieces(data, separator, quoted):
        breaks = np.flatnonzero(piece.data == _NEWLINE)
        lines = line + np.searchsorted(breaks, piece.starts)
        lengths = piece.ends - piece.starts
        blank = (lengths == 0) | (
            (lengths == 1) & (piece.data[np.minimum(piece.starts, len(piece.data) - 1)] == _RETURN)
        )
        blank &= piece.widths == 1  # a record of one separator is one byte long, too
        full = np.flatnonzero(~blank)
        if len(full) and not found.width:
            found.width = int(piece.widths[full[0]])
        odd = full[piece.widths[full] != found.width]
        odd_count += len(odd)
        if len(odd) and found.odd is None:
            found.odd = Odd(int(lines[odd[0]]), int(piece.widths[odd[0]]), 0)
        if len(full):
            row_lines = lines[full]
            jumps = np.flatnonzero(np.diff(row_lines, prepend=last_line) != 1)[: MAX_BREAKS - len(found.breaks)]
            found.breaks += zip((jumps + found.records).tolist(), row_lines[jumps].tolist(), strict=True)
            last_line = int(row_lines[-1])
        found.blanks += [piece.starts[blank] + offset, piece.ends[blank] + offset]
        found.records += len(full)
        offset += len(piece.data)
        found.stops.append((offset, found.records))
        if quoted and found.stray_line is None and (stray := _first_stray(piece.data, separator)) is not None:
            found.stray_line = int(lines[np.searchsorted(piece.ends, stray)])
        if piece.is_open:
            found.unclosed_line = int(lines[-1])
        if found.nul_line is None and not piece.data.all():
            found.nul_line = line + int(np.searchsorted(breaks, np.argmin(piece.data)))
        line += len(breaks)
    if found.odd is not None:
        found.odd = Odd(found.odd.line, found.odd.cells, odd_count)
    return found


def _first_stray(data: np.ndarray, separator: int) -> int | None:
    """The first quotation mark that neither opens nor closes a whole cell, nor is one of a pair inside."""
    quotes = np.flatnonzero(data == _QUOTE)
    begins, ends = _at_bounds(data, quotes, separator)
    touches_next = np.diff(quotes, append=-1) == 1
    touches_last = np.diff(quotes, prepend=-2) == 1
    opens = np.arange(len(quotes)) % 2 == 0
    is_fine = np.where(opens, begins | touches_last, ends | touches_next)
    return None if is_fine.all() else int(quotes[np.argmin(is_fine)])


def _at_bounds(data: np.ndarray, quotes: np.ndarray, separator: int) -> tuple[np.ndarray, np.ndarray]:
    """Which quotation marks stand first in a cell, and which last."""
    is_bound = np.zeros(256, bool)
    is_bound[[separator, _NEWLINE]] = True
    begins = is_bound[data[quotes - 1]] | (quotes == 0)
    is_bound[_RETURN] = True
    after = np.minimum(quotes + 1, len(data) - 1)
    return begins, is_bound[data[after]] | (quotes == len(data) - 1)


def encloses(data: np.ndarray, separator: int) -> bool:
    """Whether quotation marks, by and large, enclose cells rather than belong to the text in them."""
    enclosed, loose = 0, 0
    for piece in pieces(data, separator, quoted=False):
        quotes = np.flatnonzero(piece.data == _QUOTE)
        begins, ends = _at_bounds(piece.data, quotes, separator)
        pairs = min(int(begins.sum()), int(ends.sum()))
        enclosed, loose = enclosed + pairs, loose + len(quotes) - 2 * pairs
    return enclosed > loose
