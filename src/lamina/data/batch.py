"""The pieces in which data moves: a chunk of cells, a block of arrays, a batch of tensors."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from torch import Tensor

Facts = dict[str, object]
"""What a part learned on training rows: JSON values and numpy arrays by name, nothing else."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, cells still as they lie there.

    Numbers are Float64, categories and text String, moments Datetime, gaps null; a cell of a picture is a reference
    (String) that `open` turns into bytes or an array.
    """

    rows: np.ndarray
    """(rows,) row numbers in the table."""
    frame: pl.DataFrame
    open: Callable[[str, str], "bytes | np.ndarray"]
    """(column, reference) -> the bytes of a file, or an array."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Block:
    """Prepared cells of one part, an entry a row: a fixed-shape array, or values and offsets."""

    values: np.ndarray
    """(rows, ...) when every row has the same shape; otherwise all rows' values end to end."""
    offsets: np.ndarray | None = None
    """(rows + 1,) int64 where each row starts and the last one ends; None for a fixed shape."""
    shapes: np.ndarray | None = None
    """(rows, dimensions) the own shape of each row's values, when they have more than one dimension."""
    problems: Mapping[int, str] = field(default_factory=dict)
    """Entries that could not be read, with the reason; their values are zeros and must not be used."""

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def by_row(self) -> np.ndarray:
        """(rows, ...) the values as metrics take them: of rows that differ in length, (rows,) of arrays."""
        return self.values if self.offsets is None else in_rows(np.split(self.values, self.offsets[1:-1])[: len(self)])


def in_rows(rows: Iterable[object]) -> np.ndarray:
    """(rows,) of anything, each row as it is, whatever its length."""
    listed = list(rows)
    made = np.empty(len(listed), dtype=object)
    for place, row in enumerate(listed):
        made[place] = row
    return made


class Ragged(NamedTuple):
    """Entries of differing length as tensors, end to end."""

    values: Tensor
    offsets: Tensor
    """(batch + 1,) int64: entry i is values[offsets[i]:offsets[i + 1]]."""

    @property
    def lengths(self) -> Tensor:
        """(batch,) int64."""
        return self.offsets.diff()

    def padded(self, fill: float = 0) -> Tensor:
        """(batch, longest, ...) with `fill` after each entry's end."""
        lengths = self.lengths
        longest = int(lengths.max()) if len(lengths) else 0
        places = torch.arange(longest, device=self.values.device)
        inside = places < lengths[:, None]
        padded = self.values.new_full((len(lengths), longest, *self.values.shape[1:]), fill)
        padded[inside] = self.values
        return padded


Values = Tensor | Ragged
"""What an input layer takes: (batch, ...) of a fixed shape, or entries of differing length."""


class Place(NamedTuple):
    """Where some rows stand in the batch of a step, which parts and processes may divide among themselves."""

    batch: int = 0
    """Which batch of the stream it is."""
    start: int = 0
    """The place of the first of these rows within it."""
    whole: int = 0
    """Rows of the whole batch; 0 when these are all."""
    counts: bool = True
    """False where a process that got none of the batch's rows works on others, for company only."""


WHOLE = Place()
"""Rows that are all of their batch."""


@dataclass(frozen=True)
class Batch:
    """Rows on their way through the network."""

    inputs: Mapping[str, Values]
    """By the name of the input layer."""
    targets: Mapping[str, Values]
    """By the name of the output layer; empty at prediction."""
    rows: Tensor
    """(batch,) int64 row numbers in the table."""
    weight: Tensor | None = None
    """(batch,) how much each row counts in the loss; None when all count the same."""
    context: Mapping[str, Values] = field(default_factory=dict)
    """What answers need beside the inputs: original sizes, character offsets, last level, time stamps."""
    place: Place = WHOLE
    """Where these rows stand in the batch of a step."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def whole(self) -> int:
        """Rows of the whole batch that these are a part of."""
        return self.place.whole or len(self)

    def with_inputs(self, inputs: Mapping[str, Values]) -> "Batch":
        """The same rows with other inputs."""
        return replace(self, inputs=inputs)

    def with_targets(self, targets: Mapping[str, Values]) -> "Batch":
        """The same rows with other targets."""
        return replace(self, targets=targets)

    def placed(self, place: Place) -> "Batch":
        """The same rows, standing elsewhere."""
        return Batch(self.inputs, self.targets, self.rows, self.weight, self.context, place)  # once a step: be quick
