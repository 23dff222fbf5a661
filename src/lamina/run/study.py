"""From cells as they were found to rows that can be learned from: kinds, gaps, leaks, split, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lamina.data import (
    Column,
    Finding,
    Problem,
    Split,
    SplitPlan,
    Table,
    cast,
    check,
    guess_targets,
    leaks,
    make_split,
    size,
    understand,
)
from lamina.ground import DataError, PlanError, from_plain, listing, nearest, numpy_generator


@dataclass(frozen=True)
class Study:
    """Data, understood."""

    table: Table
    """Cells in their kinds; rows without a target left out."""
    columns: dict[str, Column]
    targets: tuple[str, ...]
    split: Split
    findings: list[Finding]
    problems: list[Problem]
    """Cells that could not be used, the first few of them."""
    rows: np.ndarray
    """(table rows,) the row numbers in the table as it was read, for messages."""
    source: Table
    """The table as it was read."""

    def where(self, row: int) -> str:
        """The place of a row, as the person knows it."""
        return self.source.where(int(self.rows[row]))


def study(source: Table, predict: Sequence[str], given: Mapping[str, Any], seed: int) -> Study:
    """Understand a table and split it.

    Args:
        source: the table as it was read.
        predict: columns to predict; empty to take what the data marks, or the likeliest.
        given: nested plain values of a plan: `columns` and `split` are used here.
        seed: for the split.

    Raises:
        DataError, PlanError: if the data cannot be used, or what was given does not fit it.
    """
    said: dict[str, dict[str, Any]] = {name: dict(value) for name, value in (given.get("columns") or {}).items()}
    findings: list[Finding] = []
    targets, reason = _targets(source, predict, said)
    columns = understand(source, targets, said)
    if reason:
        findings.append(Finding("note", targets[0], reason, f"Choose another with --predict COLUMN ({listing(columns)})."))
    table, problems = cast(source, columns)
    table, rows, lost = _with_targets(table, targets)
    if lost:
        findings.append(Finding("note", targets[0], f"{lost:,} rows without an answer in {targets[0]!r} are left out", ""))
    if len(table) < 10:
        raise DataError(f"{source.name} has {len(table)} usable rows: too few to learn from. Ten are the least.")
    columns, told = _without_leaks(table, columns, targets, said)
    findings += told
    split = make_split(table, columns, targets, from_plain(SplitPlan, given.get("split") or {}, "split"), seed)
    findings += check(table, columns, split, targets)
    return Study(table, columns, targets, split, findings, problems, rows, source)


def _targets(source: Table, predict: Sequence[str], said: dict[str, dict[str, Any]]) -> tuple[tuple[str, ...], str]:
    """The columns to predict, and why, when nobody said so."""
    for name in predict:
        if name not in source.columns:
            raise PlanError(
                f"There is no column {name!r} in {source.name}.{nearest(name, source.columns)} "
                f"Columns: {listing(source.columns, 30)}."
            )
    if predict:
        return tuple(dict.fromkeys(predict)), ""
    marked = tuple(name for name, about in said.items() if about.get("role") == "target")
    if marked:
        return marked, ""
    guess = guess_targets(source, understand(source, None, said))
    if guess is None:
        raise PlanError(
            f"Which column of {source.name} is to be predicted? Say so: --predict COLUMN ({listing(source.columns, 30)})."
        )
    return guess


def _with_targets(table: Table, targets: Sequence[str]) -> tuple[Table, np.ndarray, int]:
    """The rows that have every target, their numbers, and how many have not."""
    frame = table.frame
    present = np.ones(len(table), dtype=bool)
    for name in targets:
        present &= frame[name].is_not_null().to_numpy()
    rows = np.flatnonzero(present)
    if not len(rows):
        raise DataError(f"Column {listing(targets)!r} holds nothing but gaps: there is no answer to learn from.")
    lost = len(table) - len(rows)
    if not lost:
        return table, rows, 0
    parts = None if table.parts is None else table.parts[rows]
    return replace(table.take(rows), parts=parts, origins=()), rows, lost


def _without_leaks(table: Table, columns: dict[str, Column], targets: Sequence[str],
                   said: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Column], list[Finding]]:  # fmt: skip
    """Columns that surely give the answer away are set aside, unless a person gave them a role."""
    columns, findings = dict(columns), []
    for finding in leaks(table, columns, targets):
        findings.append(finding)
        for name in finding.set_aside:
            if "role" not in said.get(name, {}):
                columns[name] = replace(columns[name], role="ignore", reason=finding.text)
    return columns, findings


def typical_side(table: Table, columns: Mapping[str, Column], rows: np.ndarray, seed: int) -> int | None:
    """The median of the pictures' longer sides in pixels, over a sample of rows; None without pictures."""
    sides = []
    for column in columns.values():
        if column.kind != "image" or column.role != "input":
            continue
        some = numpy_generator(seed, "sides", column.name).permutation(rows)[:64]
        for reference in table.frame[column.name][some]:
            try:
                height, width, _ = size(table.open(column.name, reference), reference)
            except DataError:
                continue  # named when the pictures are prepared
            sides.append(max(height, width))
    return int(np.median(sides)) if sides else None
