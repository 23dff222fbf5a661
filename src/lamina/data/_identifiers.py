"""Columns that name rows instead of describing them."""

import numpy as np
import polars as pl

from lamina.data import _names
from lamina.data._cells import share_of

_ENOUGH = 20
"""Rows under which being unique proves nothing."""


def identifier_of_numbers(name: str, numbers: pl.Series) -> tuple[float, str] | None:
    """Whether whole numbers only tell rows apart.

    Args:
        numbers: every cell in row order, gaps included.

    Returns:
        A confidence and why, or None.
    """
    there = numbers.drop_nulls().to_numpy()
    rows, distinct = len(there), len(np.unique(there))
    if rows < 3 or (there != there.round()).any() or _names.hints(name, _names.TIME - {"at", "t"}):
        return None
    named = _names.last_word(name) in _names.IDENTIFIER
    low, high, steps = int(there.min()), int(there.max()), np.diff(there)
    if distinct == rows and high - low + 1 == rows and (rows >= _ENOUGH or named):
        if (steps == 1).all():
            return 0.98, f"counts up from {low} to {high}, one for each row"
        if not _names.hints(name, _names.ORDER):
            return 0.97 if named else 0.75, f"every whole number from {low} to {high} once: it numbers the rows"
    if named and distinct >= 0.8 * rows and rows > 3:
        return 0.95, f"{distinct:,} different numbers in {rows:,} rows, and the name says identifier"
    if rows < _ENOUGH or distinct <= 0.1 * rows:
        return None
    # A number that climbs from row to row, perhaps starting again a few times: 1 2 3 5, 1 2 4, 1 2. An hour of the day
    # climbs and starts again too, but has few different values; a sorted measure repeats itself.
    starts = there[1:][steps <= 0]
    if len(starts) == 0 and rows >= 100 and np.median(steps) <= 10:
        return 0.85, "every cell is a little larger than the one before: it numbers the rows"
    near = low + 5
    if 0 < len(starts) <= 0.03 * rows and (starts <= near).all() and there[0] <= near and np.median(steps) <= 2:
        return 0.85, f"climbs from row to row and starts again {len(starts)} times: a running number"
    return None


def identifier_of_words(name: str, cells: pl.Series, rows: int) -> tuple[float, str] | None:
    """Whether words only tell rows apart.

    Args:
        cells: the different cells, without gaps.
        rows: cells that are no gaps, repeats counted.

    Returns:
        A confidence and why, or None. Text of unlike lengths (names, formulas, sequences) is no identifier even when
        every cell differs: its letters say something.
    """
    distinct = len(cells)
    named = _names.last_word(name) in _names.IDENTIFIER
    if named and distinct >= 0.8 * rows and rows > 3:
        return 0.95, f"{distinct:,} different values in {rows:,} rows, and the name says identifier"
    if rows < _ENOUGH or distinct < 0.95 * rows or cells.str.contains(r"\s").any():
        return None
    lengths = cells.str.len_chars().to_numpy()
    digits = share_of(cells.str.contains(r"\d"))
    if lengths.max() <= 40 and lengths.max() - lengths.min() <= 2 and digits > 0.9:
        return 0.85, f"{distinct:,} different codes in {rows:,} rows, all alike in form ({cells[0]!r})"
    if cells.str.contains(r"(?i)\.(?:jpe?g|png|bmp|gif|tiff?|webp|p[gnp]m|wav|mp3|flac|ogg|txt|pdf)$").all():
        return 0.9, f"names of files ({cells[0]!r}) that were not found beside the table"
    return None
