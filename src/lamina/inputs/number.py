"""Numbers: any scale, outliers, gaps and infinities, to features that dense layers learn from at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.data.finding import setting
from lamina.data.reservoir import Reservoir
from lamina.ground.errors import DataError, PlanError, listing
from lamina.ground.shapes import Features, Shape, vector
from lamina.inputs._embeddings import Periodic, PiecewiseLinear, edges_of
from lamina.inputs.contract import InputLayer, InputPlan

ROWS_PER_BIN, LEAST_BINS, MOST_BINS = 100, 8, 128
"""A piece of a curve for every hundred rows, within these bounds (measured: docs/lab-notes.md)."""
MOST_PIECES, MOST_FEATURES = 4096, 512
"""Pieces and features of all columns together: a table of hundreds of columns must not become slow."""
MOST_WIDTH = 16
"""Features of a column when there are few columns."""
FAR = 3.0
"""Where scaled values flatten out: none goes beyond, and ordinary ones are hardly bent."""
FARTHEST = 1e6
"""Scales from the centre at which infinities, and numbers as good as infinite, are taken to lie."""
MOST_AWAY, SMALLEST, LARGEST = 1e3, 1e-30, 1e30
"""Up to how many scales from zero, and at which scales, a column is kept in 32 bits: they round by 6e-8 of a value."""
NORMAL_QUARTILES = 1.349
"""Interquartile range of a normal distribution with a standard deviation of 1."""


@dataclass(frozen=True, kw_only=True)
class NumberInput(InputPlan):
    """All columns of numbers, each scaled by its quartiles and embedded; gaps are marked."""

    kind: ClassVar[str] = "number"

    embedding: Literal["piecewise", "periodic", "none"] = "piecewise"
    """How a number becomes features: a curve of straight pieces, waves, or the scaled number alone."""
    width: int | None = None
    """Features of each column; None gives 16, or fewer when there are more than 32 columns."""
    bins: int | None = None
    """Pieces of a curve; None takes one for every hundred training rows, from 8 to 128."""

    def __post_init__(self) -> None:
        least = 2 if self.embedding == "periodic" else 1
        if self.width is not None and self.width < least:
            raise PlanError(f"width: {self.width} does not do: a {self.embedding} embedding takes {least} or more.")
        if self.bins is not None and self.bins < 1:
            raise PlanError(f"bins: {self.bins} does not do: it is 1 or more.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """Centre, scale and edges of every column, from its finite numbers; quantiles of a sample of 50,000 rows.

        Raises:
            DataError: if no column holds a finite number.
        """
        reservoir = Reservoir(len(self.columns))
        gaps = np.zeros(len(self.columns), dtype=np.int64)
        least, most = np.full(len(self.columns), np.inf), np.full(len(self.columns), -np.inf)
        for chunk in chunks:
            values = self._values(chunk)
            finite = np.isfinite(values)
            gaps += np.isnan(values).sum(0)
            least = np.minimum(least, np.where(finite, values, np.inf).min(0, initial=np.inf))
            most = np.maximum(most, np.where(finite, values, -np.inf).max(0, initial=-np.inf))
            reservoir.add(values)
        if not (least <= most).any():
            raise DataError(
                f"No finite number stands in {listing(self.columns)} in {reservoir.seen:,} training rows: there is "
                f"nothing to learn from. Leave out what is empty: {setting(self.columns[0], 'role', 'ignore')}"
            )
        bins = self.bins if self.bins is not None else _bins(reservoir.seen, len(self.columns))
        learned = [_column(*column, bins) for column in zip(reservoir.sample.T, least, most, strict=True)]
        return {
            "rows": reservoir.seen,
            "centre": np.array([centre for centre, _, _ in learned]),
            "scale": np.array([scale for _, scale, _ in learned]),
            "edges": np.concatenate([edges for _, _, edges in learned]),
            "edge_counts": np.array([len(edges) for _, _, edges in learned]),
            "gaps": gaps,
        }

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, columns), gaps as nan; float32, or float64 where that would blur a column (`_in_single`)."""
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is held at FARTHEST as it was
            return Block(self._values(chunk).astype(np.float32 if _in_single(facts) else np.float64))

    def depends_on(self, facts: Facts) -> object:
        """The columns and their precision: everything else that was learned is used in `forward`."""
        return [*self.columns, _in_single(facts)]

    def build(self, facts: Facts) -> "NumberLayer":
        """The layer, with what was learned in its buffers."""
        return NumberLayer(self, facts)

    def _values(self, chunk: Chunk) -> np.ndarray:
        """(rows, columns) float64 to be read only, for it may be Polars' own memory; what is null is nan."""
        return np.asarray(chunk.frame[list(self.columns)].to_numpy(order="c"), dtype=np.float64)


def _in_single(facts: Facts) -> bool:
    """Whether 32 bits keep every column: the rounding of its usual values is then under a ten thousandth of its scale.

    Dates as seconds since 1970, say, lie so far from zero for the little they differ that they would be blurred.
    """
    centre, scale = np.asarray(facts["centre"]), np.asarray(facts["scale"])
    ordinary = (scale > SMALLEST) & (scale < LARGEST)
    return bool((ordinary & (np.abs(centre) <= MOST_AWAY * scale)).all())


def _bins(rows: int, columns: int) -> int:
    """Pieces of each curve, so that each is met by enough rows and all of them stay affordable."""
    return max(2, min(rows // ROWS_PER_BIN, MOST_BINS, MOST_PIECES // columns), min(LEAST_BINS, MOST_PIECES // columns))


def _column(sample: np.ndarray, least: float, most: float, bins: int) -> tuple[float, float, np.ndarray]:
    """Centre, scale and edges of one column; (0, 1, [0, 1]) for one without any finite number."""
    if least > most:
        return 0.0, 1.0, np.array([0.0, 1.0])
    values = sample[np.isfinite(sample)]
    if not len(values):  # so few that none came into the sample
        values = np.array([least, most])
    quarter, centre, three_quarters = np.quantile(values, [0.25, 0.5, 0.75])
    scale = (three_quarters - quarter) / NORMAL_QUARTILES
    if scale <= 0:  # more than half of the rows are alike: the range says more than the quartiles
        scale = (most - least) / 2 or 1.0
    edges = edges_of(values, bins)
    if least < most:
        edges[0], edges[-1] = least, most
    return float(centre), float(scale), edges


class NumberLayer(InputLayer):
    """(batch, columns), gaps as nan -> (batch, columns * width + columns that had gaps)."""

    centre: Tensor
    scale: Tensor
    gappy: Tensor

    def __init__(self, plan: NumberInput, facts: Facts):
        super().__init__()
        centre, scale = np.asarray(facts["centre"]), np.asarray(facts["scale"])
        gappy = np.flatnonzero(np.asarray(facts["gaps"]))
        columns = len(centre)
        # Subtracted in double precision, whichever the values have: no rounding is added to theirs.
        self.register_buffer("centre", torch.tensor(centre, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))
        self.register_buffer("gappy", torch.tensor(gappy, dtype=torch.int64))
        width = plan.width or max(2, min(MOST_WIDTH, MOST_FEATURES // columns))
        self.embedding: nn.Module | None = None
        if plan.embedding == "piecewise":
            counts = np.asarray(facts["edge_counts"])
            edges = (np.asarray(facts["edges"]) - centre.repeat(counts)) / scale.repeat(counts)
            by_column = np.split(edges.clip(-FARTHEST, FARTHEST), np.cumsum(counts)[:-1])
            self.embedding = PiecewiseLinear([np.unique(edge) for edge in by_column], width)
        elif plan.embedding == "periodic":
            self.embedding = Periodic(columns, width)
        self.shape = Shape("vector", columns * (width if self.embedding is not None else 1) + len(gappy))

    def forward(self, values: Values) -> Features:
        """Features of each column, then 1 or 0 for a gap in each column that had some in training."""
        assert isinstance(values, Tensor)
        # A gap stands at the median; what is infinite, or far beyond anything seen, stays finite.
        away = ((values - self.centre) / self.scale).nan_to_num(0).clamp(-FARTHEST, FARTHEST).float()
        # In (-3, 3), nearly straight around 0 (Holzmüller et al. 2024).
        bent = away / (away / FAR).square().add(1).sqrt()
        features = bent if self.embedding is None else self.embedding(away, bent)
        if not len(self.gappy):
            return vector(features)
        gaps = values[:, self.gappy].isnan().to(features.dtype)
        return vector(torch.cat([features, gaps], dim=1))
