"""One step: every turn's backward, gradients divided once, clipped, applied. Names no task and no data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.objectives import Objective


@dataclass
class Update:
    """How one player's gradients become a change of its weights."""

    parameters: list[nn.Parameter]
    optimizers: list[torch.optim.Optimizer]
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
