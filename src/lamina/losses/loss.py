"""A loss as a sum and a count, so that parts of a batch add up to the whole."""

from collections.abc import Callable, Sequence

from torch import Tensor

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets) -> the mean over the batch."""


class Loss:
    """What an output or an objective minimises on some rows."""

    __slots__ = ("_averaged", "_value", "count")

    def __init__(self, value: Tensor, count: Tensor | float, *, averaged: bool = False):
        """A sum and its count.

        Args:
            value: () the sum over everything counted.
            count: how many things were counted: rows, tokens, boxes, or the sum of their weights.
            averaged: `value` is the mean of them, for that was there first: gradients then pass through no sum.
        """
        self._value, self.count, self._averaged = value, count, averaged

    @property
    def total(self) -> Tensor:
        """() the sum over everything counted."""
        return self._value * self.count if self._averaged else self._value

    def mean(self) -> Tensor:
        """() the loss of one counted thing."""
        return self._value if self._averaged else self._value / self.count

    def backward(self, inputs: Sequence[Tensor] | None = None) -> Tensor:
        """Leave the gradients of the mean in the parameters; () the mean, that nothing depends on any more.

        Args:
            inputs: whose gradients are wanted; None for all that the loss depends on.
        """
        mean = self.mean()
        mean.backward(inputs=inputs)
        return mean.detach()
