"""A loss as a sum and a count, so that parts of a batch add up to the whole."""

from torch import Tensor


class Loss:
    """What an output or an objective minimises on some rows."""

    __slots__ = ("_mean", "_total", "count")

    def __init__(self, total: Tensor | None, count: Tensor | float, mean: Tensor | None = None):
        """A sum over everything counted.

        Args:
            total: () the sum; None where `mean` is given.
            count: how many things were counted: rows, tokens, boxes, or the sum of their weights.
            mean: () the loss of one counted thing, where that is what is there first.
        """
        self._total, self.count, self._mean = total, count, mean

    @property
    def total(self) -> Tensor:
        """() the sum over everything counted."""
        return self._mean * self.count if self._total is None else self._total  # type: ignore[operator]

    def mean(self) -> Tensor:
        """() the loss of one counted thing; gradients pass through no sum where the mean was there first."""
        return self._total / self.count if self._mean is None else self._mean  # type: ignore[operator]
