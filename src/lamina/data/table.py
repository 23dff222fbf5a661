"""Rows and named columns, wherever they came from.

Cells stay as they were found: text files give text, typed files give their types, and a picture is a reference that
is opened when needed. `kinds` decides later, on the whole column, what the cells mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import polars as pl

from lamina.data.batch import Chunk
from lamina.ground.errors import DataError

CHUNK_ROWS = 16_384
"""Rows that are looked at together: large enough for column-wise work, small enough to forget."""


class Media(Protocol):
    """Where the pictures or recordings of a column lie."""

    def open(self, reference: str) -> bytes | np.ndarray:
        """The bytes of the file, or the array, that a cell refers to.

        Raises:
            DataError: if it is not there or cannot be read; the message names it.
        """

    def fingerprint(self, reference: str) -> str:
        """Changes when the content changes; cheap: no decoding."""


@dataclass(frozen=True)
class Origin:
    """Which rows came from which file, for messages."""

    name: str
    """The file or folder as the person knows it: `houses.csv`, `photos.zip`."""
    rows: int
    first: int = 1
    """What a person would call the first of these rows: line 2 of a CSV with a header."""
    unit: str = "line"
    """What its rows are called: lines of a text file, pictures, rows."""
    lines: Sequence[int] | np.ndarray = ()
    """Where each row begins, for rows of several lines and such as do not follow each other; () where they do."""


@dataclass(frozen=True)
class Table:
    """Rows and named columns; immutable."""

    frame: pl.DataFrame
    media: Mapping[str, Media] = field(default_factory=dict)
    """By column, for the columns whose cells are references."""
    origins: tuple[Origin, ...] = ()
    """The files, in row order; their rows add up to the table's."""
    parts: np.ndarray | None = None
    """(rows,) `train`, `valid` or `test` where the data itself names a split; None without one."""
    notes: tuple[str, ...] = ()
    """What a person should know of the reading: how files were joined, which encoding was taken."""
    targets: tuple[str, ...] = ()
    """Columns that the data itself marks as the answer: the class folders, the labels beside the pictures."""
    flows: bool = False
    """Whether rows are stretches of running text, each of which goes on where the one before it ended."""

    def __post_init__(self) -> None:
        """Refuse names that Polars takes for patterns: whatever is done with such a column is done with others as well.

        Raises:
            DataError: names the first of them.
        """
        for name in self.frame.columns:
            if name == "*" or (name.startswith("^") and name.endswith("$")):
                raise DataError(
                    f"{self.name}: a column is called {name!r}, and names that are * or begin with ^ and end with $ "
                    "stand for several columns at once. Rename it."
                )

    def __len__(self) -> int:
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return self.frame.columns

    @property
    def name(self) -> str:
        """What a person calls this data: the first file's name."""
        return self.origins[0].name if self.origins else "data"

    def where(self, row: int) -> str:
        """`houses.csv, line 18`: the place of a row, for messages."""
        for origin in self.origins:
            if row < origin.rows:
                return f"{origin.name}, {origin.unit} {origin.lines[row] if len(origin.lines) else row + origin.first}"
            row -= origin.rows
        return f"row {row}"

    def open(self, column: str, reference: str) -> bytes | np.ndarray:
        """What a cell of a media column refers to."""
        return self.media[column].open(reference)

    def with_frame(self, frame: pl.DataFrame) -> "Table":
        """The same rows with other cells."""
        assert frame.height == self.frame.height
        return replace(self, frame=frame)

    def select(self, columns: Sequence[str]) -> "Table":
        """Some of the columns of all rows."""
        media = {name: self.media[name] for name in columns if name in self.media}
        return replace(self, frame=self.frame.select(list(dict.fromkeys(columns))), media=media)

    def take(self, rows: np.ndarray | Sequence[int]) -> "Table":
        """Some of the rows, in this order; places and splits do not carry over."""
        return Table(self.frame[np.asarray(rows)], self.media, notes=self.notes, targets=self.targets)

    def among(self, rows: np.ndarray) -> "Table":
        """Some of the rows, ascending, each with its place."""
        origins, start = list[Origin](), 0
        for origin in self.origins:
            first, last = np.searchsorted(rows, [start, start + origin.rows])
            some = rows[first:last] - start
            lines = np.asarray(origin.lines)[some] if len(origin.lines) else some + origin.first
            if len(some):
                origins.append(replace(origin, rows=len(some), lines=lines))
            start += origin.rows
        parts = None if self.parts is None else self.parts[rows]
        return replace(self, frame=self.frame[rows], origins=tuple(origins), parts=parts)

    def chunks(self, rows: np.ndarray | None = None, columns: Sequence[str] | None = None,
               size: int = CHUNK_ROWS) -> Iterator[Chunk]:  # fmt: skip
        """Rows (all when None) a piece at a time, with some or all columns."""
        frame = self.frame if columns is None else self.frame.select(list(dict.fromkeys(columns)))
        if rows is None:
            for start in range(0, len(self), size):
                piece = frame.slice(start, size)
                yield Chunk(np.arange(start, start + piece.height), piece, self.open)
            return
        for start in range(0, len(rows), size):
            some = np.asarray(rows[start : start + size], dtype=np.int64)
            yield Chunk(some, frame[some], self.open)
