"""A text too large to be held in memory: rows drawn from all of it, and the rest, to be learned from as it is read.

What a column means, what gives an answer away, how rows are divided and what a result is worth show in a few hundred
thousand rows as well as in all of them; weights want every row they can get. So the first are looked at, divided and
held, and the others come a stretch at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lamina.data.delimited import Stretches
from lamina.data.join import Piece, join
from lamina.data.read import read
from lamina.data.references import path_columns
from lamina.data.slicing import large_text, sliced
from lamina.data.table import Table
from lamina.ground.seed import numpy_generator

DRAWN_BYTES = 48 << 20
"""Of the text, that the drawn rows take about; in memory their cells take several times as much."""
FEWEST_ROWS = 20_000
"""Drawn at the least, however long they are."""


@dataclass(frozen=True)
class Rest:
    """The rows of a large text that were not drawn, read anew whenever they are wanted."""

    text: Stretches
    drawn: np.ndarray
    """(drawn,) int64, ascending: the rows that were."""
    digest: str
    """The sha256 of the whole text."""

    def __len__(self) -> int:
        return len(self.text) - len(self.drawn)

    def tables(self) -> Iterator[Table]:
        """The rows in order, a stretch at a time.

        Raises:
            DataError: as `delimited_slices`.
        """
        for table, mine in _marked(self.text, self.drawn):
            yield table.among(np.flatnonzero(~mine))


def draw(sources: Sequence[object], test: Sequence[object] = ()) -> tuple[Table, Rest] | None:
    """Rows of one large delimited text, every one with the same chance, and the rest; None for all other data.

    Args:
        sources: as in `read`, a list.
        test: the same, for rows that are only judged on; they are read whole.

    Returns:
        What `read` would give if the text held the drawn rows only, each at its place; the same ones each time. None
        too where nearly all rows would be drawn, and where cells name pictures.

    Raises:
        DataError: as `read`.
    """
    file = large_text(sources)
    text = None if file is None else sliced(file)
    if not isinstance(text, Stretches):
        return None
    count = max(len(text) * DRAWN_BYTES // text.weight, FEWEST_ROWS)
    if len(text) < 2 * count or path_columns(next(iter(text)).frame):
        return None
    drawn = np.sort(numpy_generator("drawn", len(text)).choice(len(text), count, replace=False, shuffle=False))
    pieces = [table.among(np.flatnonzero(mine)) for table, mine in _marked(text, drawn) if mine.any()]
    table = Table(
        pl.concat([piece.frame for piece in pieces], rechunk=True),
        origins=tuple(origin for piece in pieces for origin in piece.origins),
        notes=pieces[0].notes,
    )
    if test:
        table = join([Piece(table, "train"), Piece(read(list(test)), "test")])
    return table, Rest(text, drawn, text.digest())


def _marked(text: Stretches, drawn: np.ndarray) -> Iterator[tuple[Table, np.ndarray]]:
    """Each stretch, and (rows,) which of its rows were drawn."""
    done = 0
    for table in text:
        first, last = np.searchsorted(drawn, [done, done + len(table)])
        mine = np.zeros(len(table), dtype=bool)
        mine[drawn[first:last] - done] = True
        yield table, mine
        done += len(table)
