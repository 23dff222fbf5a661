"""Rows of a large text prepared as they are read: cast as the drawn ones were, without what cannot be learned from."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import polars as pl

from lamina.data import (
    CHUNK_ROWS,
    Block,
    Chunk,
    Column,
    Facts,
    Rest,
    StoredBlock,
    Table,
    cast,
    in_threads,
    open_block,
    writing,
)
from lamina.ground import DataError, cache_folder, key
from lamina.network import Plan
from lamina.run.parts import Told, columns_of, name_of, parts_of

PIECE_ROWS = 2 * CHUNK_ROWS
"""Rows prepared together: of a chunk, calls for each column are a quarter of the time."""


@dataclass(frozen=True)
class _Made:
    """Some rows, prepared for every part."""

    blocks: Mapping[str, Block]
    rows: int
    """That were read."""
    again: int
    """That equal a row to choose by or to judge on."""
    unanswered: int
    """That have no answer and are left out."""
    lost: Sequence[str] = ()
    """Of each other row that is left out: where it stands, and why."""
    stray: Mapping[str, int] = field(default_factory=dict)
    """Cells that count as gaps, by column."""
    first_stray: Mapping[str, str] = field(default_factory=dict)
    """The first of them, in words."""


@dataclass(frozen=True)
class _Maker:
    """What is done with some rows."""

    plan: Plan
    facts: Mapping[str, Facts]
    columns: Mapping[str, Column]
    targets: Sequence[str]
    held: np.ndarray
    """(held,) uint64, ascending: hashes of the rows to choose by and to judge on."""

    def __call__(self, table: Table) -> _Made:
        typed, problems = cast(table, self.columns, unusable=1.0)
        firsts = {problem.column: problem for problem in reversed(problems)}
        rows = np.flatnonzero(~typed.frame.select(pl.any_horizontal(pl.col(self.targets).is_null())).to_series())
        unanswered = len(table) - len(rows)
        blocks = self._blocks(typed, rows)
        said = {path: block.problems for path, block in blocks.items() if block.problems}
        lost = {int(rows[entry]): f"{path}: {why}" for path, found in said.items() for entry, why in found.items()}
        if lost:
            rows = np.setdiff1d(rows, list(lost))
            blocks = self._blocks(typed, rows)
        return _Made(
            blocks, len(table), self._again(row_hashes(typed.frame[rows], self.columns, self.targets)), unanswered,
            [f"{table.where(row)}: {why}" for row, why in sorted(lost.items())],
            {name: problem.total for name, problem in firsts.items()},
            {name: f"{table.where(problem.row)}: {problem.cell!r} is {problem.reason}"
             for name, problem in firsts.items()},
        )  # fmt: skip

    def _again(self, hashes: np.ndarray) -> int:
        """How many of some rows equal one that is held out."""
        if not len(self.held):
            return 0
        return int((self.held[np.searchsorted(self.held, hashes) % len(self.held)] == hashes).sum())

    def _blocks(self, typed: Table, rows: np.ndarray) -> dict[str, Block]:
        frame = typed.frame if len(rows) == len(typed) else typed.frame[rows]
        blocks = {}
        for path, part in parts_of(self.plan).items():
            some = Chunk(rows, frame.select(list(dict.fromkeys(columns_of(part)))), typed.open)
            blocks[path] = part.prepare(some, self.facts[path])
        return blocks


def row_hashes(frame: pl.DataFrame, columns: Mapping[str, Column], targets: Sequence[str]) -> np.ndarray:
    """(rows,) uint64: equal where inputs and answers are equal."""
    compared = [name for name, column in columns.items() if column.role == "input" or name in targets]
    return frame.select(compared).hash_rows(0).to_numpy()


class _Count:
    """What was met on the way through the rest.

    Cells and rows that cannot be used are as many as `most` of all rows at the most.
    """

    def __init__(self, rest: Rest, most: float):
        self._rows, self._most = len(rest), most
        self.rows = 0
        """That were read."""
        self._stray: dict[str, int] = {}
        self._first_stray: dict[str, str] = {}
        self.story: dict[str, Any] = {"unanswered": 0, "left_out": 0, "first": "", "again": 0}

    def add(self, made: _Made) -> None:
        """Take note of some rows.

        Raises:
            DataError: once too much of the whole cannot be used.
        """
        self.rows += made.rows
        self.story["again"] += made.again
        self.story["unanswered"] += made.unanswered
        self.story["left_out"] += len(made.lost)
        self.story["first"] = self.story["first"] or next(iter(made.lost), "")
        for name, count in made.stray.items():
            self._stray[name] = self._stray.get(name, 0) + count
            self._first_stray.setdefault(name, made.first_stray[name])
            if self._stray[name] > self._most * self._rows:
                self._refuse(f"cells of column {name!r}", self._first_stray[name])
        if self.story["left_out"] > self._most * self._rows:
            self._refuse("rows", self.story["first"])

    def _refuse(self, what: str, first: str) -> NoReturn:
        raise DataError(
            f"More than {self._most:.0%} of the {what} cannot be used; the first: {first}. Mend them, or learn from "
            "the others: --set checks.unusable=1"
        )


def _chunks(rest: Rest) -> Iterator[Table]:
    """The rest in pieces that are soon done, so that few of them lie in memory at a time."""
    for table in rest.tables():
        for start in range(0, len(table), PIECE_ROWS):
            yield table.among(np.arange(start, min(start + PIECE_ROWS, len(table))))


def prepare_more(plan: Plan, facts: Mapping[str, Facts], table: Table, columns: Mapping[str, Column],
                 held: np.ndarray, rest: Rest, told: Told) -> dict[str, StoredBlock]:  # fmt: skip
    """The prepared block of every part over the rows of a table and, behind them, those of the rest; kept in the cache.

    Rows of the rest that have no answer or cannot be prepared are left out. What was met stands in each block's
    `story`: how many are `unanswered`, how many others were `left_out` and the `first` of these, and how many of the
    learned rows occur `again` among those that are held out.

    Args:
        plan, facts: of the parts.
        table: typed, as `cast` made it: the drawn rows.
        columns: what was understood of them.
        held: rows of the table that are not learned from.
        rest: the other rows of the text.
        told: progress.

    Raises:
        DataError: if too many cells of a column, or too many rows, cannot be used; with the first of them.
    """
    parts = parts_of(plan)
    targets = [name for name, column in columns.items() if column.role == "target"]
    names = [name_of(path, part, facts[path], table) for path, part in parts.items()]
    shared = [rest.digest, held.tolist(), plan.checks.unusable, names,
              sorted((name, repr(column)) for name, column in columns.items())]  # fmt: skip
    folders = {path: cache_folder() / "store" / f"{key(*shared, path):016x}" for path in parts}
    if not all((folder / "block.json").exists() for folder in folders.values()):
        hashes = np.sort(row_hashes(table.frame[held], columns, targets))
        maker = _Maker(plan, facts, columns, targets, hashes)
        with ExitStack() as stack:
            writers = {path: stack.enter_context(writing(folder)) for path, folder in folders.items()}
            for path, part in parts.items():
                for chunk in table.chunks(columns=columns_of(part)):
                    writers[path].add(part.prepare(chunk, facts[path]))
            count = _Count(rest, plan.checks.unusable)
            for made in in_threads(maker, _chunks(rest)):
                count.add(made)
                for path, block in made.blocks.items():
                    writers[path].add(block)
                told("rows", len(table) + count.rows, len(table) + len(rest))
            for writer in writers.values():
                writer.story |= count.story
    return {path: open_block(folder) for path, folder in folders.items()}
