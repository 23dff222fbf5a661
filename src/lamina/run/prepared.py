"""From a plan and a table to what training reads: parts fitted on training rows, every cell prepared once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from lamina.data import Batch, Column, Facts, Finding, Rest, Split, StoredBlock, Table
from lamina.ground import DataError
from lamina.network import Collate, Plan
from lamina.run.eye import Eye
from lamina.run.more import prepare_more
from lamina.run.parts import Told, fit_parts, prepare_parts, unusable


@dataclass
class Prepared:
    """Everything that training reads, made once."""

    plan: Plan
    table: Table
    columns: dict[str, Column]
    split: Split
    facts: dict[str, Facts]
    blocks: dict[str, StoredBlock]
    problems: dict[int, str]
    """Rows left out, with the reason."""
    eye: Eye | None = None
    """What looks at pictures that are made; None where none are."""
    weight: np.ndarray | None = None
    """(table rows,) float32 how much each row counts, when a column says so."""
    more: range = range(0)
    """Rows of the store behind those of the table: they are learned from, and no more is done with them."""
    findings: Sequence[Finding] = ()
    """What was met while those were prepared."""

    def collate(self, device: torch.device | str = "cpu") -> Collate:
        """Rows of the store to batches on a device."""
        return collate_of(self.plan, self.blocks, self.weight, device)

    @property
    def judged(self) -> np.ndarray:
        """The rows to choose weights by: the training rows where none are held out for it."""
        return self.split.valid if len(self.split.valid) else self.split.train

    @property
    def couples_rows(self) -> bool:
        """Whether hidden layers make the rows of a batch depend on each other."""
        return any(layer.couples_rows for layer in [self.plan.hidden, *self.plan.trunks.values()])


def collate_of(plan: Plan, blocks: Mapping[str, StoredBlock], weight: np.ndarray | None,
               device: torch.device | str) -> Collate:  # fmt: skip
    """Rows of the store to batches on a device."""
    inputs = {name: blocks[f"inputs.{name}"] for name in plan.inputs}
    return Collate(inputs, {name: blocks[f"outputs.{name}"] for name in plan.outputs}, weight, device)


def prepare(plan: Plan, table: Table, columns: dict[str, Column], split: Split, told: Told,
            rest: Rest | None = None) -> Prepared:  # fmt: skip
    """Fit parts on training rows and prepare all cells.

    Args:
        plan, table, columns, split: as a study found them.
        told: progress.
        rest: rows beside those of the table, to learn from.

    Raises:
        DataError: if no training row is left that can be read.
    """
    if plan.training.ensemble > 1:  # its networks take turns in holding out rows: nothing is held out for all of them
        split = replace(split, train=np.sort(np.concatenate([split.train, split.valid])), valid=split.valid[:0])
    facts = fit_parts(plan, table, split.train)
    held = np.concatenate([split.valid, split.test])
    if rest is None:
        blocks = prepare_parts(plan, facts, table, told)
    else:
        blocks = prepare_more(plan, facts, table, columns, held, rest, told)
    some = next(iter(blocks.values()))
    more = range(len(table), len(some))
    rows = np.concatenate([split.train, split.valid, split.test])
    problems = unusable(blocks, rows)
    if problems:
        _bear(problems, len(rows), plan.checks.unusable, table)
        bad = np.fromiter(problems, dtype=np.int64)
        train, valid, test = (np.setdiff1d(some, bad) for some in (split.train, split.valid, split.test))
        split = replace(split, train=train, valid=valid, test=test)
    if not len(split.train):
        row, reason = next(iter(problems.items()))
        raise DataError(f"No training row can be used. The first: {table.where(row)}: {reason}.")
    weights = [column.name for column in columns.values() if column.role == "weight"]
    weight = table.frame[weights[0]].fill_null(0).to_numpy().astype(np.float32) if weights else None
    findings = [] if rest is None else _met(some.story, len(held))
    return Prepared(plan, table, columns, split, facts, blocks, problems, None, weight, more, findings)


def _met(story: Mapping[str, Any], held: int) -> list[Finding]:
    """What a careful colleague would say of rows that were only prepared."""
    found = []
    if story["unanswered"]:
        text = f"{story['unanswered']:,} of the rows that are only learned from have no answer and are left out"
        found.append(Finding("note", None, text))
    if story["left_out"]:
        text = f"{story['left_out']:,} of the rows that are only learned from are left out; the first: {story['first']}"
        found.append(Finding("warning", None, text))
    if story["again"]:
        text = f"{story['again']:,} rows that are learned from equal one of the {held:,} to choose by or to judge on"
        found.append(
            Finding("warning", None, text, "the result looks better than it is; leave repeats out if they are mistakes")
        )
    return found


def _bear(problems: Mapping[int, str], rows: int, most: float, table: Table) -> None:
    """Go on without these rows, unless they are too large a share.

    Raises:
        DataError: if they are; with the first of them.
    """
    if len(problems) <= most * rows or len(problems) == rows:  # when all are lost, that is said better elsewhere
        return
    first = "; ".join(f"{table.where(row)}: {why.rstrip('.')}" for row, why in list(problems.items())[:5])
    more = f"; and {len(problems) - 5:,} more" if len(problems) > 5 else ""
    enough = min(math.ceil(len(problems) / rows * 20) / 20, 1)
    raise DataError(
        f"{len(problems):,} of {rows:,} rows cannot be used, more than {most:.0%}: {first}{more}. Mend them, or learn "
        f"from the others: --set checks.unusable={enough:g}"
    )


def one_batch(prepared: Prepared, rows: np.ndarray) -> Batch:
    """A batch of stored rows on the processor, for golden answers and looking inside."""
    return prepared.collate()(rows)
