"""Rows of the store -> a batch of tensors where the network computes. The only place that slices and moves batches."""

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data import Batch, Block, Lengths, Ragged, StoredBlock, Values
from lamina.network.network import Network


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


def row_lengths(network: Network, blocks: Mapping[str, StoredBlock]) -> Lengths | None:
    """Says of rows of the store how many tokens the longest sequence of each has, read or answered.

    None where rows are not padded.
    """
    paths = [*(f"inputs.{name}" for name in network.sequences), *(f"outputs.{name}" for name in network.outputs)]
    spans = [span for path in paths if (span := blocks[path].offsets) is not None]
    if not network.sequences or not spans:
        return None
    return lambda rows: np.max([span[rows + 1] - span[rows] for span in spans], axis=0)


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


def pick(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, in this order; each as it stands in the whole, so for answering only."""

    def picked(values: Values) -> Values:
        if not isinstance(values, Ragged):
            return values[rows.to(values.device)]
        place = rows.to(values.offsets.device)
        lengths = values.lengths[place]
        offsets = functional.pad(lengths.cumsum(0), (1, 0))
        within = torch.arange(int(offsets[-1]), device=place.device) - offsets[:-1].repeat_interleave(lengths)
        return Ragged(values.values[values.offsets[place].repeat_interleave(lengths) + within], offsets)

    return Batch(
        inputs={name: picked(values) for name, values in batch.inputs.items()},
        targets={name: picked(values) for name, values in batch.targets.items()},
        rows=batch.rows[rows],
        weight=None if batch.weight is None else batch.weight[rows.to(batch.weight.device)],
        context={name: picked(values) for name, values in batch.context.items()},
    )


def slice_batch(batch: Batch, start: int, end: int) -> Batch:
    """The rows of a batch from `start` to `end`, without `end`."""
    if end - start == len(batch):
        return batch

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
