"""Batches without end, resumable anywhere.

Over stored rows the order is a pure function of (seed, epoch, position): nothing to keep but two integers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np

from lamina.data.batch import Batch
from lamina.ground.seed import permutation


class Stream(ABC):
    """Any resumable source of batches."""

    @abstractmethod
    def next(self) -> Batch:
        """The next batch."""

    @abstractmethod
    def state(self) -> dict[str, int]:
        """Plain values from which `restore` goes on at the very next batch."""

    @abstractmethod
    def restore(self, state: Mapping[str, int]) -> None:
        """Go on where `state` was taken."""


class RowStream(Stream):
    """Rows of a store in a new order each epoch, each row once, in batches as equal as can be.

    Equal batches rather than full ones and a remainder: a last batch of one row would be all noise, and batch
    statistics cannot be taken of it.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, seed: int, collate: Callable[[np.ndarray], Batch]):
        """Batches of `rows` (row numbers), at most `batch_size` at a time, each made by `collate`."""
        assert len(rows) > 0 and batch_size > 0
        self._rows, self._seed, self._collate = np.asarray(rows), seed, collate
        self.batches_per_epoch = -(-len(rows) // batch_size)
        self.epoch = 0
        self.position = 0
        """The next batch within the epoch."""
        self._order = self._order_of(0)

    def _order_of(self, epoch: int) -> list[np.ndarray]:
        order = permutation(len(self._rows), self._seed, "order", epoch)
        return np.array_split(self._rows[order], self.batches_per_epoch)

    def next(self) -> Batch:
        batch = self._collate(self._order[self.position])
        self.position += 1
        if self.position == self.batches_per_epoch:
            self.epoch, self.position = self.epoch + 1, 0
            self._order = self._order_of(self.epoch)
        return batch

    def state(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def restore(self, state: Mapping[str, int]) -> None:
        self.epoch, self.position = state["epoch"], state["position"]
        self._order = self._order_of(self.epoch)
