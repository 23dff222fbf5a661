"""Rows that occur more than once, within the data and on both sides of the split."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from lamina.data.column import Column
from lamina.data.split import Split
from lamina.data.table import Table


class Repeats(NamedTuple):
    """How often rows repeat each other."""

    again: int
    """Rows that equal an earlier one, inputs and answers."""
    valid: int
    """Validation rows that equal a training row."""
    test: int
    """Test rows that equal a row that was learned from or chosen by."""
    contrary: int
    """Rows whose inputs occur with another answer as well."""
    example: tuple[int, int] | None
    """Two rows with equal inputs and different answers."""


def count_repeats(table: Table, columns: Mapping[str, Column], targets: Sequence[str], split: Split) -> Repeats:
    """Compare whole rows of inputs (pictures by their content) and answers.

    Args:
        table: typed, as `cast` made it.
        columns: what was understood; only inputs and targets are compared.
        targets: the columns to predict.
        split: whose rows are compared; rows in none of its parts are passed over.
    """
    inputs = [name for name, column in columns.items() if column.role == "input"]
    rows = np.concatenate([split.train, split.valid, split.test])
    if not inputs or len(rows) == 0:
        return Repeats(0, 0, 0, 0, None)
    frame = _comparable(table, inputs)[rows]
    seen = frame.hash_rows(0).to_numpy()
    answers = table.frame.select(targets)[rows].hash_rows(0).to_numpy() if targets else np.zeros(len(rows), np.uint64)
    # Two hashes mixed into one: equal rows stay equal, and others meet once in 2^64 pairs.
    whole = seen * np.uint64(0x9E3779B97F4A7C15) ^ answers
    train, valid = len(split.train), len(split.train) + len(split.valid)
    contrary = _contrary(seen, answers)
    return Repeats(
        again=len(whole) - len(np.unique(whole)),
        valid=int(np.isin(whole[train:valid], whole[:train]).sum()),
        test=int(np.isin(whole[valid:], whole[:valid]).sum()),
        contrary=int(contrary.sum()),
        example=_example(seen, answers, contrary, rows),
    )


def _comparable(table: Table, inputs: Sequence[str]) -> pl.DataFrame:
    """The input cells, pictures by the fingerprint of their content."""
    frame = table.frame.select(inputs)
    for name in inputs:
        if name in table.media:
            mark = table.media[name].fingerprint
            marks = [None if cell is None else mark(cell) for cell in frame[name]]
            frame = frame.with_columns(pl.Series(name, marks, dtype=pl.String))
    return frame


def _contrary(seen: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(rows,) whether the same inputs occur with another answer."""
    _, kind, counts = np.unique(seen, return_inverse=True, return_counts=True)
    order = np.lexsort((answers, kind))
    differs = np.zeros(len(counts), dtype=bool)
    same_kind = kind[order][1:] == kind[order][:-1]
    differs[kind[order][1:][same_kind & (answers[order][1:] != answers[order][:-1])]] = True
    return differs[kind]


def _example(seen: np.ndarray, answers: np.ndarray, contrary: np.ndarray, rows: np.ndarray) -> tuple[int, int] | None:
    places = np.flatnonzero(contrary)
    if len(places) == 0:
        return None
    alike = places[seen[places] == seen[places[0]]]
    other = alike[answers[alike] != answers[places[0]]][0]
    first, second = sorted((int(rows[places[0]]), int(rows[other])))
    return first, second
