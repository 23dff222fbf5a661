"""Rows of the store -> a batch of tensors where the network computes. The only place that slices and moves batches."""

import itertools
from collections.abc import Mapping

import numpy as np
import torch

from lamina.data import Batch, Block, Ragged, StoredBlock, Values


class Collate:
    """Gathers rows of prepared blocks into batches."""

    def __init__(self, inputs: Mapping[str, StoredBlock], targets: Mapping[str, StoredBlock],
                 weight: np.ndarray | None = None, device: torch.device | str = "cpu"):  # fmt: skip
        """Batches of these blocks; `weight` is (table rows,) float32, how much each row counts."""
        self._inputs, self._targets, self._weight, self._device = inputs, targets, weight, torch.device(device)

    def __call__(self, rows: np.ndarray) -> Batch:
        """The batch of these row numbers, in this order."""
        return Batch(
            inputs={name: to_values(block.take(rows), self._device) for name, block in self._inputs.items()},
            targets={name: to_values(block.take(rows), self._device) for name, block in self._targets.items()},
            rows=torch.from_numpy(np.ascontiguousarray(rows)),
            weight=None if self._weight is None else torch.from_numpy(self._weight[rows]).to(self._device),
        )


def to_values(block: Block, device: torch.device | str = "cpu") -> Values:
    """A prepared block as tensors on a device."""
    values = torch.from_numpy(np.ascontiguousarray(block.values)).to(device, non_blocking=True)
    if block.offsets is None:
        return values
    return Ragged(values, torch.from_numpy(np.ascontiguousarray(block.offsets)).to(device))


def split_batch(batch: Batch, parts: int) -> list[Batch]:
    """A batch in at most `parts` pieces of nearly equal size, for working through it a piece at a time."""
    count = len(batch)
    bounds = np.linspace(0, count, min(parts, count) + 1).astype(int)
    return [slice_batch(batch, int(start), int(end)) for start, end in itertools.pairwise(bounds)]


def slice_batch(batch: Batch, start: int, end: int) -> Batch:
    """The rows of a batch from `start` to `end`, without `end`."""

    def cut(values: Values) -> Values:
        if not isinstance(values, Ragged):
            return values[start:end]
        offsets = values.offsets[start : end + 1]
        return Ragged(values.values[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0])

    return Batch(
        inputs={name: cut(values) for name, values in batch.inputs.items()},
        targets={name: cut(values) for name, values in batch.targets.items()},
        rows=batch.rows[start:end],
        weight=None if batch.weight is None else batch.weight[start:end],
        context={name: cut(values) for name, values in batch.context.items()},
        place=batch.place._replace(start=batch.place.start + start, whole=batch.whole),
    )
