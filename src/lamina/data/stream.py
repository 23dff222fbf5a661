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


STRETCH = 4_096
"""Rows that lie side by side in the store and are shuffled together, where they are too many to be put in order at
once; a page of the store is then read for many of its rows and not for one."""
SHUFFLED = 1 << 20
"""Rows of stretches from all over the store that are put in order at once."""

Lengths = Callable[[np.ndarray], np.ndarray]
"""Row numbers -> how long each row is."""


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
                 rank: int = 0, ranks: int = 1, lengths: Lengths | None = None, more: range = range(0)):  # fmt: skip
        """Batches of `rows` (row numbers), at most `batch_size` at a time, each made by `collate`.

        Args:
            rows: the row numbers.
            batch_size: rows of a batch, of all processes together.
            seed: the order follows from it and from nothing else.
            collate: row numbers -> the batch of them.
            rank: which share of each batch is wanted.
            ranks: shares that each batch is divided into.
            lengths: of rows; None where rows have none.
            more: further row numbers, of which there may be too many to hold: their order is found out a window of
                `SHUFFLED` rows at a time.
        """
        assert len(rows) > 0 and batch_size > 0
        self._rank, self._ranks = rank, ranks
        self._rows, self._more, self._seed, self._collate = np.asarray(rows), more, seed, collate
        self._lengths = lengths
        if lengths is not None and not more and (found := lengths(self._rows)).max() == found.min():
            self._lengths = None  # there is nothing to put together, and the order is that of rows without lengths
        self.batches_per_epoch = -(-(len(rows) + len(more)) // batch_size)
        self.epoch = 0
        self.position = 0
        """The next batch within the epoch."""
        self._window: tuple[int, int] | None = None
        """The epoch and the number of the window that is in order."""
        self._batches: list[np.ndarray] = []

    def _batch(self) -> np.ndarray:
        """The rows of the next batch."""
        count = self.batches_per_epoch
        each = max(SHUFFLED * count // (len(self._rows) + len(self._more)), 1) if self._more else count
        window, place = divmod(self.position, each)
        if self._window != (self.epoch, window):
            first, last = window * each, min((window + 1) * each, count)
            rows = self._part(first, last) if self._more else self._rows
            keys = (self.epoch, window) if self._more else (self.epoch,)
            self._window, self._batches = (self.epoch, window), self._in_order(rows, last - first, *keys)
        return self._batches[place]

    def _part(self, first: int, last: int) -> np.ndarray:
        """The rows of some batches of an epoch: whole stretches, drawn from everywhere, but for the outermost two."""
        total, count = len(self._rows) + len(self._more), self.batches_per_epoch
        starts = STRETCH * permutation(-(-total // STRETCH), self._seed, "stretches", self.epoch)
        ends = np.cumsum(np.minimum(total - starts, STRETCH))
        places = np.arange(first * total // count, last * total // count)
        stretch = np.searchsorted(ends, places, side="right")
        places += starts[stretch] - np.concatenate([[0], ends])[stretch]
        mine = places < len(self._rows)
        places[mine] = self._rows[places[mine]]
        places[~mine] += self._more.start - len(self._rows)
        return places

    def _in_order(self, rows: np.ndarray, count: int, *keys: int) -> list[np.ndarray]:
        """Rows in so many batches, in the order of these keys."""
        order = permutation(len(rows), self._seed, "order", *keys)
        if self._lengths is None:
            return np.array_split(rows[order], count)
        lengths = self._lengths(rows)
        ends = np.cumsum([len(batch) for batch in np.array_split(order, count)])
        last = [batches[-1] for batches in np.array_split(np.arange(count), -(-count // WINDOW))]
        windows = np.split(order, ends[last[:-1]])
        # Rows of one length stay in the order that was drawn: who is whose neighbour is left to chance.
        order = np.concatenate([some[np.argsort(lengths[some], kind="stable")] for some in windows])
        batches = np.split(rows[order], ends[:-1])
        return [batches[place] for place in permutation(count, self._seed, "batches", *keys)]

    def next(self) -> Batch:
        batch = self._share(self._batch())
        self.position += 1
        if self.position == self.batches_per_epoch:
            self.epoch, self.position = self.epoch + 1, 0
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


def share_of(rows: int, rank: int, ranks: int) -> tuple[int, int]:
    """Where a process's rows of a batch begin and end: shares as equal as can be, of two rows or more.

    A single row has no batch statistics; so where rows are few, the last processes get none.
    """
    sharing = min(ranks, max(rows // 2, 1))
    return (rows * rank // sharing, rows * (rank + 1) // sharing) if rank < sharing else (rows, rows)
