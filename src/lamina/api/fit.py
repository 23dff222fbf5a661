"""Any `nn.Module`, trained by the same loop: tensors in, the module with its best weights out."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
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
from lamina.run import RunFolder
from lamina.training import (
    Average,
    Best,
    Budget,
    Guard,
    History,
    Loop,
    Way,
    choose_way,
    has_checkpoint,
    in_pieces,
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
    with contextlib.nullcontext() if folder is None else folder.locked():
        if folder is not None:
            asked = {"training": asdict(settings), "loss": _name(loss), "time": time_limit, "rows": len(rows),
                     "data": content(inputs, targets, *judged)}  # fmt: skip
            begin(folder, module, json.loads(json.dumps(asked)))
        way = _way(module, function, settings, collate(rows[: settings.batch_size]), device, folder)
        way.place(module, device)
        average = Average(module, settings.average)
        run = ModuleRun(average.module, function, float("nan"), "", [])

        def judge() -> Mapping[str, float]:
            average.module.eval()
            figures = run.evaluate(*judged)
            module.train()
            return {f"valid_{name}": figure for name, figure in figures.items()}

        teller: Teller = Silent() if quiet else Terminal()
        stream = RowStream(rows, settings.batch_size, settings.seed, collate)
        loop = _loop(module, function, settings, stream, average, judge, folder, teller, time_limit)
        loop.autocast = way.autocast(device)
        started = time.monotonic()
        with way.on_threads():
            run.ended = _run(loop, module, folder, teller)
        module.load_state_dict(loop.best.weights)
        run.network, run.figure, run.history = module.eval(), loop.best.figure, loop.history.lines
        run.troubles = loop.troubles
        if folder is not None:
            write_module(folder, run.network, ended=run.ended, seconds=round(time.monotonic() - started, 2),
                         troubles=run.troubles)  # fmt: skip
            run.path = folder.path
    return run


def _run(loop: Loop, module: nn.Module, folder: RunFolder | None, teller: Teller) -> str:
    """Train to the end, or until a signal; why it ended, in words.

    Raises:
        Interrupted: on a signal; says what is kept.
    """
    signals = Signals()
    loop.interrupted = lambda: signals.number
    module.train()
    try:
        with signals.caught(), signals.saving():
            return loop.run()
    except Interrupted as stop:
        kept = f"Everything is saved in {folder.path}: the same call goes on." if folder else (
            "Nothing was kept: `out` names a folder to save in."
        )  # fmt: skip
        if folder and not stop.saved:
            kept = f"The same call goes on from the last good checkpoint in {folder.path}, if there is one."
        raise Interrupted(f"{stop} {kept}", stop.signal_number, stop.saved) from None
    finally:
        teller.end()


def _way(module: nn.Module, function: LossFunction, settings: TrainingPlan, batch: Batch, device: torch.device,
         folder: RunFolder | None) -> Way:  # fmt: skip
    """Numbers, layout and threads: what was decided when this training began, else the fastest of what there is."""
    if folder is not None and "way" in (state := folder.state()):
        return from_plain(Way, state["way"], "way")
    ways = possible_ways(module, device, settings.precision)
    way = ways[0]
    if len(ways) > 1 or may_take_one_thread(device):
        # A module that cannot be copied or does not fit into the memory twice is trained the plain way; whatever else
        # is wrong with it shows at the first step.
        with contextlib.suppress(RuntimeError, TypeError, MemoryError):
            way = choose_way(module, lambda copied: make_update(copied, settings, 1e-4), batch, device,
                             settings.precision, lambda copied: _Whole(copied, function)).way  # fmt: skip
    if folder is not None:
        folder.update_state(way=asdict(way))
    return way


def _loop(module: nn.Module, function: LossFunction, settings: TrainingPlan, stream: RowStream, average: Average,
          judge: Callable[[], Mapping[str, float]], folder: RunFolder | None, teller: Teller,
          seconds: float | None) -> Loop:  # fmt: skip
    most = settings.steps or (settings.epochs and settings.epochs * stream.batches_per_epoch)
    decisions = Decisions(folder)
    guard = Guard()
    guard.expect(decisions.made)
    budget = Budget(most or stream.batches_per_epoch * 1000, seconds, most,
                    settings.judge_every or stream.batches_per_epoch, stream.batches_per_epoch)  # fmt: skip
    budget.expect(decisions.made)
    loop = Loop(
        objective=_Whole(module, function),
        stream=stream,
        updates={"network": make_update(module, settings, float(settings.learning_rate))},
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
        couples_rows=any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in module.modules()),
        trouble=lambda text: teller.say("warning", text),
    )  # fmt: skip
    if folder is not None and has_checkpoint(folder / "checkpoint"):
        loop.restore(load_checkpoint(folder / "checkpoint"))
    else:
        loop.history.replace(())
    return loop


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
