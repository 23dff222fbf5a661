"""Batches without end, resumable anywhere.

Over stored rows the order is a pure function of (seed, epoch, position) and of the rows' lengths, where they have any:
nothing to keep but two integers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np

from lamina.data.batch import Batch, Place
from lamina.ground.seed import permutation

WINDOW = 64
"""Batches that put their rows together by length. More save little: padding is half of a batch of sentences that are
drawn by chance, and a twentieth so (docs/lab-notes.md, Texts)."""


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
    statistics cannot be taken of it. Where rows are sequences, those of like length come together, for each is padded
    up to the longest of its batch: `WINDOW` batches are drawn at a time, divided by length, and shuffled.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, seed: int, collate: Callable[[np.ndarray], Batch],
                 rank: int = 0, ranks: int = 1, lengths: np.ndarray | None = None):  # fmt: skip
        """Batches of `rows` (row numbers), at most `batch_size` at a time, each made by `collate`.

        Args:
            rows: the row numbers.
            batch_size: rows of a batch, of all processes together.
            seed: the order follows from it and from nothing else.
            collate: row numbers -> the batch of them.
            rank: which share of each batch is wanted.
            ranks: shares that each batch is divided into.
            lengths: (rows,) of each row; None where rows have none.
        """
        assert len(rows) > 0 and batch_size > 0
        assert lengths is None or len(lengths) == len(rows)
        self._rank, self._ranks = rank, ranks
        self._rows, self._seed, self._collate = np.asarray(rows), seed, collate
        # Where all are equal there is nothing to put together, and the order is that of rows without lengths.
        self._lengths = None if lengths is None or (lengths == lengths[0]).all() else np.asarray(lengths)
        self.batches_per_epoch = -(-len(rows) // batch_size)
        self.epoch = 0
        self.position = 0
        """The next batch within the epoch."""
        self._order = self._order_of(0)

    def _order_of(self, epoch: int) -> list[np.ndarray]:
        count, order = self.batches_per_epoch, permutation(len(self._rows), self._seed, "order", epoch)
        if self._lengths is None:
            return np.array_split(self._rows[order], count)
        ends = np.cumsum([len(batch) for batch in np.array_split(order, count)])
        last = [batches[-1] for batches in np.array_split(np.arange(count), -(-count // WINDOW))]
        windows = np.split(order, ends[last[:-1]])
        # Rows of one length stay in the order that was drawn: who is whose neighbour is left to chance.
        order = np.concatenate([rows[np.argsort(self._lengths[rows], kind="stable")] for rows in windows])
        batches = np.split(self._rows[order], ends[:-1])
        return [batches[place] for place in permutation(count, self._seed, "batches", epoch)]

    def next(self) -> Batch:
        batch = self._share(self._order[self.position])
        self.position += 1
        if self.position == self.batches_per_epoch:
            self.epoch, self.position = self.epoch + 1, 0
            self._order = self._order_of(self.epoch)
        return batch

    def _share(self, rows: np.ndarray) -> Batch:
        """The wanted share of a batch; all of it, not to be counted, where there are too few rows for every share."""
        number = self.epoch * self.batches_per_epoch + self.position
        start, end = share_of(len(rows), self._rank, self._ranks)
        if start == end:
            return self._collate(rows).placed(Place(number, 0, len(rows), counts=False))
        return self._collate(rows[start:end]).placed(Place(number, start, len(rows)))

    def state(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position}

    def restore(self, state: Mapping[str, int]) -> None:
        self.epoch, self.position = state["epoch"], state["position"]
        self._order = self._order_of(self.epoch)


def share_of(rows: int, rank: int, ranks: int) -> tuple[int, int]:
    """Where a process's rows of a batch begin and end: shares as equal as can be, of two rows or more.

    A single row has no batch statistics; so where rows are few, the last processes get none.
    """
    sharing = min(ranks, max(rows // 2, 1))
    return (rows * rank // sharing, rows * (rank + 1) // sharing) if rank < sharing else (rows, rows)
