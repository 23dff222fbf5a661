"""Noise: what a network that makes pictures starts from, so that each of its pictures is another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from lamina.data.album import scattered
from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Values
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Geometry, Shape, vector
from lamina.inputs.contract import InputLayer, InputPlan


@dataclass(frozen=True, kw_only=True)
class NoiseInput(InputPlan):
    """Numbers drawn for each row of a column, whatever its cells hold: the column only says that there is a row."""

    kind: ClassVar[str] = "noise"

    size: int = 64
    """Numbers a row."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise PlanError(f"noise: size is {self.size}; it must be at least 1.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """Nothing: noise knows nothing of the data."""
        return {}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, size) float32 from the normal distribution; a row of a table has the same noise whenever it is asked.

        Training draws anew at each step (`augment`); these rows are what it is judged by, so they stay the same.
        """
        places = chunk.rows.astype(np.uint64)[:, None] * np.uint64(2 * self.size) + np.arange(2 * self.size)[None]
        even = ((scattered(places.astype(np.uint64)) >> np.uint64(11)) + np.uint64(1)) / 2.0**53  # above 0, up to 1
        radius, turn = np.sqrt(-2 * np.log(even[:, ::2])), 2 * np.pi * even[:, 1::2]
        return Block((radius * np.cos(turn)).astype(np.float32))  # Box and Muller 1958

    def build(self, facts: Facts) -> "NoiseLayer":
        """The layer; it has nothing to learn."""
        return NoiseLayer(self.size)


class NoiseLayer(InputLayer):
    """(batch, size) float32 -> the same as a vector."""

    def __init__(self, size: int):
        """A layer for rows of `size` numbers."""
        super().__init__()
        self.shape = Shape("vector", size)

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Tensor)
        return vector(values)

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Other noise in the place of what was prepared."""
        assert isinstance(values, Tensor)
        rows = place.whole or len(values)
        drawn = torch.randn(rows, values.shape[1], generator=generator, device=values.device)
        return drawn[place.start : place.start + len(values)], {}
