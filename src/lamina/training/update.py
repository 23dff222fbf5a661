"""One step: every turn's backward, gradients divided once, clipped, applied. Names no task and no data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.losses import Loss
from lamina.network import TrainingPlan
from lamina.objectives import Objective
from lamina.training.muon import Muon, muon_groups
from lamina.training.optimizers import Adam, Descent, EvenAdam, Group, Optimizer, RMSprop, local


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
    even = _of_one_rate(module) if plan.optimizer in ("adam", "adamw", "muon") else []
    if even:
        optimizers.append(EvenAdam([{"params": even}], lr=learning_rate, betas=(plan.momentum, 0.99), weight_decay=0.0))
        matrices = [p for p in matrices if all(p is not other for other in even)]
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


def _of_one_rate(module: nn.Module) -> list[nn.Parameter]:
    """Parameters of which their part says that all numbers learn at one rate."""
    return [
        parameter
        for part in module.modules()
        for name, parameter in part.named_parameters(recurse=False)
        if name in getattr(part, "one_rate", ()) and parameter.requires_grad
    ]


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
    if any(gradient is not local(gradient) for gradient in gradients[:1]):  # the norm is that of all processes' shares
        norm = nn.utils.get_total_norm(gradients).full_tensor()  # type: ignore[attr-defined]
        gradients = [local(gradient) for gradient in gradients]
    else:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp_(max=1.0))


class Turn(NamedTuple):
    """What one player's turn came to over all parts that were worked through."""

    player: str
    total: Tensor
    """() the sum of the loss."""
    count: Tensor  # type: ignore[assignment]  # hides tuple.count, as that of a loss does
    """() how much was counted."""


class Others(Protocol):
    """Processes that work on the other rows of the same batch."""

    def agreed(self, work: Callable[[], Turn | None], parameters: Sequence[nn.Parameter]) -> Turn | None:
        """What `work` gives; raises here, too, when the memory ended in another process."""

    def add_up(self, turn: Turn, parameters: Sequence[nn.Parameter]) -> Turn:
        """Gradients, totals and counts of all processes, added up: the gradients in place."""


def take_step(objective: Objective, micro_batches: Sequence[Batch], updates: Mapping[str, Update],
              others: Others | None = None) -> dict[str, Tensor]:  # fmt: skip
    """One turn of every player over all parts of a batch.

    The parts' losses are sums; their gradients are added, over parts and processes, and divided once by the summed
    count. So any division of a batch gives the whole batch's gradient up to rounding, unless a part of the network
    couples rows.

    Returns:
        The mean loss by player, () each, still on the device: reading it is left to whoever needs it.
    """
    if len(micro_batches) == 1 and others is None:
        return _take_whole(objective, micro_batches[0], updates)
    assert micro_batches, "a step needs at least one batch"
    turns = [(objective.turns(batch), batch.place.counts) for batch in micro_batches]
    all_parameters = [parameter for update in updates.values() for parameter in update.parameters]
    means: dict[str, Tensor] = {}
    while True:
        turn = _turn(turns, updates) if others is None else others.agreed(lambda: _turn(turns, updates), all_parameters)
        if turn is None:
            return means
        update = updates[turn.player]
        if others is not None:
            turn = others.add_up(turn, update.parameters)
        torch._foreach_div_([local(p.grad) for p in update.parameters if p.grad is not None], turn.count)
        means[turn.player] = turn.total / turn.count
        update.apply()


def _turn(turns: Sequence[tuple[Iterator[tuple[str, Loss]], bool]], updates: Mapping[str, Update]) -> Turn | None:
    """The next turn of every part: gradients are those of the summed loss. None when all turns are over."""
    total, count = torch.zeros(()), torch.zeros(())
    player = ""
    for part, counts in turns:
        taken = next(part, None)
        if taken is None:
            return None
        player, loss = taken
        if not counts:
            loss = Loss(loss.total * 0, loss.count * 0)
        loss.total.backward(inputs=_inputs(player, updates))
        total, count = total + loss.total.detach(), count + loss.count
    return Turn(player, total, count)


def _take_whole(objective: Objective, batch: Batch, updates: Mapping[str, Update]) -> dict[str, Tensor]:
    """The step of a batch that was not divided: the same, with less to do."""
    means = {}
    for player, loss in objective.turns(batch):
        means[player] = loss.backward(_inputs(player, updates))
        updates[player].apply()
    return means


def _inputs(player: str, updates: Mapping[str, Update]) -> list[nn.Parameter] | None:
    """Whose gradients are wanted: with several players a loss may reach the others' weights; None means all."""
    return updates[player].parameters if len(updates) > 1 else None
