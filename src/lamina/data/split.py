"""Which rows are learned from, chosen by, and judged on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lamina.data._manner import manner_of
from lamina.data.column import Column
from lamina.data.kinds import PARTS
from lamina.data.prose import STRETCH
from lamina.data.table import Table
from lamina.ground.errors import DataError, PlanError, listing, nearest
from lamina.ground.seed import numpy_generator

FEWEST_ROWS = 10
"""Rows with an answer below which there is nothing to split."""
MOST_HELD = 20_000
"""Rows that validation and test each take at most: more would not make the verdict sharper in a way that matters."""


@dataclass(frozen=True)
class Split:
    """Three sets of row numbers without an overlap; row numbers ascend."""

    train: np.ndarray
    """(rows,) int64: what parts and weights are learned from."""
    valid: np.ndarray
    """(rows,) int64: what decides when to stop and what to keep."""
    test: np.ndarray
    """(rows,) int64: touched once, at the end; may be empty."""
    how: str
    """`random`, `stratified`, `group`, `time`, `order` or `given`."""
    reason: str
    """Why, in words."""
    apart: bool = False
    """Whether rows are held out by groups or by time, so that a further row might be too near to them to learn from."""


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """How rows are divided."""

    by: str = "auto"
    """`auto` takes the parts that the data names, else groups, time, or answers into account where it finds them;
    or random, stratified, group, time, given; or the column that names the parts (see `named_parts`)."""
    valid: float | None = None
    """Share of the rows for validation; worked out from their number when not given."""
    test: float | None = None
    """Share of the rows for the test; 0 holds none out."""

    def __post_init__(self) -> None:
        for name, share, low in (("valid", self.valid, 1e-6), ("test", self.test, 0.0)):
            if share is not None and not low <= share <= 0.5:
                raise PlanError(f"split.{name}: {share!r} does not do. Give a share of the rows, at most 0.5.")


def make_split(table: Table, columns: Mapping[str, Column], targets: Sequence[str],
               settings: SplitPlan = SplitPlan(), seed: int = 0) -> Split:  # fmt: skip
    """Rows to learn from, to choose by and to judge on; rows without an answer are in none of them.

    Args:
        table: typed, as `cast` made it; `table.parts` are kept to, and where they name a test no other is held out.
        columns: what was understood; a column with the role `group` or `time` decides how rows are divided.
        targets: the columns to predict; may be empty.
        settings: how, and how many.
        seed: the same seed divides the same table alike.

    Raises:
        DataError: if there are too few rows, or a target has no answers or only one.
        PlanError: if the table has not what the settings ask for.
    """
    rows = answered(table, columns, targets)
    random = numpy_generator(seed, "split")
    parts = table.parts
    if settings.by == "given" and parts is None:
        raise PlanError(
            "split.by: 'given' needs a split that the data names: files called train and test, or --split COLUMN."
        )
    train, valid, test = rows, rows[:0], rows[:0]
    if parts is not None:
        train, valid, test = (rows[parts[rows] == part] for part in ("train", "valid", "test"))
    manner = manner_of(table, columns, targets, settings.by, train)
    shares = _shares(len(rows), settings, table.flows)
    if len(test) == 0 and shares["test"]:
        test = manner.hold(train, _count(shares["test"], train), random)
        train = np.setdiff1d(train, test, assume_unique=True)
    if len(valid) == 0:
        valid = manner.hold(train, _count(shares["valid"], train if parts is not None else rows), random)
        train = np.setdiff1d(train, valid, assume_unique=True)
    if len(train) == 0 or len(valid) == 0:
        raise DataError(
            f"{table.name}: of {len(rows):,} rows with an answer {len(train):,} would be learned from and "
            f"{len(valid):,} chosen by. Give more rows, or other shares: --set split.valid=0.2"
        )
    apart = manner.groups is not None or manner.times is not None
    if parts is None:
        return Split(train, valid, test, manner.how, manner.reason, apart)
    named = [part for part in ("train", "valid", "test") if (parts[rows] == part).any()]
    reason = f"the data itself names {' and '.join(named)}"
    cut = [part for part in ("valid", "test") if part not in named and (part == "valid" or len(test))]
    if cut:
        reason += f"; {' and '.join(cut)} cut from train: {manner.reason}"
    return Split(train, valid, test, "given", reason, apart)


def folds(table: Table, columns: Mapping[str, Column], targets: Sequence[str], settings: SplitPlan = SplitPlan(),
          seed: int = 0, count: int = 5) -> list[Split]:  # fmt: skip
    """Several splits of a small table whose test rows take turns, divided in the same manner as `make_split` does.

    Every row is tested once, except with a column of role `time`: there each fold learns from what came before it, so
    that the earliest rows are never tested. Test rows that the data names stay out of all folds.
    """
    rows = answered(table, columns, targets)
    if table.parts is not None:
        rows = rows[table.parts[rows] != "test"]
    random = numpy_generator(seed, "folds")
    manner = manner_of(table, columns, targets, settings.by, rows)
    numbers = manner.fold(rows, count, random)
    splits = []
    for fold in range(count):
        test = rows[numbers == fold + manner.latest]
        rest = rows[numbers <= fold] if manner.latest else rows[numbers != fold]
        valid = manner.hold(rest, _count(_shares(len(rows), settings, table.flows)["valid"], rest), random)
        train = np.setdiff1d(rest, valid, assume_unique=True)
        if min(len(train), len(valid), len(test)) == 0:
            raise DataError(
                f"{table.name}: {len(rows):,} rows are too few, or too much alike, for {count} folds ({manner.reason})."
            )
        splits.append(Split(train, valid, test, manner.how, f"fold {fold + 1} of {count}; {manner.reason}"))
    return splits


def fingerprint(split: Split) -> str:
    """16 hexadecimal digits that change when any row changes sides."""
    digest = hashlib.sha256()
    for rows in (split.train, split.valid, split.test):
        digest.update(f"{len(rows)}:".encode() + np.ascontiguousarray(rows, dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


def named_parts(table: Table, column: str) -> Table:
    """The table, divided as one of its columns says; that column is no longer among the others.

    Raises:
        PlanError: if there is no such column, or it holds other words than those for parts of a split.
    """
    if column not in table.columns:
        raise PlanError(f"--split {column}: there is no such column.{nearest(column, table.columns)} "
                        f"Columns: {listing(table.columns, 30)}.")  # fmt: skip
    words = table.frame[column].cast(pl.String).str.strip_chars().str.to_lowercase()
    strange = (~words.is_in(list(PARTS)).fill_null(False)).arg_true()
    if len(strange):
        row = int(strange[0])
        raise PlanError(
            f"--split {column}: {table.where(row)} says {table.frame[column][row]!r}, and {len(strange):,} of "
            f"{len(table):,} cells are no part of a split. Use train, valid and test."
        )
    if "train" not in set(words.replace_strict(PARTS)):
        raise PlanError(f"--split {column}: no row is for training. Use train, valid and test.")
    parts = words.replace_strict(PARTS).to_numpy().astype(str)
    return replace(table, frame=table.frame.drop(column), parts=parts)


def answered(table: Table, columns: Mapping[str, Column], targets: Sequence[str]) -> np.ndarray:
    """(rows,) the rows that have an answer in every column to predict.

    Raises:
        DataError: if there are too few, or all answers are the same.
    """
    there = np.ones(len(table), dtype=bool)
    for name in targets:
        cells = table.frame[name]
        if cells.null_count() == len(cells):
            raise DataError(f"Column {name!r} is to be predicted, and none of its {len(cells):,} cells holds a value.")
        there &= cells.is_not_null().to_numpy()
    rows = np.flatnonzero(there)
    if len(rows) < FEWEST_ROWS and table.flows:
        characters = int(table.frame[targets[0]].str.len_chars().sum())
        raise DataError(
            f"{table.name} has {characters:,} characters; at least {FEWEST_ROWS * STRETCH:,} are needed to learn from "
            "some and be judged on others. Give a longer text."
        )
    if len(rows) < FEWEST_ROWS:
        what = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
        raise DataError(
            f"{table.name} has {what} with an answer in {listing(map(repr, targets))}; at least {FEWEST_ROWS} are "
            f"needed. Give more rows, or fill in answers."
        )
    for name in targets:
        cells = table.frame[name][rows]
        if columns[name].kind in ("category", "number") and cells.n_unique() == 1:
            raise DataError(
                f"Column {name!r} is to be predicted, and all {len(rows):,} answers are {cells[0]!r}: there is "
                "nothing to learn. Give rows with other answers as well."
            )
    return rows


def _shares(rows: int, settings: SplitPlan, flows: bool) -> dict[str, float]:
    """The shares for validation and test: small tables give more of their rows, or the verdict would be a guess.

    Choosing among the weights of one training takes fewer rows than judging it. A row of running text counts for as
    many as it has characters.
    """
    test = 0.1 if flows else 0.2 if rows < 2_000 else 0.15 if rows < 10_000 else min(0.1, MOST_HELD / rows)
    valid = 0.05 if flows else min(test, 0.1) if rows >= 2_000 else test
    return {"valid": valid if settings.valid is None else settings.valid,
            "test": test if settings.test is None else settings.test}  # fmt: skip


def _count(share: float, rows: np.ndarray) -> int:
    return max(1, round(share * len(rows)))
