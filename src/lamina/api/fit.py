"""Any `nn.Module`, trained by the same loop: tensors in, the module with its best weights out."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.api.module_folder import Decisions, begin, content, write_module
from lamina.api.signals import Signals
from lamina.data import Batch, RowStream
from lamina.ground import (
    Interrupted,
    PlanError,
    from_plain,
    listing,
    nearest,
    permutation,
    pick_device,
    prepare_process,
)
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.network import TrainingPlan
from lamina.objectives import Objective
from lamina.report import Silent, Teller, Terminal
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
    joined,
    load_checkpoint,
    make_update,
    may_take_one_thread,
    possible_ways,
)

LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
    "cross_entropy": functional.cross_entropy,
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
}
"""Losses by name: (outputs, targets) -> the mean over the batch."""

LossFunction = Callable[[Tensor, Tensor], Tensor]
Data = tuple[Any, Any]
"""Inputs and targets, rows first: tensors, or arrays that become tensors."""


@dataclass
class ModuleRun:
    """A module that was trained, and how it went."""

    network: nn.Module
    """The module itself, with its best weights, in evaluation mode."""
    loss: LossFunction
    figure: float
    """The mean loss on validation rows of the best weights."""
    ended: str
    """Why training ended, in words."""
    history: list[dict[str, object]]
    path: Path | None = None
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way and what was done about it, in words."""

    @torch.no_grad()
    def predict(self, inputs: Any, batch_size: int = 1024) -> Tensor:
        """The module's outputs for rows of inputs, on the processor."""
        inputs, device = _tensor(inputs), next(self.network.parameters()).device

        def answered(start: int, end: int) -> Tensor:
            return self.network(inputs[start:end].to(device)).cpu()

        return torch.cat(in_pieces(answered, len(inputs), batch_size))

    def evaluate(self, inputs: Any, targets: Any) -> dict[str, float]:
        """The mean loss on rows, and the accuracy where targets are class numbers."""
        outputs, targets = self.predict(inputs), _tensor(targets)
        figures = {"loss": float(self.loss(outputs, targets))}
        if outputs.dim() == 2 and not targets.is_floating_point() and targets.dim() == 1:
            figures["accuracy"] = float((outputs.argmax(1) == targets).float().mean())
        return figures


class _Whole(Objective):
    """One player that takes a tensor and gives one."""

    def __init__(self, network: nn.Module, loss: LossFunction):
        self.players = {"network": network}
        self._network, self._loss = network, loss

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        mean = self._loss(self._network(batch.inputs["x"]), batch.targets["y"])  # type: ignore[arg-type]
        count = float(len(batch))
        yield "network", Loss(mean * count, count, mean)


def fit(module: nn.Module, data: Data, *, loss: str | LossFunction = "cross_entropy", valid: Data | float = 0.1,
        time_limit: float | None = None, out: str | Path | None = None, quiet: bool = False,
        **training: object) -> ModuleRun:  # fmt: skip
    """Train any module on tensors, with Lamina's optimizers, schedule, early stopping, averaging and checkpoints.

    Args:
        module: takes a batch of inputs, gives outputs; trained in place and given back with its best weights.
        data: (inputs, targets), rows first.
        loss: a name in `LOSSES`, or a function (outputs, targets) -> the mean over the batch.
        valid: (inputs, targets) to judge on, or the share of rows to hold out for it.
        time_limit: seconds for training, at most.
        out: a folder for checkpoints, history and weights; the same call goes on where it was interrupted.
        quiet: say nothing.
        training: settings of `TrainingPlan`: epochs=10, optimizer="muon", learning_rate=0.01 ...

    Raises:
        PlanError: on an unknown setting or loss, or data of differing length.
        RunError: if `out` holds another training, or one that is at work.
        Interrupted: on Ctrl-C; with `out`, everything is saved.
        MachineError: if one of several processes that train together ended early.
        Dismissed: in the others of several processes, if the first one ended early.
    """
    prepare_process()
    settings = from_plain(TrainingPlan, {"epochs": None if time_limit else 10, "average": 0.0, **training}, "training")
    if settings.learning_rate == "find":
        raise PlanError("training.learning_rate: `find` needs `lamina.train`; give `lamina.fit` a number.")
    function = _loss(loss)
    inputs, targets, rows, judged = _rows(data, valid, settings.seed)
    device = pick_device(settings.device)

    def collate(some: np.ndarray) -> Batch:
        index = torch.from_numpy(np.ascontiguousarray(some))
        return Batch({"x": inputs.index_select(0, index).to(device)},
                     {"y": targets.index_select(0, index).to(device)}, index)  # fmt: skip

    folder = None if out is None else RunFolder(Path(out))
    with joined() as ranks, _held(folder, ranks):
        rank, size = (0, 1) if ranks is None else (ranks.rank, ranks.size)
        shares, together = False, ""
        if ranks is not None:
            shares, together = divides(module, settings, device, size, _couples_rows(module))
        if rank == 0:
            if folder is not None:
                asked = {"training": asdict(settings), "loss": _name(loss), "time": time_limit, "rows": len(rows),
                         "data": content(inputs, targets, *judged)}  # fmt: skip
                begin(folder, module, json.loads(json.dumps(asked)))
            some = None if shares else collate(rows[: max(settings.batch_size // size, 1)])
            way = _way(module, function, settings, some, device, folder)
            if ranks is not None:
                ranks.tell(way)
        else:
            assert ranks is not None
            way = ranks.hear()
        way.place(module, device)
        learner, average = (
            divided(module, settings.average, device, size) if shares else (module, Average(module, settings.average))
        )
        run = ModuleRun(average.module, function, float("nan"), "", [])

        def judge() -> Mapping[str, float]:
            average.module.eval()
            figures = run.evaluate(*judged)
            learner.train()
            return {f"valid_{name}": figure for name, figure in figures.items()}

        stream = RowStream(rows, settings.batch_size, settings.seed, collate, rank, size)
        updates = {"network": make_update(learner, settings, float(settings.learning_rate))}
        learners = Learners(_Whole(learner, function), stream, updates, average)
        learner.train()
        if ranks is not None and rank > 0:
            if not shares:
                learners = replace(learners, average=None)
            follower = Follower(ranks, learners, settings.seed, shares, way.autocast(device), judge)
            with way.on_threads():
                found = _follow(ranks, follower)
        else:
            teller: Teller = Silent() if quiet else Terminal()
            if together:
                teller.say("processes", together)
            loop = _loop(learners, settings, judge, folder, teller, time_limit)
            loop.autocast, loop.couples_rows = way.autocast(device), _couples_rows(module)
            with way.on_threads():
                found = _lead(loop, ranks, shares, folder, teller)
        module.load_state_dict(found["weights"])
        run.network, run.figure, run.history = module.eval(), found["figure"], found["history"]
        run.ended, run.troubles = found["ended"], found["troubles"]
        if folder is not None:
            if rank == 0:
                write_module(folder, run.network, ended=run.ended, seconds=found["seconds"], troubles=run.troubles)
            run.path = folder.path
    return run


def _held(folder: RunFolder | None, ranks: Ranks | None) -> contextlib.AbstractContextManager[None]:
    """The folder for this training alone; only the first of several processes writes there."""
    return contextlib.nullcontext() if folder is None or (ranks is not None and ranks.rank > 0) else folder.locked()


def _couples_rows(module: nn.Module) -> bool:
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in module.modules())


def _follow(ranks: Ranks, follower: Follower) -> dict[str, Any]:
    """What all processes but the first do; the best weights, and how it went."""
    signals = Signals()
    with signals.caught(), signals.saving():  # the first process hears of a signal too, and decides when to stop
        follower.follow()
        return ranks.spread(None)


def _lead(loop: Loop, ranks: Ranks | None, shares: bool, folder: RunFolder | None, teller: Teller) -> dict[str, Any]:
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
                             settings.precision, lambda copied: _Whole(copied, function)).way  # fmt: skip
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


def _name(loss: str | LossFunction) -> str:
    return loss if isinstance(loss, str) else getattr(loss, "__qualname__", type(loss).__name__)


def _loss(loss: str | LossFunction) -> LossFunction:
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise PlanError(f"There is no loss {loss!r}.{nearest(loss, LOSSES)} Known: {listing(LOSSES)}, or any function.")
    return LOSSES[loss]


def _tensor(values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values
    array = np.asarray(values)
    return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float64 else array)


def _rows(data: Data, valid: Data | float, seed: int) -> tuple[Tensor, Tensor, np.ndarray, tuple[Tensor, Tensor]]:
    """All inputs and targets, the rows to learn from, and the inputs and targets to judge on."""
    inputs, targets = _pair(data, "")
    if isinstance(valid, tuple):
        return inputs, targets, np.arange(len(inputs)), _pair(valid, " to judge on")
    if not 0 < valid < 1:
        raise PlanError(f"valid={valid} does not do: give a share between 0 and 1, or (inputs, targets).")
    order = permutation(len(inputs), seed, "valid")
    count = max(int(len(inputs) * valid), 1)
    held = torch.from_numpy(np.sort(order[:count]))
    return inputs, targets, np.sort(order[count:]), (inputs[held], targets[held])


def _pair(data: Data, purpose: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets as tensors, an entry of each for every row."""
    inputs, targets = (_tensor(part) for part in data)
    if len(inputs) != len(targets):
        raise PlanError(
            f"There are {len(inputs):,} inputs and {len(targets):,} targets{purpose}: every row needs both."
        )
    return inputs, targets
