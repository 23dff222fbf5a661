"""One step: every turn's backward, gradients divided once, clipped, applied. Names no task and no data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.network import TrainingPlan
from lamina.objectives import Objective
from lamina.training.muon import Muon, muon_groups
from lamina.training.optimizers import Adam, Descent, Group, Optimizer, RMSprop


@dataclass
class Update:
    """How one player's gradients become a change of its weights."""

    parameters: list[nn.Parameter]
    optimizers: list[Optimizer]
    """More than one when groups of parameters follow different methods (muon beside adamw)."""
    clip: float = 0.0

    def apply(self) -> None:
        """Clip, step and clear."""
        if self.clip:
            _clip([parameter.grad for parameter in self.parameters if parameter.grad is not None], self.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.clear()

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def set_rate(self, share: float) -> None:
        """Set the learning rate to this share of each group's own highest rate."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest"] * share


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
    optimizers: list[Optimizer] = []
    if plan.optimizer == "muon":
        groups = muon_groups(module, plan.muon_rate)
        chosen = {id(p) for group in groups for p in group["params"]}
        if groups:
            optimizers.append(Muon(groups, momentum=0.95, weight_decay=plan.weight_decay))
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


def _optimizer(groups: Iterable[Group], plan: TrainingPlan, rate: float) -> Optimizer:
    match plan.optimizer:
        case "sgd" | "momentum" | "nesterov":
            nesterov = plan.optimizer == "nesterov"
            momentum = 0.0 if plan.optimizer == "sgd" else plan.momentum or (0.9 if nesterov else 0.0)
            return Descent(groups, lr=rate, momentum=momentum, nesterov=nesterov)
        case "rmsprop":
            return RMSprop(groups, lr=rate, momentum=plan.momentum)
        case name:
            return Adam(groups, lr=rate, betas=(plan.momentum, 0.99), decoupled=name != "adam")


@torch.no_grad()
def _clip(gradients: list[Tensor], most: float) -> None:
    """Scale gradients to a common norm of at most `most`: `nn.utils.clip_grad_norm_` in half of its time."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp_(max=1.0))


def take_step(objective: Objective, micro_batches: Sequence[Batch], updates: Mapping[str, Update]) -> dict[str, Tensor]:
    """One turn of every player over all parts of a batch.

    The parts' losses are sums; their gradients are added and divided once by the summed count. So any division of a
    batch gives the whole batch's gradient up to rounding, unless a part of the network couples rows.

    Returns:
        The mean loss by player, () each, still on the device: reading it is left to whoever needs it.
    """
    if len(micro_batches) == 1:
        return _take_whole(objective, micro_batches[0], updates)
    turns = [objective.turns(batch) for batch in micro_batches]
    means: dict[str, Tensor] = {}
    while True:
        player: str | None = None
        total, count = torch.zeros(()), torch.zeros(())
        for turn in turns:
            taken = next(turn, None)
            if taken is None:
                return means
            player, loss = taken
            loss.total.backward(inputs=_inputs(player, updates))
            total, count = total + loss.total.detach(), count + loss.count
        assert player is not None, "a step needs at least one batch"
        torch._foreach_div_([p.grad for p in updates[player].parameters if p.grad is not None], float(count))
        means[player] = total / count
        updates[player].apply()


def _take_whole(objective: Objective, batch: Batch, updates: Mapping[str, Update]) -> dict[str, Tensor]:
    """The step of a batch that was not divided: the same, with less to do."""
    means = {}
    for player, loss in objective.turns(batch):
        mean = loss.mean()
        mean.backward(inputs=_inputs(player, updates))
        means[player] = mean.detach()
        updates[player].apply()
    return means


def _inputs(player: str, updates: Mapping[str, Update]) -> list[nn.Parameter] | None:
    """Whose gradients are wanted: with several players a loss may reach the others' weights; None means all."""
    return updates[player].parameters if len(updates) > 1 else None
