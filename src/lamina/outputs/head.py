"""The last linear map of an output: one for a single network, or one for each of several trained side by side."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lamina.ground.errors import ShapeError
from lamina.ground.shapes import Features, Shape


class LinearHead(nn.Module):
    """A vector to raw scores, always with a member dimension.

    Args:
        shape: vector features, with or without members.
        bias: (scores,) where the scores start: what an output would say without having seen any input.

    Raises:
        ShapeError: if the features are not vectors.
    """

    def __init__(self, shape: Shape, bias: Sequence[float]):
        super().__init__()
        if shape.form != "vector":
            raise ShapeError(f"This output reads a vector, not {shape.form} ({shape}): pool or flatten it first.")
        members = shape.members or 1
        reach = 1 / math.sqrt(shape.width)  # as torch.nn.Linear starts
        self.weight = nn.Parameter(torch.empty(members, shape.width, len(bias)).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.tensor(bias, dtype=torch.float32).repeat(members, 1))

    @torch.no_grad()
    def take(self, weights: Mapping[str, Tensor]) -> bool:
        """Take over a published dense layer: names that end in weight (scores, width) and bias (scores,)."""
        found = {name.rpartition(".")[2]: tensor for name, tensor in weights.items()}
        if set(found) != {"weight", "bias"} or found["weight"].T[None].shape != self.weight.shape:
            return False
        self.weight.copy_(found["weight"].T[None])
        self.bias.copy_(found["bias"][None])
        return True

    def forward(self, features: Features) -> Tensor:
        """(batch, width) or (batch, members, width) -> (batch, members, scores)."""
        values = features.values
        if values.dim() == 2:
            return (values @ self.weight[0] + self.bias[0])[:, None]
        by_member = values.transpose(0, 1)  # (members, batch, width): one matrix product for each member
        return torch.baddbmm(self.bias[:, None], by_member, self.weight).transpose(0, 1)


def weighted_sum(losses: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | float]:
    """Losses of rows and members as a sum over rows of the mean over members, and how much was counted.

    Args:
        losses: (batch, members).
        weight: (batch,), or None when all rows count the same.
    """
    by_row = losses.mean(1)
    if weight is None:
        return by_row.sum(), float(len(by_row))
    return (by_row * weight).sum(), weight.sum()
