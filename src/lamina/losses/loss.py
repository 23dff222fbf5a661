"""A loss as a sum and a count, so that parts of a batch add up to the whole."""

from typing import NamedTuple

from torch import Tensor


class Loss(NamedTuple):
    """What an output or an objective minimises on some rows."""

    total: Tensor
    """() the sum over everything counted."""
    count: Tensor | float  # type: ignore[assignment]  # hides tuple.count, which nobody asks of a loss
    """How many things were counted: rows, tokens, boxes, or the sum of their weights."""
    known_mean: Tensor | None = None
    """() the mean, where it was there before the sum: gradients then need not pass through both."""

    def mean(self) -> Tensor:
        """() the loss of one counted thing."""
        return self.total / self.count if self.known_mean is None else self.known_mean
