"""What depends on the clock, decided once: how to compute, how fast to learn, how many steps to take.

Every decision is written to the run before it takes effect and read back when the training goes on.
"""

from typing import Any

import numpy as np
import torch

from lamina.data import RowStream
from lamina.ground import MachineError, PlanError, has_fast_bfloat16
from lamina.network import Collate, Network, Plan, TrainingPlan
from lamina.objectives import Supervised
from lamina.run.prepared import Prepared
from lamina.run.teaching import objective_of
from lamina.run.wishes import Wishes
from lamina.training import Choice, Way, choose_way, find_rate, is_out_of_memory, make_update

_LEAST_STEPS = 10
"""Made even when the time is too short for them: fewer would not leave the random start."""
_GUESSED_SECONDS = 0.1
"""What a step is taken to cost where none was tried; corrected after the first twenty."""
DEFAULT_EPOCHS = 30
"""When neither epochs, steps nor time are given."""


def decide(prepared: Prepared, wishes: Wishes, network: Network, stream: RowStream, device: torch.device,
           shares: bool = False) -> dict[str, Any]:  # fmt: skip
    """Precision, layout, learning rate and number of steps: measured once, written, then read back.

    Args:
        shares: whether processes divide the network: nothing is tried then, for no device holds it alone.
    """
    plan, settings = prepared.plan, prepared.plan.training
    decisions = decide_way(prepared, wishes, network, device, shares)
    parts = decisions["parts"] * wishes.processes
    if "learning_rate" not in decisions:
        decisions["learning_rate"] = settings.learning_rate
        if settings.learning_rate == "find":
            if shares:
                raise PlanError(
                    "training.learning_rate: `find` tries rates on one device, and this network is divided among "
                    "several. Give a number: --set training.learning_rate=0.002."
                )
            found = _find_rate(plan, network, stream, prepared, device, parts)
            decisions["learning_rate"], decisions["rate_reason"] = found
    if "steps" not in decisions:
        decisions["steps"] = _steps(plan, stream.batches_per_epoch, decisions["step_seconds"], wishes.seconds)
    wishes.decided(decisions)
    return decisions


def decide_way(prepared: Prepared, wishes: Wishes, network: Network, device: torch.device,
               shares: bool = False) -> dict[str, Any]:  # fmt: skip
    """The decisions at hand, with precision, layout and what a step costs, which are measured if nobody did."""
    decisions, plan = dict(wishes.decisions), prepared.plan
    if "precision" not in decisions:
        choice, parts = _untried(plan.training, device) if shares else _choose_way(
            prepared, network, prepared.collate(device), prepared.split.train, device, wishes.processes
        )  # fmt: skip
        decisions |= {"precision": choice.way.precision, "layout": choice.way.layout,
                      "threads": choice.way.threads, "filters": choice.way.filters, "way": choice.reason,
                      "step_seconds": choice.step_seconds * parts, "tried": choice.tried, "parts": parts}  # fmt: skip
    decisions.setdefault("parts", plan.training.accumulate)
    return decisions


def _choose_way(prepared: Prepared, network: Network, collate: Collate, rows: np.ndarray,
                device: torch.device, processes: int) -> tuple[Choice, int]:  # fmt: skip
    """Numbers and layout, and the parts that a process's rows must be worked through in to fit into the memory."""
    plan = prepared.plan
    settings, parts = plan.training, plan.training.accumulate
    while True:
        some = collate(rows[: max(settings.batch_size // (parts * processes), 1)])
        try:
            return choose_way(network, lambda copied: make_update(copied, settings, 1e-4), some, device,
                              settings.precision,
                              lambda copied: objective_of(plan, prepared.facts, copied)), parts  # fmt: skip
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if parts >= settings.batch_size:
                raise MachineError(
                    "A training step does not fit into the memory, not even a row at a time. Take a smaller network "
                    "(--set size=small), or a machine with more memory."
                ) from error
        parts *= 2


def _untried(settings: TrainingPlan, device: torch.device) -> tuple[Choice, int]:
    """Numbers, layout and parts of a step for a network that no device holds alone."""
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16(device) else "float32"
    reason = "not tried: the network is divided among processes"
    return Choice(Way(precision, "contiguous"), reason, _GUESSED_SECONDS, {}), settings.accumulate


def _find_rate(
    plan: Plan, network: Network, stream: RowStream, prepared: Prepared, device: torch.device, parts: int
) -> tuple[float, str]:
    trial = RowStream(prepared.split.train, plan.training.batch_size, plan.training.seed + 1, prepared.collate(device))
    return find_rate(Supervised(network.to(device), plan.training.seed),
                     lambda module, rate: make_update(module, plan.training, rate), trial.next,
                     plan.training.seed, parts)  # fmt: skip


def most_steps(settings: TrainingPlan, per_epoch: int, seconds: float | None) -> int | None:
    """Steps that the plan asks for; None when only the time limits them."""
    if settings.steps is None and settings.epochs is None:
        return None if seconds is not None else DEFAULT_EPOCHS * per_epoch
    by_epochs = None if settings.epochs is None else settings.epochs * per_epoch
    return min(most for most in (settings.steps, by_epochs) if most is not None)


def _steps(plan: Plan, per_epoch: int, step_seconds: float, seconds: float | None) -> int:
    """Steps to plan for at first: what the plan asks for, as far as it fits the time."""
    most = most_steps(plan.training, per_epoch, seconds)
    if seconds is None:
        assert most is not None
        return most
    fitting = max(int(seconds / step_seconds), _LEAST_STEPS)
    return min(fitting, most or fitting)
