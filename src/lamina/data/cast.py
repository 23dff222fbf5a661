"""Cells to the typed form that every part takes; the same at training and at prediction."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lamina.data._cells import NumberStyle, is_gap_word, parse_numbers, plain_text
from lamina.data._look import gaps_to_null, plain_cells
from lamina.data._moments import parse_moments
from lamina.data.column import Column
from lamina.data.finding import setting
from lamina.data.table import Table
from lamina.ground.errors import DataError, PlanError, nearest

MOST_UNUSABLE = 0.05
"""The share of a column's cells above which it is the kind that is wrong, and not the cells."""
_SHOWN = 5
"""Unusable cells that are shown when there are too many of them."""
MOST_LISTED = 20
"""Unusable cells of one column that are listed; all are counted."""
LONGEST = 80
"""Characters of a cell that are shown."""


@dataclass(frozen=True, kw_only=True)
class ChecksPlan:
    """When data is too dirty to learn from."""

    unusable: float = MOST_UNUSABLE
    """The largest share of unusable cells in a column that is used, and of rows that cannot be used; 1 takes any."""

    def __post_init__(self) -> None:
        if not 0 <= self.unusable <= 1:
            raise PlanError(f"checks.unusable: {self.unusable!r} does not do: it is a share from 0 to 1.")


@dataclass(frozen=True)
class Problem:
    """A cell that could not be used and counts as a gap."""

    row: int
    column: str
    cell: str
    """What it holds, shortened."""
    reason: str
    total: int
    """Unusable cells in this column, listed or not."""


def cast(table: Table, columns: Mapping[str, Column], learned: bool = False,
         unusable: float = MOST_UNUSABLE) -> tuple[Table, list[Problem]]:  # fmt: skip
    """The columns that are used, each in its typed form; gaps are null.

    Numbers become Float64, moments Datetime in microseconds, all else String; references to pictures stay.

    Args:
        table: cells as they were found; columns it has beside those asked for are left out.
        columns: what was understood, perhaps of another table: of the training's, at prediction. Pass those that
            are needed; columns with the role `ignore` are passed over.
        learned: whether a network has learned with these columns already: cells can be mended then, kinds cannot.
        unusable: the largest share of a column's cells that may be unusable.

    Returns:
        The same rows with these columns in this order, and the unusable cells, the first `MOST_LISTED` of each column.

    Raises:
        DataError: if a column is not there, or more than that share of its cells is unusable.
    """
    used = {name: column for name, column in columns.items() if column.role != "ignore"}
    cells: dict[str, pl.Series] = {}
    problems: list[Problem] = []
    sound = _sound_numbers(table, used)
    for name, column in used.items():
        if name in sound:
            cells[name] = sound[name]
            continue
        if name not in table.columns:
            raise DataError(
                f"{table.name} has no column {name!r}, which the network reads.{nearest(name, table.columns)} "
                f"Rename a column, or add {name!r}; where its values are not known, leave its cells empty."
            )
        made, stray = _cast_column(table, column, learned, unusable)
        cells[name] = made
        problems += stray
    return table.with_frame(pl.DataFrame(cells) if cells else pl.DataFrame(height=len(table))), problems


def _sound_numbers(table: Table, columns: Mapping[str, Column]) -> dict[str, pl.Series]:
    """Columns of typed numbers with nothing in them to mend, all in one go: for a single row the calls are the cost."""
    types = table.frame.schema
    names = [
        name for name, column in columns.items()
        if column.kind == "number" and not column.missing and name in types and types[name].is_numeric()
    ]  # fmt: skip
    if not names:
        return {}
    made = table.frame.select(pl.col(names).cast(pl.Float64).fill_nan(None))
    infinite = made.select(pl.all().is_infinite().any()).row(0)
    return {name: made[name] for name, stray in zip(names, infinite, strict=True) if not stray}


def _cast_column(table: Table, column: Column, learned: bool, unusable: float) -> tuple[pl.Series, list[Problem]]:
    cells = table.frame[column.name]
    if column.kind == "image":
        _must_be_found(table, column)
        return cells.cast(pl.String), []
    if table.flows:  # a stretch of blanks, or one that says NA, is text like any other
        return cells.cast(pl.String), []
    cells = gaps_to_null(plain_cells(cells), column.missing)
    if column.kind in ("text", "tags"):
        return cells.cast(pl.String), []
    if column.kind == "category":
        return _categories(cells), []
    made, reason = _numbers(cells, column) if column.kind == "number" else _moments(cells, column)
    return made.alias(column.name), _problems(table, column, cells, made, reason, learned, unusable)


def _must_be_found(table: Table, column: Column) -> None:
    """Refuse a column of pictures none of which was found when the table was read: its cells are mere text."""
    cells = table.frame[column.name]
    if column.name in table.media or cells.null_count() == len(cells):
        return
    row = int(cells.is_not_null().arg_max() or 0)
    raise DataError(
        f"Column {column.name!r} holds pictures, but none of them was found (first: {table.where(row)}, "
        f"{_shown(cells[row])!r}). Give the folder or archive that holds them as well, after {table.name}; paths in a "
        "table are looked up beside it and there."
    )


def _categories(cells: pl.Series) -> pl.Series:
    """Text; `1` and `1.0` are one category, however a file or a frame writes it."""
    if cells.dtype != pl.String:
        return plain_text(cells) if cells.dtype.is_numeric() else cells.cast(pl.String)
    return cells.str.replace(r"^(-?\d+)\.0+$", "$1")


def _numbers(cells: pl.Series, column: Column) -> tuple[pl.Series, str]:
    if cells.dtype in (pl.Date, pl.Datetime):
        raise DataError(f"Column {column.name!r} is a number, but its cells are typed {cells.dtype}: convert them.")
    text = cells.dtype == pl.String
    made = parse_numbers(cells, NumberStyle(column.decimal, column.unit)) if text else cells.cast(pl.Float64)
    return made.set(made.is_infinite().fill_null(False), None), "a number"


def _moments(cells: pl.Series, column: Column) -> tuple[pl.Series, str]:
    made = parse_moments(cells, column.format)
    if column.format is None and cells.dtype == pl.String:  # typed at training, and now read from a text file
        for format in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z"):
            made = made.zip_with(made.is_not_null(), parse_moments(cells, format))
    return made, f"a moment written {column.format}" if column.format else "a moment"


def _problems(table: Table, column: Column, cells: pl.Series, made: pl.Series, reason: str,
              learned: bool, unusable: float) -> list[Problem]:  # fmt: skip
    """The cells that hold something, of which nothing was made.

    Raises:
        DataError: if there are too many of them.
    """
    stray = (cells.is_not_null() & made.is_null()).arg_true()
    gaps = cells.null_count()
    if cells.dtype == pl.String:  # a word such as NA is never a number, whichever the training happened to hold
        words = is_gap_word(cells[stray], among_numbers=True)
        gaps, stray = gaps + int(words.sum()), stray.filter(~words)
    if len(stray) == 0:
        return []
    total, name, first = len(cells) - gaps, column.name, str(cells[int(stray[0])])
    if len(stray) > unusable * total:
        more = "".join(f"; {table.where(int(row))}, {_shown(cells[int(row)])!r}" for row in stray[1:_SHOWN])
        raise DataError(
            f"Column {name!r} is {reason}, but {len(stray):,} of {total:,} cells are not (first: "
            f"{table.where(int(stray[0]))}, {_shown(first)!r}{more}). "
            f"{_remedy(name, first, len(stray) / total, learned)}"
        )
    return [
        Problem(int(row), name, _shown(cells[int(row)]), f"not {reason}", len(stray)) for row in stray.head(MOST_LISTED)
    ]


def _remedy(name: str, first: str, share: float, learned: bool) -> str:
    """What mends a column with so large a share of unusable cells."""
    if learned:
        return "Correct them; where a value is not known, leave the cell empty."
    gaps = f"take them for gaps: --set checks.unusable={_enough(share)}"
    if len(first) > LONGEST:
        return f"Declare a kind: {setting(name, 'kind', 'text')}, or {gaps}"
    missing = setting(name, "missing", json.dumps([first]))
    return f"Mark them as gaps: {missing}, or declare a kind: {setting(name, 'kind', 'category')}, or {gaps}"


def _shown(cell: object) -> str:
    """A cell as a message shows it: a whole letter may stand where a number belongs."""
    text = str(cell)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _enough(share: float) -> str:
    """A round share that is not below this one."""
    return f"{min(math.ceil(share * 20) / 20, 1):g}"
