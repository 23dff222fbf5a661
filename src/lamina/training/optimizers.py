"""Gradients -> updates: the optimizers by name, and which weights decay."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from lamina.network import TrainingPlan
from lamina.training.adam import Adam
from lamina.training.update import Update


def make_update(module: nn.Module, plan: TrainingPlan, learning_rate: float) -> Update:
    """The update of one player.

    Matrices and filters decay, vectors (biases, norms, scales) do not: pulling those to zero only hurts.

    Args:
        module: the player.
        plan: the optimizer by name, its momentum, decay and clipping.
        learning_rate: the highest rate of the schedule.
    """
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    decays = {id(p) for name, p in named if p.dim() >= 2 and not name.endswith("bias")}
    matrices = [p for _, p in named if id(p) in decays]
    vectors = [p for _, p in named if id(p) not in decays]
    optimizers: list[torch.optim.Optimizer] = []
    if plan.optimizer == "muon":
        groups = _for_muon(module, plan.muon_rate)
        chosen = {id(p) for group in groups for p in group["params"]}
        if groups:
            optimizers.append(Muon(groups, lr=plan.muon_rate, momentum=0.95,
                                   weight_decay=plan.weight_decay))  # fmt: skip
        matrices = [p for p in matrices if id(p) not in chosen]
    if plan.weight_decay == 0:  # one group is one call less
        matrices, vectors = [*matrices, *vectors], []
    groups = [
        {"params": group, "weight_decay": decay}
        for group, decay in ((matrices, plan.weight_decay), (vectors, 0.0))
        if group
    ]
    if groups:
        optimizers.append(_optimizer(groups, plan, learning_rate))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest"] = group["lr"]
    return Update([p for _, p in named], optimizers, plan.clip)


def _optimizer(groups: Iterable[dict], plan: TrainingPlan, rate: float) -> torch.optim.Optimizer:
    groups = list(groups)
    match plan.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, fused=True)
        case "momentum":
            return torch.optim.SGD(groups, lr=rate, momentum=plan.momentum, fused=True)
        case "nesterov":
            return torch.optim.SGD(groups, lr=rate, momentum=plan.momentum or 0.9, nesterov=True, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, momentum=plan.momentum)
        case name:
            return Adam(groups, lr=rate, betas=(plan.momentum, 0.99), fused=True,
                        decoupled_weight_decay=name != "adam")  # fmt: skip


FIXED_RATE, FIXED_MOMENTUM = 12.0, 0.6
"""Filters of fixed length take larger steps with less memory (Jordan 2024; measured: docs/lab-notes.md)."""


def _for_muon(module: nn.Module, rate: float) -> list[dict[str, Any]]:
    """The matrices and filters of hidden layers and trunks, apart from those whose length the layer after undoes.

    A convolution without a bias has a norm behind it, which divides by the filter's length: there the length is kept
    fixed, so that the step turns the filter by the same angle throughout (Jordan 2024, airbench). Thin matrices such
    as adapters are left to adamw: orthogonal steps need two dimensions worth the name.
    """
    free: list[nn.Parameter] = []
    fixed: list[nn.Parameter] = []
    for name, part in module.named_modules():
        if not any(word in ("hidden", "trunks") for word in name.split(".")):
            continue
        for own, parameter in part.named_parameters(recurse=False):
            if not parameter.requires_grad or parameter.dim() not in (2, 4) or min(parameter.flatten(1).shape) < 8:
                continue
            normed = isinstance(part, nn.Conv2d) and part.bias is None and own == "weight"
            (fixed if normed else free).append(parameter)
    groups = [
        {"params": free, "fixed": False, "lr": rate},
        {"params": fixed, "fixed": True, "lr": FIXED_RATE * rate, "momentum": FIXED_MOMENTUM, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before it is applied (Jordan et al. 2024, "Muon").

    For matrices and convolution filters of hidden layers; a filter is taken as (out, in * height * width). In groups
    with `fixed`, the length of each parameter is kept at the square root of its outputs.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float, weight_decay: float):
        """Step size, memory of earlier gradients, and decay per step (times the step size)."""
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "fixed": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Apply one update to every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["velocity"] = torch.zeros_like(parameter)
                velocity = state["velocity"].mul_(group["momentum"]).add_(parameter.grad)
                ahead = parameter.grad.add(velocity, alpha=group["momentum"])  # Nesterov's look ahead
                change = orthogonal(_matrix(ahead), 3 if group["fixed"] else 5)
                matrix = _matrix(parameter)
                if group["fixed"]:
                    matrix.mul_(len(matrix) ** 0.5 / matrix.norm())
                else:
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(change, alpha=-group["lr"] * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def _matrix(values: Tensor) -> Tensor:
    """(out, in * height * width), columns in the order of memory: a view, and their order changes no result."""
    last = values.dim() == 4 and values.is_contiguous(memory_format=torch.channels_last)
    return (values.permute(0, 2, 3, 1) if last else values).flatten(1)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest matrix with orthonormal rows or columns, roughly, by Newton and Schulz's iteration.

    Args:
        matrix: (rows, columns).
        steps: rounds of the quintic iteration; its coefficients are those of Jordan et al. (2024), which bring every
            singular value to somewhere between 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x
