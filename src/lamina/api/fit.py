"""Any `nn.Module`, trained by the same loop: tensors in, the module with its best weights out."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.api.module_folder import write_module
from lamina.api.module_training import ModuleTraining, Rows, answered, figures
from lamina.ground import (
    PlanError,
    from_plain,
    listing,
    nearest,
    permutation,
    prepare_process,
)
from lamina.losses import LossFunction
from lamina.network import TrainingPlan
from lamina.report import Silent, Terminal
from lamina.run import RunFolder
from lamina.training import (
    Ranks,
    joined,
)

LOSSES: Mapping[str, LossFunction] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
    "cross_entropy": functional.cross_entropy,
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
}
"""Losses by name: (outputs, targets) -> the mean over the batch."""

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
        """The module's outputs for rows of inputs, on the processor; `batch_size` together, fewer of large ones."""
        return answered(self.network, _tensor(inputs), batch_size)

    def evaluate(self, inputs: Any, targets: Any) -> dict[str, float]:
        """The mean loss on rows, and the accuracy where targets are class numbers."""
        return figures(self.network, self.loss, _tensor(inputs), _tensor(targets))


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
    rows = _rows(data, valid, settings.seed)
    folder = None if out is None else RunFolder(Path(out))
    with joined() as ranks, _held(folder, ranks):
        work = ModuleTraining(module, function, settings, rows, folder, ranks, Silent() if quiet else Terminal())
        found = work.run({"loss": _name(loss), "time": time_limit}, time_limit)
        module.load_state_dict(found["weights"])
        if folder is not None and work.leads:
            write_module(folder, module, ended=found["ended"], seconds=found["seconds"], troubles=found["troubles"])
    return ModuleRun(module.eval(), function, found["figure"], found["ended"], found["history"],
                     None if folder is None else folder.path, found["troubles"])  # fmt: skip


def _held(folder: RunFolder | None, ranks: Ranks | None) -> contextlib.AbstractContextManager[None]:
    """The folder for this training alone; only the first of several processes writes there."""
    return contextlib.nullcontext() if folder is None or (ranks is not None and ranks.rank > 0) else folder.locked()


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


def _rows(data: Data, valid: Data | float, seed: int) -> Rows:
    """What there is to learn from and to judge on, of both inputs and targets."""
    inputs, targets = _pair(data, "")
    if isinstance(valid, tuple):
        return Rows(inputs, targets, np.arange(len(inputs)), _pair(valid, " to judge on"))
    if not 0 < valid < 1:
        raise PlanError(f"valid={valid} does not do: give a share between 0 and 1, or (inputs, targets).")
    order = permutation(len(inputs), seed, "valid")
    count = max(int(len(inputs) * valid), 1)
    held = torch.from_numpy(np.sort(order[:count]))
    return Rows(inputs, targets, np.sort(order[count:]), (inputs[held], targets[held]))


def _pair(data: Data, purpose: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets as tensors, an entry of each for every row."""
    inputs, targets = (_tensor(part) for part in data)
    if len(inputs) != len(targets):
        raise PlanError(
            f"There are {len(inputs):,} inputs and {len(targets):,} targets{purpose}: every row needs both."
        )
    return inputs, targets
