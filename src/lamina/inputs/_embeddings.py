"""Numbers to vectors, column by column, so that dense layers can bend sharply where the data asks for it.

Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning".
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

FREQUENCIES = 16
"""Waves that each column is looked at through."""


def edges_of(values: np.ndarray, bins: int) -> np.ndarray:
    """Where the pieces of a column begin and end: quantiles of the rows and of the different values, half and half.

    Where nearly all rows share one value (an income from capital of 0), quantiles of rows alone would leave nothing to
    tell the others apart by (measured: docs/lab-notes.md).

    Args:
        values: (rows,) finite numbers, at least one.
        bins: pieces at most.

    Returns:
        From 2 to `bins + 1` rising numbers, the smallest and the largest value among them.
    """
    different, counts = np.unique(values, return_counts=True)
    if len(different) == 1:
        return np.array([different[0], different[0] + max(1.0, abs(different[0]))])
    if len(different) <= bins + 1:
        return different
    reached = np.cumsum(counts / len(values) + 1 / len(different)) / 2  # from 0 to 1, up to and with each value
    inner = np.searchsorted(reached, np.linspace(0, 1, bins + 1)[1:-1])
    return different[np.unique([0, *inner, len(different) - 1])]


class PiecewiseLinear(nn.Module):
    """A piecewise linear curve in `width` dimensions for each column.

    A number is written as how much of each piece lies below it, (0, .., 0.3, .. 1, 1) backwards, and the curve adds
    up the pieces' steps; beyond the ends it goes on along the column's straight line only.

    Args:
        edges: for each column, where its pieces begin and end, in the units of the values given to `forward`.
        width: numbers for each column.
    """

    starts: Tensor
    slopes: Tensor

    def __init__(self, edges: Sequence[np.ndarray], width: int):
        super().__init__()
        pieces = max(len(edge) - 1 for edge in edges)
        # Columns with fewer pieces end in pieces of slope 0: nothing is ever inside them.
        starts, slopes = np.zeros((len(edges), pieces)), np.zeros((len(edges), pieces))
        for column, edge in enumerate(edges):
            starts[column, : len(edge) - 1] = edge[:-1]
            slopes[column, : len(edge) - 1] = 1 / np.diff(edge)
        self.register_buffer("starts", torch.tensor(starts, dtype=torch.float32))
        self.register_buffer("slopes", torch.tensor(slopes, dtype=torch.float32))
        reach = 1 / math.sqrt(width)
        self.steps = nn.Parameter(torch.empty(len(edges), pieces, width).uniform_(-reach / 2, reach / 2))
        self.line = nn.Parameter(torch.empty(len(edges), width).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(len(edges), width).uniform_(-reach, reach))

    def forward(self, values: Tensor, scaled: Tensor) -> Tensor:
        """Curves at these numbers.

        Args:
            values: (batch, columns) in the units of the edges.
            scaled: (batch, columns) the same numbers, centred and scaled, for the straight line.

        Returns:
            (batch, columns * width).
        """
        below = ((values.unsqueeze(2) - self.starts) * self.slopes).clamp(0, 1)  # (batch, columns, pieces)
        curves = torch.bmm(below.transpose(0, 1), self.steps).transpose(0, 1)  # (batch, columns, width)
        return (curves + scaled.unsqueeze(2) * self.line + self.bias).flatten(1)


class Periodic(nn.Module):
    """Waves of learned lengths, mixed to `width - 1` numbers beside the number itself.

    Gorishniy et al. 2022 in the form of Holzmüller, Grinsztajn and Steinwart 2024, "Better by Default" (PBLD).

    Args:
        columns: how many.
        width: numbers for each column, at least 2.
    """

    def __init__(self, columns: int, width: int):
        super().__init__()
        reach = 1 / math.sqrt(FREQUENCIES)
        self.frequencies = nn.Parameter(0.1 * torch.randn(columns, FREQUENCIES))
        self.phases = nn.Parameter(torch.empty(columns, FREQUENCIES).uniform_(-math.pi, math.pi))
        self.mix = nn.Parameter(torch.empty(columns, FREQUENCIES, width - 1).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(columns, width - 1).uniform_(-reach, reach))

    def forward(self, values: Tensor, scaled: Tensor) -> Tensor:
        """(batch, columns) centred and scaled -> (batch, columns * width); `values` in other units are not used."""
        waves = torch.cos(2 * math.pi * scaled.unsqueeze(2) * self.frequencies + self.phases)
        mixed = torch.bmm(waves.transpose(0, 1), self.mix).transpose(0, 1) + self.bias  # (batch, columns, width - 1)
        return torch.cat([mixed, scaled.unsqueeze(2)], dim=2).flatten(1)
