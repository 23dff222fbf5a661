"""Moments: dates and times to how long ago, and where in the year, month, week, day and hour."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.data.finding import setting
from lamina.data.reservoir import Reservoir
from lamina.ground.errors import DataError, PlanError, listing
from lamina.ground.shapes import Features, Shape, vector
from lamina.inputs._embeddings import PiecewiseLinear, edges_of
from lamina.inputs.contract import InputLayer, InputPlan

CYCLES = {"elapsed": 0, "season": 12, "day": 31, "weekday": 7, "hour": 24, "minute": 60}
"""What is read off a moment, and after how many whole steps it begins anew.

In order: days since 1970, months into the year, day of the month, day of the week from Monday, hours into the day,
minutes into the hour. All count from 0; the first, second and fifth with their fraction.
"""
WHOLE = 0.9
"""Share of a cycle's steps that training rows must show. Half a year says nothing of how the other half goes on."""
BINS = 64
"""Pieces of the curve of each part."""
FAR = 3.0
"""Where the straight line of a part flattens out, in halves of the range of training rows from its middle."""
MICROSECONDS_A_DAY = 86_400e6


@dataclass(frozen=True, kw_only=True)
class MomentInput(InputPlan):
    """All columns of dates and times: each part of the calendar that varies, as a curve and on its cycle."""

    kind: ClassVar[str] = "moment"

    width: int = 16
    """Features of the curve of each part."""

    def __post_init__(self) -> None:
        if self.width < 1:
            raise PlanError(f"width: {self.width} does not do: it is 1 or more.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The range and curve of every part of every column, and which cycles training rows go all the way round.

        Raises:
            DataError: if no column holds a moment.
        """
        count = len(self.columns) * len(CYCLES)
        reservoir, gaps = Reservoir(count), np.zeros(len(self.columns), dtype=np.int64)
        least, most = np.full(count, np.inf), np.full(count, -np.inf)
        steps = np.zeros((count, max(CYCLES.values())), dtype=bool)
        for chunk in chunks:
            parts = self._parts(chunk)
            gaps += np.isnan(parts[:, :, 0]).sum(0)
            parts = parts.reshape(len(parts), count)
            least = np.fmin(least, np.fmin.reduce(parts, initial=np.inf))
            most = np.fmax(most, np.fmax.reduce(parts, initial=-np.inf))
            for part in range(count):
                if part % len(CYCLES):  # elapsed time, the first part, has no cycle
                    steps[part, np.unique(parts[~np.isnan(parts[:, part]), part].astype(np.int64))] = True
            reservoir.add(parts)
        if not (least <= most).any():
            raise DataError(
                f"No date stands in {listing(self.columns)} in {reservoir.seen:,} training rows: there is nothing to "
                f"learn from. Leave out what is empty: {setting(self.columns[0], 'role', 'ignore')}"
            )
        varied = np.flatnonzero(least < most)
        edges = [_edges(reservoir.sample[:, part], least[part], most[part]) for part in varied]
        lengths = np.tile(list(CYCLES.values()), len(self.columns))
        whole = [bool(length) and seen.sum() >= WHOLE * length for seen, length in zip(steps, lengths, strict=True)]
        return {
            "rows": reservoir.seen,
            "gaps": gaps,
            "varied": varied,
            "least": least[varied],
            "most": most[varied],
            "edges": np.concatenate([*edges, np.empty(0)]),
            "edge_counts": np.array([len(edge) for edge in edges], dtype=np.int64),
            "whole": np.flatnonzero(whole),
        }

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, columns, parts) float64 in the order of `CYCLES`, gaps as nan."""
        return Block(self._parts(chunk))

    def depends_on(self, facts: Facts) -> object:
        """The columns alone: everything learned is used in `forward`."""
        return list(self.columns)

    def build(self, facts: Facts) -> "MomentLayer":
        """The layer, with what was learned in its buffers."""
        return MomentLayer(self, facts)

    def _parts(self, chunk: Chunk) -> np.ndarray:
        return np.stack([_calendar(chunk.frame[name]) for name in self.columns], axis=1)


def _calendar(moments: pl.Series) -> np.ndarray:
    """(rows, parts) of one column, gaps as nan."""
    moments = moments.cast(pl.Datetime("us"))
    read = moments.dt
    hours = read.hour() + read.minute() / 60 + read.second() / 3600
    parts = [
        read.epoch("us") / MICROSECONDS_A_DAY,
        read.month() - 1 + (read.day() - 1) / 31,
        read.day() - 1,
        read.weekday() - 1,
        hours,
        read.minute(),
    ]
    return np.stack([part.cast(pl.Float64).fill_null(math.nan).to_numpy() for part in parts], axis=1)


def _edges(sample: np.ndarray, least: float, most: float) -> np.ndarray:
    """Pieces of the curve of one part, from end to end of what training rows hold."""
    return edges_of(np.append(sample[~np.isnan(sample)], [least, most]), BINS)


class MomentLayer(InputLayer):
    """(batch, columns, parts) -> (batch, curves of the parts that vary, sines and cosines of whole cycles, gaps)."""

    middle: Tensor
    reach: Tensor
    varied: Tensor
    whole: Tensor
    cycle: Tensor
    gappy: Tensor

    def __init__(self, plan: MomentInput, facts: Facts):
        super().__init__()
        least, most = np.asarray(facts["least"]), np.asarray(facts["most"])
        varied, whole = np.asarray(facts["varied"]), np.asarray(facts["whole"])
        gappy = np.flatnonzero(np.asarray(facts["gaps"]))
        lengths = np.tile(list(CYCLES.values()), len(plan.columns))
        middle, reach = (least + most) / 2, (most - least) / 2
        # In double precision: a second is the 1,700,000,000th part of the time since 1970.
        self.register_buffer("middle", torch.tensor(middle, dtype=torch.float64))
        self.register_buffer("reach", torch.tensor(reach, dtype=torch.float64))
        self.register_buffer("cycle", torch.tensor(lengths[whole], dtype=torch.float64))
        for name, places in (("varied", varied), ("whole", whole), ("gappy", gappy)):
            self.register_buffer(name, torch.tensor(places, dtype=torch.int64))
        counts = np.asarray(facts["edge_counts"])
        edges = (np.asarray(facts["edges"]) - middle.repeat(counts)) / reach.repeat(counts)
        by_part = np.split(edges, np.cumsum(counts)[:-1])
        self.curves = PiecewiseLinear(by_part, plan.width) if len(varied) else None
        self.shape = Shape("vector", len(varied) * plan.width + 2 * len(whole) + len(gappy))

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Tensor)
        gap = values[:, :, 0].isnan()  # (batch, columns)
        parts = values.flatten(1)  # (batch, columns * parts)
        angle = 2 * math.pi * parts[:, self.whole] / self.cycle
        waves = torch.cat([angle.sin(), angle.cos()], dim=1).nan_to_num(0.0).float()  # a gap lies in no direction
        features = [waves, gap[:, self.gappy].to(waves.dtype)]
        if self.curves is not None:
            away = ((parts[:, self.varied] - self.middle) / self.reach).nan_to_num(0.0).float()
            features.insert(0, self.curves(away, away / torch.sqrt(1 + (away / FAR) ** 2)))
        return vector(torch.cat(features, dim=1))
