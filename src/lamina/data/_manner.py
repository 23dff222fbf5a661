"""The manner in which a table is divided, and why: what rows are alike, and so must stay on one side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from lamina.data import _cuts
from lamina.data._sequences import codes_of, picture_column, times_in_column, times_in_names, tracks_in_names
from lamina.data.column import Column
from lamina.data.pairs import how_answered
from lamina.data.table import Table
from lamina.ground.errors import DataError, PlanError


@dataclass(frozen=True)
class Manner:
    """How rows are held out, with what is needed for it; every array has an entry for each row of the table."""

    how: Literal["random", "stratified", "group", "time", "order"]
    reason: str
    strata: np.ndarray
    """Codes of classes or of ranges of the answer; all 0 without."""
    classes: bool = False
    """Whether strata are classes, of which each must keep a row to learn from."""
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    latest: bool = False
    """Whether the last rows are held, and not blocks of neighbours."""

    def hold(self, rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
        """About `count` of these rows, ascending."""
        if self.groups is not None:
            return _cuts.hold_groups(rows, self.groups[rows], self.strata[rows], count, random)
        if self.times is not None and self.latest:
            return _cuts.hold_latest(rows, self.times[rows], count)
        if self.times is not None:
            return _cuts.hold_blocks(rows, self.times[rows], count, random)
        return _cuts.hold_spread(rows, self.strata[rows], count, self.classes, random)

    def fold(self, rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
        """(rows,) a fold number from 0 for each of these rows; where the latest are held, up to `count` inclusive."""
        if self.groups is not None:
            return _cuts.fold_groups(self.groups[rows], self.strata[rows], count, random)
        if self.times is not None and self.latest:
            return _cuts.fold_stretches(self.times[rows], count + 1)
        if self.times is not None:
            return _cuts.fold_blocks(self.times[rows], count)
        return _cuts.fold_spread(self.strata[rows], count, random)


def manner_of(table: Table, columns: Mapping[str, Column], targets: Sequence[str], by: str, rows: np.ndarray) -> Manner:
    """How to divide rows: as asked for, or as the data suggests.

    Args:
        table: typed, as `cast` made it.
        columns: what was understood.
        targets: the columns to predict; the first number or category among them is spread evenly.
        by: `auto`, `random`, `stratified`, `group`, `time`; `given`, or the name of the column that names the parts
            (they are named already), is `auto` for the rest.
        rows: those that are to be divided; the others' cells are not looked at for tracks and times.

    Raises:
        PlanError: if the table has not what is asked for.
        DataError: if there are fewer than three groups.
    """
    if by == "random":
        return Manner("random", "at random, as asked for", np.zeros(len(table), dtype=np.int64))
    if table.flows:
        places = np.arange(len(table))
        reason = "the last part of the text is held out: nothing that comes after it is learned from"
        return Manner("order", reason, np.zeros_like(places), times=places.astype(np.float64), latest=True)
    plain = _plain_manner(table, columns, targets, rows)
    if by == "stratified":
        if plain.how != "stratified":
            raise PlanError("split.by: 'stratified' needs a number or a category to predict.")
        return plain
    if by != "time":
        grouped = _grouped_manner(table, columns, plain, rows)
        if grouped is not None:
            return grouped
        if by == "group":
            raise PlanError("split.by: 'group' needs a column that names the groups: --set columns.NAME.role=group")
    timed = _timed_manner(table, columns, plain, rows)
    if timed is None and by == "time":
        raise PlanError("split.by: 'time' needs a column that says when: --set columns.NAME.role=time")
    return timed or plain


def _plain_manner(table: Table, columns: Mapping[str, Column], targets: Sequence[str], rows: np.ndarray) -> Manner:
    """At random, evenly over the classes or the range of the first target that has such."""
    strata = np.zeros(len(table), dtype=np.int64)
    for name in targets:
        # Of these rows only: the answers of test rows must not decide which others are chosen by.
        cells, kind = table.frame[name][rows], columns[name].kind
        if kind == "category":
            strata[rows] = codes_of(cells)
            return Manner("stratified", f"at random, the same share of each {name}", strata, classes=True)
        if kind == "number":
            ranks = cells.rank("ordinal").fill_null(0).to_numpy()
            strata[rows] = ranks * 20 // (len(cells) + 1)
            return Manner("stratified", f"at random, evenly over the range of {name}", strata)
        asked = _asked(columns, targets) if kind == "text" else None
        if asked is not None and how_answered(table.frame[asked][rows], cells)[0] == "reply":
            strata[rows] = codes_of(cells)
            return Manner("stratified", f"at random, but every {name} is learned from once", strata, classes=True)
    return Manner("random", "at random", strata)


def _asked(columns: Mapping[str, Column], targets: Sequence[str]) -> str | None:
    """The column of questions, where texts answer texts and there is nothing else."""
    inputs = [column for column in columns.values() if column.role == "input" and column.name not in targets]
    return inputs[0].name if len(targets) == 1 and [column.kind for column in inputs] == ["text"] else None


def _grouped_manner(table: Table, columns: Mapping[str, Column], plain: Manner, rows: np.ndarray) -> Manner | None:
    strata = plain.strata if plain.classes else np.zeros_like(plain.strata)
    name = next((name for name, column in columns.items() if column.role == "group"), None)
    if name is not None:
        groups = codes_of(table.frame[name])
        number = len(np.unique(groups[rows]))
        if number < 3:
            raise DataError(f"Column {name!r} holds {number} groups; at least 3 are needed to divide rows by it.")
        return Manner(
            "group", f"whole groups of {name} ({number:,} of them): none lies on two sides", strata, groups=groups
        )
    pictures = picture_column(table, columns)
    if pictures is None or times_in_names(table.frame[pictures][rows]) is not None:
        return None
    found = tracks_in_names(table.frame[pictures][rows], strata[rows] if plain.classes else None)
    if found is None:
        return None
    groups = np.full(len(table), -1, dtype=np.int64)
    groups[rows] = found
    example = table.frame[pictures][int(rows[0])]
    reason = (
        f"whole tracks ({found.max() + 1:,} by file names such as {example!r}): pictures of one track are nearly equal"
    )
    return Manner("group", reason, strata, groups=groups)


def _timed_manner(table: Table, columns: Mapping[str, Column], plain: Manner, rows: np.ndarray) -> Manner | None:
    for name, column in columns.items():
        if column.role == "time":
            cells = table.frame[name]
            cells = cells.dt.epoch("us") if column.kind == "moment" else cells
            times = cells.cast(pl.Float64).fill_null(np.nan).to_numpy()
            reason = f"the latest rows by {name} are held out, as in use: what comes is predicted from what was"
            if np.isnan(times[rows]).any():
                reason += f"; {np.isnan(times[rows]).sum():,} rows without a time are learned from"
            return Manner("time", reason, plain.strata, times=times, latest=True)
    why = "blocks of time, spread over its range: neighbours are alike and must not lie on two sides"
    times = np.full(len(table), np.nan)
    pictures = picture_column(table, columns)
    found = times_in_names(table.frame[pictures][rows]) if pictures is not None else None
    if pictures is not None and found is not None:
        times[rows] = found
        return Manner(
            "time", f"{why} (file names such as {table.frame[pictures][int(rows[0])]!r})", plain.strata, times=times
        )
    for name, column in columns.items():
        if column.kind == "moment" and column.role == "input":
            found = times_in_column(table.frame[name][rows])
            if found is not None:
                times[rows] = found
                return Manner("time", f"{why} ({name} climbs evenly from row to row)", plain.strata, times=times)
    return None
