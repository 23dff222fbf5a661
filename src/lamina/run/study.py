"""From cells as they were found to rows that can be learned from: kinds, gaps, leaks, split, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lamina.data import (
    ChecksPlan,
    Column,
    Finding,
    Problem,
    Rest,
    Split,
    SplitPlan,
    Table,
    cast,
    check,
    draw,
    leaks,
    make_split,
    named_parts,
    read,
    size,
    understand,
)
from lamina.ground import DataError, PlanError, from_plain, listing, nearest, numpy_generator
from lamina.run.tasks import TASKS
from lamina.run.to_make import check_enough

FOLDS_BELOW = 2_000
"""Rows under which a tenth of them would be too few to judge on."""


@dataclass(frozen=True)
class Study:
    """Data, understood."""

    found: Table
    """As it was read."""
    source: Table
    """The same, without a column that names the parts of a split: cells as they were found."""
    table: Table
    """The same rows, cells in their kinds."""
    columns: dict[str, Column]
    targets: tuple[str, ...]
    split: Split
    findings: list[Finding]
    problems: list[Problem]
    """Cells that could not be used, the first few of each column."""
    settings: SplitPlan
    task: str
    """One of `TASKS`."""
    by_folds: bool
    """Whether rows are too few to hold some out for good: the verdict then comes from folds."""
    rest: Rest | None = None
    """Rows of a large text beside those of the table, to be learned from as they are read."""

    @property
    def rows(self) -> int:
        """Of all data."""
        return len(self.source) + (len(self.rest) if self.rest else 0)

    @property
    def learned(self) -> int:
        """Rows to learn from."""
        return len(self.split.train) + (len(self.rest) if self.rest else 0)

    @property
    def digest(self) -> str | None:
        """Of the whole text, where the table holds drawn rows."""
        return self.rest.digest if self.rest else None

    def where(self, row: int) -> str:
        """The place of a row, as the person knows it."""
        return self.source.where(int(row))


def look(sources: Sequence[object], tests: Sequence[object], predict: Sequence[str], given: Mapping[str, Any],
         seed: int, task: str = "predict") -> Study:  # fmt: skip
    """Read data, understand and split it; of one large text only drawn rows, where more can be learned from as it is.

    Args:
        sources: as in `read`, a list.
        tests: the same, for rows that are only judged on.
        predict, given, seed, task: as in `study`.

    Raises:
        DataError, PlanError: if the data cannot be used, or what was given does not fit it.
    """
    found = draw(sources, tests) if task == "predict" else None
    if found is None:
        return study(read(sources, test=tests or None), predict, given, seed, task)
    table, rest = found
    seen = study(table, predict, given, seed, task)
    needed = _needed_for(seen, bool(tests))
    if needed is None:
        note = (
            f"{len(rest.drawn):,} rows, drawn from all, tell what the columns mean and what the result is worth; the "
            f"other {len(rest):,} are learned from as they are read"
        )
        return replace(seen, rest=rest, findings=[*seen.findings, Finding("note", None, note)])
    whole = study(read(sources, test=tests or None), predict, given, seed, task)
    note = f"all rows are held in memory, for {needed}"
    return replace(whole, findings=[*whole.findings, Finding("note", None, note)])


def _needed_for(seen: Study, tests: bool) -> str | None:
    """Why no row of the data can be understood or divided without the others; None where each can."""
    if seen.split.apart:
        return f"they are divided by what they have in common: {seen.split.reason}"
    if seen.source.parts is not None and not tests:
        return "the data itself says which are learned from"
    if any(column.role in ("weight", "group", "time") for column in seen.columns.values()):
        return "a column says what each counts, or which belong together"
    if any(seen.columns[name].kind not in ("number", "category") for name in seen.targets):
        return "their answers are texts"
    return None


def study(source: Table, predict: Sequence[str], given: Mapping[str, Any], seed: int,
          task: str = "predict") -> Study:  # fmt: skip
    """Understand a table and split it.

    Args:
        source: the table as it was read.
        predict: columns to predict; empty to take what the data marks, or the likeliest.
        given: nested plain values of a plan: `columns` and `split` are used here.
        seed: for the split.
        task: one of `TASKS`; where pictures are to be made, `predict` names their column.

    Raises:
        DataError, PlanError: if the data cannot be used, or what was given does not fit it.
    """
    said = _said(given.get("columns") or {})
    found = source
    source, settings = _divided(source, dict(given.get("split") or {}))
    findings: list[Finding] = []
    task = "rows" if task == "generate" and not source.media else task
    targets, said, reason = TASKS[task].targets(source, predict, said)
    columns = understand(source, targets, said)
    if reason:
        others = [name for name in columns if name not in targets]
        findings.append(Finding("note", targets[0], reason, f"choose another with --predict ({listing(others)})"))
    checks = from_plain(ChecksPlan, dict(given.get("checks") or {}), "checks")
    table, problems = cast(source, columns, unusable=checks.unusable)
    columns, told = (columns, []) if task == "rows" else leaks(table, columns, targets, said)  # no answer to give away
    by_folds = TASKS[task].folds and _few(table, columns, settings)
    if by_folds:
        settings = replace(settings, test=0.0)
    classes = [name for name, column in columns.items() if TASKS[task].asked_for and column.role == "input"]
    split = make_split(table, columns, [*targets, *classes], settings, seed)
    check_enough(table, split, TASKS[task].fewest)
    findings += [*told, *check(table, columns, split, targets)]
    return Study(found, source, table, columns, targets, split, findings, problems, settings, task, by_folds)


def _said(columns: object) -> dict[str, dict[str, Any]]:
    """What a person said of columns, by name."""
    if not isinstance(columns, Mapping):
        raise PlanError(f"columns: expected settings by column, found {columns!r}.")
    for name, about in columns.items():
        if not isinstance(about, Mapping):
            raise PlanError(
                f"columns.{name}: expected settings such as {{kind: category}} or {{role: ignore}}, found {about!r}."
            )
    return {str(name): dict(about) for name, about in columns.items()}


def _few(table: Table, columns: Mapping[str, Column], settings: SplitPlan) -> bool:
    """A small table without test rows of its own; what makes or writes takes too long to be trained six times."""
    pictures = any(column.kind == "image" and column.role == "input" for column in columns.values())
    named = table.parts is not None and "test" in table.parts
    written = any(column.kind == "text" and column.role == "target" for column in columns.values())
    return len(table) < FOLDS_BELOW and settings.test is None and not (pictures or named or table.flows or written)


def _divided(source: Table, split: dict[str, Any]) -> tuple[Table, SplitPlan]:
    """The table, divided by a column if `split.by` names one, and how else to split."""
    ways = ("auto", "random", "stratified", "group", "time", "given")
    by = split.get("by", "auto")
    if by not in ways:
        if by not in source.columns:
            raise PlanError(
                f"split.by: {by!r} is neither a way to split ({listing(ways)}) nor a column."
                f"{nearest(str(by), [*ways, *source.columns])}"
            )
        source, split["by"] = named_parts(source, by), "given"
    return source, from_plain(SplitPlan, split, "split")


def typical_side(table: Table, columns: Mapping[str, Column], rows: np.ndarray, seed: int) -> int | None:
    """The median of the pictures' longer sides in pixels, over a sample of rows; None without pictures."""
    sides = []
    for column in columns.values():
        if column.kind != "image" or column.role not in ("input", "target"):
            continue
        some = numpy_generator(seed, "sides", column.name).permutation(rows)[:64]
        for reference in table.frame[column.name][some]:
            if reference is None:
                continue
            try:
                height, width, _ = size(table.open(column.name, reference), reference)
            except DataError:
                continue  # named when the pictures are prepared
            sides.append(max(height, width))
    return int(np.median(sides)) if sides else None
