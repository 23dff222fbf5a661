"""Scoring a text that goes on from row to row: every token once, with what stands before it in mind.

The rows are divided among lanes that are read side by side. A lane begins some rows early, so that its first tokens
are foreseen from what stands before them too; those early rows count in the lane before.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from lamina.data import Batch, Ragged
from lamina.network import Ensemble, Network, Reader

LANES = 32
"""Stretches of text that are read side by side: one alone would leave the processor waiting."""
EARLY = 2
"""Rows that a lane reads before those that it counts, and before those that these look up."""
LEARNED = 65_536
"""Tokens from which it is learned how much looking up helps, at most."""


def read_on(network: Network | Ensemble, collate: Callable[[np.ndarray], Batch], rows: np.ndarray) -> dict[str, Tensor]:
    """Raw scores with targets, (rows, 1, 4) by output name as `NextLayer` gives them, of rows in the order of the text.

    Rows whose numbers do not follow each other are taken for different texts.
    """
    reader = Reader(network)
    (name,) = network.outputs
    early = EARLY + -(-reader.looks_back // _row_length(collate, rows, name))
    lanes = _lanes(rows, early)
    found = torch.zeros(len(rows), 1, 4)
    # Lanes at the beginning of a text count from their first token on, and are read by themselves.
    for alike in ([lane for lane in lanes if lane[0] == lane[1]], [lane for lane in lanes if lane[0] < lane[1]]):
        for start in range(0, len(alike), LANES):
            some = alike[start : start + LANES]
            for (first, counted, last), costs in zip(some, _costs(reader, collate, rows, some, name), strict=True):
                found[counted:last, 0] = costs[counted - first :]
    return {name: found}


def learn_memory(network: Network | Ensemble, collate: Callable[[np.ndarray], Batch], rows: np.ndarray) -> None:
    """Learn from rows that nothing was learned from how much it helps to look up what was read."""
    reader = Reader(network)
    (name,) = network.outputs
    whole = max(np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1), key=len)
    enough = max(LEARNED // _row_length(collate, whole, name), 1)
    targets = collate(whole[-enough:]).targets[name]
    assert isinstance(targets, Ragged)
    if reader.output.memory.size and len(targets.values) > 1:
        reader.learn_memory(targets.values)


def _row_length(collate: Callable[[np.ndarray], Batch], rows: np.ndarray, name: str) -> int:
    """Tokens of a row, about: a text is cut into stretches of one length."""
    targets = collate(rows[:LANES]).targets[name]
    assert isinstance(targets, Ragged)
    return max(len(targets.values) // len(targets.lengths), 1)


def _lanes(rows: np.ndarray, early: int) -> list[tuple[int, int, int]]:
    """(first entry read, first entry counted, end) of each lane, the longest first; `early` rows are read before."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    size = max(-(-len(rows) // LANES), early)
    lanes = []
    for start, end in pairwise([0, *breaks.tolist(), len(rows)]):
        for counted in range(start, end, size):
            lanes.append((max(counted - early, start), counted, min(counted + size, end)))
    return sorted(lanes, key=lambda lane: lane[0] - lane[2])


def _costs(reader: Reader, collate: Callable[[np.ndarray], Batch], rows: np.ndarray,
           lanes: Sequence[tuple[int, int, int]], name: str) -> list[Tensor]:  # fmt: skip
    """For each lane (rows of the lane, 4)."""
    entries = np.concatenate([np.arange(first, end) for first, _, end in lanes])
    targets = collate(rows[entries]).targets[name]
    assert isinstance(targets, Ragged)
    lengths = targets.lengths.cpu()
    by_lane = torch.tensor([end - first for first, _, end in lanes])
    ends = torch.cat([torch.zeros(1, dtype=torch.long), by_lane.cumsum(0)])
    offsets = targets.offsets.cpu()[ends]
    numbers = Ragged(targets.values, offsets.to(targets.offsets.device)).padded()  # START is 0
    early = min(int(lengths[start : start + counted - first].sum())
                for start, (first, counted, _) in zip(ends.tolist(), lanes, strict=False))  # fmt: skip
    costs = torch.cat([window.cpu() for window in reader.costs(numbers, early)], 1)  # (lanes, tokens, 4)
    found = []
    for lane, (start, end) in enumerate(pairwise(ends.tolist())):
        own = lengths[start:end]
        row = torch.arange(len(own)).repeat_interleave(own)
        found.append(torch.zeros(len(own), 4).index_add_(0, row, costs[lane, : int(own.sum())]))
    return found
