"""One training of a module, by a process alone or by several together."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lamina.api.module_folder import Decisions, begin, content
from lamina.api.signals import Signals
from lamina.data import Batch, RowStream
from lamina.ground import (
    Interrupted,
    device_memory,
    from_plain,
    pick_device,
    prepare_process,
)
from lamina.losses import LossFunction
from lamina.metrics import Metric
from lamina.network import TrainingPlan
from lamina.objectives import Whole
from lamina.report import Teller
from lamina.run import RunFolder, divides
from lamina.training import (
    Average,
    Best,
    Budget,
    Follower,
    Guard,
    History,
    Leader,
    Learners,
    Loop,
    Ranks,
    Way,
    choose_way,
    divided,
    has_checkpoint,
    in_pieces,
    load_checkpoint,
    make_update,
    may_take_one_thread,
    possible_ways,
)

Found = dict[str, Any]
"""The best weights, their figure, and how it went."""


def answered(network: nn.Module, inputs: Tensor, batch_size: int = 1024) -> Tensor:
    """The outputs of a network for rows of inputs, on the processor."""
    prepare_process()  # for modules that were loaded, or trained elsewhere
    device = next(network.parameters()).device

    answers: Tensor | None = None

    def some(start: int, end: int) -> None:
        nonlocal answers
        found = network(inputs[start:end].to(device))
        if answers is None:
            # All in one place: kept one by one, small answers lie where the next large intermediate result should have
            # fitted, and the memory grows with every piece (docs/lab-notes.md, The machine 34).
            answers = found.new_empty((len(inputs), *found.shape[1:]), device="cpu")
        answers[start:end] = found

    in_pieces(some, len(inputs), batch_size, inputs[:1].numel())
    return network(inputs.to(device)).cpu() if answers is None else answers


@torch.no_grad()
def figures(network: nn.Module, loss: LossFunction, inputs: Tensor, targets: Tensor) -> dict[str, float]:
    """The mean loss on rows, and the accuracy where targets are class numbers."""
    outputs, targets = answered(network, inputs), targets.cpu()
    found = {"loss": float(loss(outputs, targets))}
    if outputs.dim() == 2 and not targets.is_floating_point() and targets.dim() == 1:
        found["accuracy"] = float((outputs.argmax(1) == targets).float().mean())
    return found


@dataclass(frozen=True)
class Rows:
    """What there is to learn from and to judge on."""

    inputs: Tensor
    targets: Tensor
    learned: np.ndarray
    """The rows of both that are learned from."""
    judged: tuple[Tensor, Tensor]
    """Inputs and targets of others."""

    def near(self, device: torch.device) -> "Rows":
        """The same, with what is learned from on the device where it takes no more than a quarter of its memory.

        Batches are picked there then, and nothing is copied at a step.
        """
        if device.type == "cpu" or self.inputs.nbytes + self.targets.nbytes > device_memory(device) // 4:
            return self
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))


@dataclass
class ModuleTraining:
    """One training of a module."""

    module: nn.Module
    loss: LossFunction
    settings: TrainingPlan
    rows: Rows
    folder: RunFolder | None
    ranks: Ranks | None
    """The processes that train together; None when this one is alone."""
    teller: Teller

    def __post_init__(self) -> None:
        self.device = pick_device(self.settings.device)
        self.near = self.rows.near(self.device)
        self.leads = self.ranks is None or self.ranks.rank == 0
        """Whether this process decides, judges and writes."""
        self.couples_rows = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in self.module.modules())

    def run(self, asked: Mapping[str, Any], seconds: float | None) -> Found:
        """All of it.

        Args:
            asked: what else was asked for, written into the folder.
            seconds: the most that it may take.

        Raises:
            Interrupted: on a signal; says what is kept.
        """
        rank, size = (0, 1) if self.ranks is None else (self.ranks.rank, self.ranks.size)
        settings, shares, together = self.settings, False, ""
        if self.ranks is not None:
            shares, together = divides(self.module, settings, self.device, size, self.couples_rows)
        way = self._way(asked, size, shares)
        way.place(self.module, self.device)
        if shares:
            learner, average = divided(self.module, settings.average, self.device, size)
        else:
            learner, average = self.module, Average(self.module, settings.average)

        def judge() -> Mapping[str, float]:
            found = figures(average.module.eval(), self.loss, *self.rows.judged)
            learner.train()
            return {f"valid_{name}": figure for name, figure in found.items()}

        stream = RowStream(self.rows.learned, settings.batch_size, settings.seed, self._batch, rank, size)
        updates = {"network": make_update(learner, settings, float(settings.learning_rate))}
        learners = Learners(Whole(learner, self.loss, self.ranks is None), stream, updates, average)
        learner.train()
        if self.ranks is not None and not self.leads:
            learners = learners if shares else replace(learners, average=None)
            follower = Follower(self.ranks, learners, settings.seed, shares, way.autocast(self.device), judge)
            with way.at_work(learner):
                return _follow(self.ranks, follower)
        if together:
            self.teller.say("processes", together)
        loop = _loop(learners, settings, judge, self.folder, self.teller, seconds)
        loop.autocast, loop.couples_rows = way.autocast(self.device), self.couples_rows
        with way.at_work(learner, average.module):
            return _lead(loop, self.ranks, shares, self.folder, self.teller)

    def _batch(self, some: np.ndarray) -> Batch:
        index, near = torch.from_numpy(np.ascontiguousarray(some)), self.near
        x, y = (rows.index_select(0, index.to(rows.device)).to(self.device) for rows in (near.inputs, near.targets))
        return Batch({"x": x}, {"y": y}, index)

    def _way(self, asked: Mapping[str, Any], size: int, shares: bool) -> Way:
        """How to compute: decided by the first process, which also opens the folder."""
        if self.ranks is not None and not self.leads:
            return self.ranks.hear()
        if self.folder is not None:
            rows = self.rows
            data = {"rows": len(rows.learned), "data": content(rows.inputs, rows.targets, *rows.judged)}
            whole = {"training": asdict(self.settings), **asked, **data}
            begin(self.folder, self.module, json.loads(json.dumps(whole)))
        some = None if shares else self._batch(self.rows.learned[: max(self.settings.batch_size // size, 1)])
        way = _way(self.module, self.loss, self.settings, some, self.device, self.folder)
        if self.ranks is not None:
            self.ranks.tell(way)
        return way


def _follow(ranks: Ranks, follower: Follower) -> Found:
    """What all processes but the first do; the best weights, and how it went."""
    signals = Signals()
    with signals.caught(), signals.saving():  # the first process hears of a signal too, and decides when to stop
        follower.follow()
        return ranks.spread(None)


def _lead(loop: Loop, ranks: Ranks | None, shares: bool, folder: RunFolder | None, teller: Teller) -> Found:
    """Train to the end, from the start or from a checkpoint; the best weights, and how it went, in all processes.

    Raises:
        Interrupted: on a signal; says what is kept.
    """
    leader = None if ranks is None else Leader(ranks, shares)
    loop.crew = leader or loop.crew
    signals = Signals()
    loop.interrupted = lambda: signals.number
    started = time.monotonic()
    try:
        with signals.caught(), signals.saving():
            if loop.checkpoint is not None and has_checkpoint(loop.checkpoint):
                loop.restore(load_checkpoint(loop.checkpoint))
            else:
                loop.history.replace(())
            ended = loop.run()
    except Interrupted as stop:
        kept = f"Everything is saved in {folder.path}: the same call goes on." if folder else (
            "Nothing was kept: `out` names a folder to save in."
        )  # fmt: skip
        if folder and not stop.saved:
            kept = f"The same call goes on from the last good checkpoint in {folder.path}, if there is one."
        raise Interrupted(f"{stop} {kept}", stop.signal_number, stop.saved) from None
    finally:
        teller.end()
    found = {
        "weights": loop.best.weights, "figure": loop.best.figure, "ended": ended, "history": loop.history.lines,
        "troubles": loop.troubles, "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip
    if ranks is None or leader is None:
        return found
    leader.end()
    return ranks.spread(found)


def _way(module: nn.Module, function: LossFunction, settings: TrainingPlan, batch: Batch | None, device: torch.device,
         folder: RunFolder | None) -> Way:  # fmt: skip
    """Numbers, layout and threads: what was decided when this training began, else the fastest of what there is.

    Without a batch nothing is tried: no device holds such a module alone.
    """
    if folder is not None and "way" in (state := folder.state()):
        return from_plain(Way, state["way"], "way")
    ways = possible_ways(module, device, settings.precision)
    way = ways[0]
    if batch is not None and (len(ways) > 1 or may_take_one_thread(device)):
        # A module that cannot be copied or does not fit into the memory twice is trained the plain way; whatever else
        # is wrong with it shows at the first step.
        with contextlib.suppress(RuntimeError, TypeError, MemoryError):
            way = choose_way(module, lambda copied: make_update(copied, settings, 1e-4), batch, device,
                             settings.precision, lambda copied: Whole(copied, function)).way  # fmt: skip
    if folder is not None:
        folder.update_state(way=asdict(way))
    return way


def _loop(learners: Learners, settings: TrainingPlan, judge: Callable[[], Mapping[str, float]],
          folder: RunFolder | None, teller: Teller, seconds: float | None) -> Loop:  # fmt: skip
    stream, average = learners.stream, learners.average
    assert isinstance(stream, RowStream) and average is not None
    most = settings.steps or (settings.epochs and settings.epochs * stream.batches_per_epoch)
    decisions = Decisions(folder)
    guard = Guard()
    guard.expect(decisions.made)
    budget = Budget(most or stream.batches_per_epoch * 1000, seconds, most,
                    settings.judge_every or stream.batches_per_epoch, stream.batches_per_epoch)  # fmt: skip
    budget.expect(decisions.made)
    return Loop(
        objective=learners.objective,
        stream=stream,
        updates=learners.updates,
        plan=settings,
        budget=budget,
        average=average,
        best=Best(Metric("valid_loss", lambda scores, truth: 0.0, larger_is_better=False), settings.patience),
        judge=judge,
        history=History(None if folder is None else folder / "history.jsonl"),
        checkpoint=None if folder is None else folder / "checkpoint",
        watchers=(teller.news,),
        decided=decisions,
        guard=guard,
        trouble=lambda text: teller.say("warning", text),
    )  # fmt: skip
