"""Whether the first record of a text names the columns, judged from the records below it."""

import re
from itertools import pairwise, takewhile

import polars as pl

HEAD_ROWS = 2_000
"""Records that are looked at, at most."""
HEAD_CELLS = 100_000
"""Cells that are looked at: fewer records of a very wide text."""

_NUMBER = re.compile(r"[+\-$€£(.]?\s*\d[\d.,:/%eETZ+\-\s)]*")  # dates and times too: what no column is called
_COUNTED = re.compile(r"\d{1,18}")  # longer ones count nothing, and Python refuses to read the longest
_GAPS = frozenset(("", "?", "na", "n/a", "nan", "null", "none", "-", "unknown", "missing", "."))
_MOSTLY = 0.9
_NAME_LENGTH = 60
_FIRST_YEAR = 1000


def has_header(frame: pl.DataFrame) -> tuple[bool, str]:
    """Whether the first row holds names, and why.

    Each column votes: a name over numbers speaks for a header, a number over numbers or a word that comes again
    below speaks against one. Without votes, short words that differ are names. Numbers that count up by one are
    names too, as pandas writes them, if the next row does not count up as well.

    Args:
        frame: (rows, columns) of strings, all records.
    """
    body = frame.slice(1, min(HEAD_ROWS, max(20, HEAD_CELLS // frame.width)))
    first = frame.row(0)
    if _counts_up(first) and not (body.height and _counts_up(body.row(0))):
        return True, "the cells of the first line count up by one"
    names, cells = 0, 0
    for cell, column in zip(first, body.iter_columns(), strict=True):
        below = [other for other in column.to_list() if not _is_gap(other)]
        if _is_gap(cell) or not below:
            continue
        is_number = _is_number(cell)
        if sum(map(_is_number, below)) >= _MOSTLY * len(below):
            names, cells = names + (not is_number), cells + is_number
        elif is_number or cell in below:
            cells += 1
    if names or cells:
        if names >= cells:
            return True, f"{names} of {frame.width} cells of the first line are words above numbers"
        return False, f"{cells} of {frame.width} cells of the first line look like those below it"
    words = [cell for cell in first if cell and cell.strip()]
    if not words or (not body.height and any(map(_is_number, words))):
        return False, "the first line holds no words"
    if all(len(word) <= _NAME_LENGTH and not word.rstrip().endswith((".", "!", "?")) for word in words):
        return True, "the first line holds short words"
    return False, "the first line reads like text, not like names"


def _is_gap(cell: str | None) -> bool:
    return cell is None or cell.strip().lower() in _GAPS


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None


def _counts_up(row: tuple[str | None, ...]) -> bool:
    """Whether the cells are whole numbers that count up by one, behind nothing or an empty cell, or years behind words.

    Three at least; `0, 1, 2` is how pandas names columns, `country, 2019, 2020, 2021` how statistics do.
    """
    numbers = [int(digits) if _COUNTED.fullmatch(digits := (cell or "").strip()) else None for cell in row]
    words = list(takewhile(lambda number: number is None, numbers))
    counted = [number for number in numbers[len(words) :] if number is not None]
    if len(counted) < 3 or len(words) + len(counted) < len(row):
        return False
    if any(row[: len(words)]) and counted[0] < _FIRST_YEAR:
        return False
    return all(later == earlier + 1 for earlier, later in pairwise(counted))
