"""Gradients -> updates: the optimizers by name, and which weights decay."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from lamina.network import TrainingPlan
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
    matrices = [p for _, p in named if p.dim() >= 2]
    vectors = [p for _, p in named if p.dim() < 2]
    optimizers: list[torch.optim.Optimizer] = []
    if plan.optimizer == "muon":
        hidden = [p for name, p in named if p.dim() in (2, 4) and ("hidden" in name or "trunks" in name)]
        chosen = {id(p) for p in hidden}
        if hidden:
            optimizers.append(Muon(hidden, lr=learning_rate * MUON_SCALE, momentum=plan.momentum,
                                   weight_decay=plan.weight_decay))  # fmt: skip
        matrices = [p for p in matrices if id(p) not in chosen]
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
        case "adam":
            return torch.optim.Adam(groups, lr=rate, betas=(plan.momentum, 0.99), fused=True)
        case _:
            return torch.optim.AdamW(groups, lr=rate, betas=(plan.momentum, 0.99), fused=True)


MUON_SCALE = 10.0
"""Muon's updates have unit spectral norm, so its rate is larger than adam's for the same change of the network."""


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before it is applied (Jordan et al. 2024, "Muon").

    For matrices and convolution filters of hidden layers; a filter is taken as (out, in * height * width).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, weight_decay: float):
        """Step size, memory of earlier gradients, and decay per step (times the step size)."""
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

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
                matrix = ahead.reshape(len(ahead), -1)
                change = orthogonal(matrix).view_as(parameter)
                scale = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(change, alpha=-group["lr"] * scale)


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
