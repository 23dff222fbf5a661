"""One plan, one split, one trained network: parts fitted, cells prepared, steps taken, confidences made honest."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lamina.data import Batch, Column, Facts, RowStream, Split, StoredBlock, Table
from lamina.ground import DataError, MachineError, pick_device, prepare_process
from lamina.hidden import HiddenLayer
from lamina.metrics import Metric
from lamina.network import Collate, Layer, Network, Plan, build_network
from lamina.objectives import Supervised
from lamina.run.judging import Judge
from lamina.run.parts import Told, fit_parts, prepare_parts, unusable
from lamina.run.trained import Trained, raw_scores
from lamina.training import (
    Average,
    Best,
    Budget,
    Choice,
    Guard,
    History,
    Loop,
    Update,
    Watcher,
    Way,
    choose_way,
    find_rate,
    has_checkpoint,
    is_out_of_memory,
    load_checkpoint,
    make_update,
)

_LEAST_STEPS = 10
"""Made even when the time is too short for them: fewer would not leave the random start."""
DEFAULT_EPOCHS = 30
"""When neither epochs, steps nor time are given."""


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
    weight: np.ndarray | None = None
    """(table rows,) float32 how much each row counts, when a column says so."""

    def collate(self, device: torch.device | str = "cpu") -> Collate:
        """Rows of the store to batches on a device."""
        return Collate(
            {name: self.blocks[f"inputs.{name}"] for name in self.plan.inputs},
            {name: self.blocks[f"outputs.{name}"] for name in self.plan.outputs},
            self.weight,
            device,
        )


@dataclass
class Fitted:
    """A trained network and how it came to be."""

    trained: Trained
    layers: list[Layer]
    notes: list[str]
    """What became of weights that were loaded."""
    ended: str
    """Why training ended, in words."""
    steps: int
    epochs: float
    seconds: float
    best_step: int
    figure: float
    """The figure on validation rows that chose the best weights."""
    chose: Metric
    """Which figure that is."""
    decisions: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, object]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way and what was done about it, in words."""


@dataclass
class Wishes:
    """What the one who asks for a training brings beside the plan."""

    seconds: float | None = None
    """Time for the loop."""
    checkpoint: Path | None = None
    history: Path | None = None
    watchers: tuple[Watcher, ...] = ()
    interrupted: Callable[[], int | None] = lambda: None
    decisions: dict[str, Any] = field(default_factory=dict)
    """Decisions that depended on the clock, made by an earlier part of the same training."""
    decided: Callable[[Mapping[str, Any]], None] = lambda decisions: None
    """Told all decisions whenever one is added, before it takes effect."""
    trouble: Callable[[str], None] = lambda text: None
    """Told what went wrong and was dealt with: a disk that is full, numbers that left their range."""
    hidden: HiddenLayer | None = None
    """Hidden layers of one's own, in place of the plan's."""


def prepare(plan: Plan, table: Table, columns: dict[str, Column], split: Split, told: Told) -> Prepared:
    """Fit parts on training rows and prepare all cells.

    Raises:
        DataError: if no training row is left that can be read.
    """
    if plan.training.ensemble > 1:  # its networks take turns in holding out rows: nothing is held out for all of them
        split = replace(split, train=np.sort(np.concatenate([split.train, split.valid])), valid=split.valid[:0])
    facts = fit_parts(plan, table, split.train)
    blocks = prepare_parts(plan, facts, table, told)
    rows = np.concatenate([split.train, split.valid, split.test])
    problems = unusable(blocks, rows)
    if problems:
        _bear(problems, len(rows), plan.checks.unusable, table)
        bad = np.fromiter(problems, dtype=np.int64)
        kept = {part: np.setdiff1d(getattr(split, part), bad) for part in ("train", "valid", "test")}
        split = Split(**kept, how=split.how, reason=split.reason)
    if not len(split.train):
        row, reason = next(iter(problems.items()))
        raise DataError(f"No training row can be used. The first: {table.where(row)}: {reason}.")
    weights = [column.name for column in columns.values() if column.role == "weight"]
    weight = table.frame[weights[0]].fill_null(0).to_numpy().astype(np.float32) if weights else None
    return Prepared(plan, table, columns, split, facts, blocks, problems, weight)


def _bear(problems: Mapping[int, str], rows: int, most: float, table: Table) -> None:
    """Go on without these rows, unless they are too large a share.

    Raises:
        DataError: if they are; with the first of them.
    """
    if len(problems) <= most * rows or len(problems) == rows:  # when all are lost, that is said better elsewhere
        return
    first = "; ".join(f"{table.where(row)}: {why}" for row, why in list(problems.items())[:5])
    more = f"; and {len(problems) - 5:,} more" if len(problems) > 5 else ""
    enough = min(math.ceil(len(problems) / rows * 20) / 20, 1)
    raise DataError(
        f"{len(problems):,} of {rows:,} rows cannot be used, more than {most:.0%}: {first}{more}. Mend them, or learn "
        f"from the others: --set checks.unusable={enough:g}"
    )


def fit_plan(prepared: Prepared, wishes: Wishes) -> Fitted:
    """Train the plan's network on the prepared rows.

    Raises:
        Interrupted: when asked to stop; the checkpoint holds all that going on needs.
    """
    prepare_process()
    plan, settings = prepared.plan, prepared.plan.training
    device = pick_device(settings.device)
    built = build_network(plan, prepared.facts, wishes.hidden)
    network = built.network
    collate = prepared.collate(device)
    stream = RowStream(prepared.split.train, settings.batch_size, settings.seed, collate)
    decisions = _decide(plan, network, stream, collate, prepared, wishes, device)
    way = Way(decisions["precision"], decisions["layout"])
    network = way.place(network, device)  # type: ignore[assignment]
    loop = _loop(prepared, wishes, network, stream, decisions, way, device)
    if wishes.checkpoint and has_checkpoint(wishes.checkpoint):
        loop.restore(load_checkpoint(wishes.checkpoint))
    else:
        loop.history.replace(())  # killed before its first checkpoint: those steps are taken again
    started = time.monotonic()
    ended = loop.run()
    network.load_state_dict(loop.best.weights)
    network.looks_twice = True
    trained = Trained(plan, prepared.columns, prepared.facts, network.eval())
    _calibrate(trained, prepared, collate)
    return Fitted(
        trained, built.layers, built.notes, ended, loop.step, loop.step / loop.budget.steps_per_epoch,
        loop.seconds or time.monotonic() - started, loop.best.step, loop.best.figure, loop.best.metric, decisions,
        loop.history.lines, loop.troubles,
    )  # fmt: skip


def _decide(plan: Plan, network: Network, stream: RowStream, collate: Collate, prepared: Prepared, wishes: Wishes,
            device: torch.device) -> dict[str, Any]:  # fmt: skip
    """Precision, layout, learning rate and number of steps: measured once, then read back."""
    decisions, settings = dict(wishes.decisions), plan.training
    if "precision" not in decisions:
        choice, parts = _choose_way(plan, network, collate, prepared.split.train, device)
        decisions |= {"precision": choice.way.precision, "layout": choice.way.layout, "way": choice.reason,
                      "step_seconds": choice.step_seconds * parts, "tried": choice.tried, "parts": parts}  # fmt: skip
    parts = decisions.setdefault("parts", settings.accumulate)
    if "learning_rate" not in decisions:
        decisions["learning_rate"] = settings.learning_rate
        if settings.learning_rate == "find":
            found = _find_rate(plan, network, stream, prepared, device, parts)
            decisions["learning_rate"], decisions["rate_reason"] = found
    if "steps" not in decisions:
        decisions["steps"] = _steps(plan, stream.batches_per_epoch, decisions["step_seconds"], wishes.seconds)
    wishes.decided(decisions)
    return decisions


def _choose_way(plan: Plan, network: Network, collate: Collate, rows: np.ndarray,
                device: torch.device) -> tuple[Choice, int]:  # fmt: skip
    """Numbers and layout, and the parts that a step's rows must be worked through in to fit into the memory."""
    settings, parts = plan.training, plan.training.accumulate
    while True:
        some = collate(rows[: max(settings.batch_size // parts, 1)])
        try:
            return choose_way(network, lambda copied: make_update(copied, settings, 1e-4), some, device,
                              settings.precision), parts  # fmt: skip
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if parts >= settings.batch_size:
                raise MachineError(
                    "A training step does not fit into the memory, not even a row at a time. Take a smaller network "
                    "(--set size=small), or a machine with more memory."
                ) from error
        parts *= 2


def _find_rate(
    plan: Plan, network: Network, stream: RowStream, prepared: Prepared, device: torch.device, parts: int
) -> tuple[float, str]:
    trial = RowStream(prepared.split.train, plan.training.batch_size, plan.training.seed + 1, prepared.collate(device))
    return find_rate(Supervised(network.to(device), plan.training.seed),
                     lambda module, rate: make_update(module, plan.training, rate), trial.next,
                     plan.training.seed, parts)  # fmt: skip


def _most_steps(plan: Plan, per_epoch: int, seconds: float | None) -> int | None:
    """Steps that the plan asks for; None when only the time limits them."""
    settings = plan.training
    if settings.steps is None and settings.epochs is None:
        return None if seconds is not None else DEFAULT_EPOCHS * per_epoch
    by_epochs = None if settings.epochs is None else settings.epochs * per_epoch
    return min(most for most in (settings.steps, by_epochs) if most is not None)


def _steps(plan: Plan, per_epoch: int, step_seconds: float, seconds: float | None) -> int:
    """Steps to plan for at first: what the plan asks for, as far as it fits the time."""
    most = _most_steps(plan, per_epoch, seconds)
    if seconds is None:
        assert most is not None
        return most
    fitting = max(int(seconds / step_seconds), _LEAST_STEPS)
    return min(fitting, most or fitting)


def _judge_every(plan: Plan, per_epoch: int, steps: int) -> int:
    """Once an epoch, but at most 60 times in all: on small data judging would cost more than learning."""
    return plan.training.judge_every or max(per_epoch, steps // 60, 1)


def _loop(prepared: Prepared, wishes: Wishes, network: Network, stream: RowStream, decisions: dict[str, Any],
          way: Way, device: torch.device) -> Loop:  # fmt: skip
    plan, settings = prepared.plan, prepared.plan.training
    average = Average(network, settings.average)
    collate = prepared.collate(device)
    rows = prepared.split.valid if len(prepared.split.valid) else prepared.split.train
    judge = Judge(plan, prepared.facts, prepared.blocks, prepared.table, collate, rows, network)

    def decided(decision: Mapping[str, Any]) -> None:
        # What was decided of later steps was undone by going back to an earlier one.
        kept = [each for each in decisions.get("corrections", []) if each["step"] <= decision["step"]]
        decisions["corrections"] = [*kept, dict(decision)]
        wishes.decided(decisions)

    guard = Guard(decisions["parts"])
    guard.expect(decisions.get("corrections", []))
    layers = [plan.hidden, *plan.trunks.values()]

    updates: dict[str, Update] = {"network": make_update(network, settings, decisions["learning_rate"])}
    budget = Budget(
        decisions["steps"],
        wishes.seconds,
        _most_steps(plan, stream.batches_per_epoch, wishes.seconds),
        _judge_every(plan, stream.batches_per_epoch, decisions["steps"]),
        stream.batches_per_epoch,
    )
    budget.expect(decisions.get("corrections", []))
    return Loop(
        objective=Supervised(network, settings.seed),
        stream=stream,
        updates=updates,
        plan=settings,
        budget=budget,
        average=average,
        best=Best(judge.chooses, settings.patience),
        goal=judge.decides,
        judge=lambda: judge(average.module),  # type: ignore[arg-type]
        history=History(wishes.history),
        checkpoint=wishes.checkpoint,
        watchers=wishes.watchers,
        decided=decided,
        interrupted=wishes.interrupted,
        autocast=way.autocast(device),
        guard=guard,
        couples_rows=any(layer.couples_rows for layer in layers),
        trouble=wishes.trouble,
    )


def _calibrate(trained: Trained, prepared: Prepared, collate: Collate) -> None:
    rows = prepared.split.valid
    if not len(rows):
        return
    raw = raw_scores(trained.network, collate, rows)
    for name, output in trained.network.outputs.items():
        targets = torch.from_numpy(np.ascontiguousarray(prepared.blocks[f"outputs.{name}"].values[rows]))
        output.cpu().calibrate(raw[name], targets)
        output.to(trained.device)


def one_batch(prepared: Prepared, rows: np.ndarray) -> Batch:
    """A batch of stored rows on the processor, for golden answers and looking inside."""
    return prepared.collate()(rows)
