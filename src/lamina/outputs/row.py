"""A row of a table as the answer: numbers and categories together, made from features and not compared with a truth.

Numbers are learned by their rank among those of training rows, as places in a normal distribution: every column looks
alike to whoever learns, and its own distribution, spikes and steps included, comes back from ranks. Values that many
rows share have a stretch of ranks; within it each row has a place of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.album import scattered
from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.data.reservoir import Reservoir
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Shape
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead, weighted_sum

KNOTS = 512
"""Values of a column that are kept to turn ranks into values: all, as long as there are no more."""
_MOST_DECIMALS = 6
"""Of numbers that are written with so many at most, made ones have no more."""


@dataclass(frozen=True, kw_only=True)
class RowOutput(OutputPlan):
    """A row of numbers and categories."""

    kind: ClassVar[str] = "row"

    numbers: tuple[str, ...] = ()
    """Columns of numbers."""
    categories: tuple[str, ...] = ()
    """Columns of categories."""

    def __post_init__(self) -> None:
        if not self.columns:
            raise PlanError("outputs: a row is made of columns; name some under `numbers` or `categories`.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row is made of."""
        return (*self.numbers, *self.categories)

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The distribution of every column.

        Raises:
            DataError: if a column holds nothing but gaps.
        """
        sample = Reservoir(max(len(self.numbers), 1))
        counters: list[Counter[str]] = [Counter() for _ in self.categories]
        gaps, rows = dict.fromkeys(self.columns, 0), 0
        for chunk in chunks:
            rows += len(chunk)
            sample.add(_numbers(chunk, self.numbers) if self.numbers else np.zeros((len(chunk), 1)))
            for name in self.columns:
                gaps[name] += chunk.frame[name].null_count()
            for counter, name in zip(counters, self.categories, strict=True):
                values, counts = chunk.frame[name].cast(pl.String).drop_nulls().value_counts().get_columns()
                counter.update(dict(zip(values.to_list(), counts.to_list(), strict=True)))
        for name in self.columns:
            if gaps[name] == rows:
                raise DataError(f"Column {name!r} holds nothing but gaps: leave it out, columns.{name}.role=ignore")
        facts: dict[str, object] = {
            "rows": rows,
            "gaps": [name for name in self.numbers if gaps[name]],
            "values": [[*sorted(counter), *([None] if gaps[name] else [])]
                       for counter, name in zip(counters, self.categories, strict=True)],
            "decimals": [],
        }  # fmt: skip
        for at in range(len(self.numbers)):
            known = sample.sample[:, at]
            known = np.sort(known[np.isfinite(known)])
            facts[f"knots{at}"] = _knots(known)
            cast(list[int | None], facts["decimals"]).append(_decimals(known))
        return facts

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, numbers + numbers with gaps + categories) float32: places in a normal distribution, then codes."""
        gaps = cast(Sequence[str], facts["gaps"])
        numbers = _numbers(chunk, self.numbers)
        parts = []
        for at in range(len(self.numbers)):
            places = chunk.rows.astype(np.uint64) * np.uint64(len(self.numbers)) + np.uint64(at)
            within = (scattered(places) >> np.uint64(11)) / 2.0**53
            ranks = _ranks(numbers[:, at], np.asarray(facts[f"knots{at}"]), within)
            least = 0.5 / max(int(cast(int, facts["rows"])), 1)
            parts.append(torch.special.ndtri(torch.from_numpy(ranks.clip(least, 1 - least))).numpy())
        parts += [np.isnan(numbers[:, self.numbers.index(name)]) for name in gaps]
        for name, values in zip(self.categories, cast(Sequence[Sequence[str | None]], facts["values"]), strict=True):
            codes = {value: code for code, value in enumerate(values)}
            cells = chunk.frame[name].cast(pl.String).to_list()
            parts.append(np.array([codes.get(cell, 0) for cell in cells]))
        return Block(np.stack([np.asarray(part, dtype=np.float32) for part in parts], axis=1))

    def build(self, facts: Facts, shape: Shape) -> "RowAnswer":
        """The layer.

        Raises:
            ShapeError: if the features are no vector.
        """
        return RowAnswer(self, facts, shape)


def _numbers(chunk: Chunk, names: Sequence[str]) -> np.ndarray:
    """(rows, columns) float64, gaps as what is not a number."""
    if not names:
        return np.zeros((len(chunk), 0))
    return np.stack([chunk.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in names], axis=1)


def _knots(known: np.ndarray) -> np.ndarray:
    """(knots, 3): values, and the share of others that lie below each, and that do not lie above it."""
    values = np.unique(known)
    if len(values) > KNOTS:
        values = np.unique(np.quantile(known, np.linspace(0, 1, KNOTS), method="inverted_cdf"))
    shares = [np.searchsorted(known, values, side) / len(known) for side in ("left", "right")]
    return np.stack([values, *shares], axis=1)


def _decimals(known: np.ndarray) -> int | None:
    """The most decimals that a value has, None where there are too many to speak of."""
    for decimals in range(_MOST_DECIMALS + 1):
        if np.array_equal(np.round(known, decimals), known):
            return decimals
    return None


def _ranks(values: np.ndarray, knots: np.ndarray, within: np.ndarray) -> np.ndarray:
    """(rows,) where values stand among the known ones, 0 to 1; `within` says where in a stretch of equal ones."""
    points, below, above = knots.T
    at = np.searchsorted(points, values, "right").clip(1, len(points)) - 1
    after = (at + 1).clip(max=len(points) - 1)
    apart = points[after] - points[at]
    share = np.divide(values - points[at], apart, out=np.zeros(len(values)), where=apart > 0).clip(0, 1)
    between = above[at] + share * (below[after] - above[at]).clip(0)
    ranks = np.where(values == points[at], below[at] + within * (above[at] - below[at]), between)
    return np.where(np.isnan(values), within, np.where(values < points[0], 0.0, ranks))


def _values(ranks: np.ndarray, knots: np.ndarray, decimals: int | None) -> np.ndarray:
    """(rows,) the values at these ranks: the opposite of `_ranks`."""
    points, below, above = knots.T
    values = np.interp(ranks, np.stack([below, above], axis=1).ravel(), points.repeat(2))
    return values if decimals is None else np.round(values, decimals)


class RowAnswer(OutputLayer):
    """Features -> (batch, members, numbers + classes): places of numbers, then a score for each class of each column.

    In training the largest score of a column is all that is handed on, as 1 among zeros, like the classes of real rows;
    gradients pass as if it were their softmax (Bengio et al. 2013, "straight-through").
    """

    decides = "distance"

    def __init__(self, plan: RowOutput, facts: Facts, shape: Shape):
        """A head for all columns."""
        super().__init__()
        self._plan, self._facts = plan, facts
        values = cast(Sequence[Sequence[str | None]], facts["values"])
        self._gaps = cast(Sequence[str], facts["gaps"])
        self.sizes = [2] * len(self._gaps) + [len(each) for each in values]
        """Classes of each column: gap or no gap, then those of categories."""
        self.head = LinearHead(shape, [0.0] * (len(plan.numbers) + sum(self.sizes)))
        self.shown = Shape("vector", len(plan.numbers) + sum(self.sizes))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        raw = self.head(features)
        return self._chosen(raw, soft=True) if self.training else raw

    def _chosen(self, raw: Tensor, soft: bool = False) -> Tensor:
        """Scores of classes replaced by 1 for the largest of each column, and 0."""
        count = len(self._plan.numbers)
        parts = [raw[..., :count]]
        for scores in raw[..., count:].split(self.sizes, dim=-1) if self.sizes else ():
            chosen = functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(raw.dtype)
            shares = scores.softmax(-1)
            parts.append(chosen - shares.detach() + shares if soft else chosen)
        return torch.cat(parts, dim=-1)

    def shows(self, targets: Values, raw: Tensor) -> Tensor:
        """(batch, numbers + classes): classes as 1 among zeros."""
        assert isinstance(targets, Tensor)
        count = len(self._plan.numbers)
        codes = targets[:, count:].long().split(1, dim=1) if self.sizes else ()
        coded = [functional.one_hot(code[:, 0], size) for code, size in zip(codes, self.sizes, strict=True)]
        return torch.cat([targets[:, :count], *(each.to(targets.dtype) for each in coded)], dim=1)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The mean difference of places and classes."""
        return Loss(*weighted_sum((raw - self.shows(targets, raw)[:, None]).abs().mean(2), weight))

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Rows as a critic sees them, and as people read them."""
        scores = self._chosen(raw.detach().float().mean(1)).cpu()
        count, columns = len(self._plan.numbers), dict[str, np.ndarray]()
        ranks = torch.special.ndtr(scores[:, :count].double()).numpy()
        codes = [part.argmax(1).numpy() for part in scores[:, count:].split(self.sizes, dim=1)] if self.sizes else []
        decimals = cast(Sequence[int | None], self._facts["decimals"])
        for at, name in enumerate(self._plan.numbers):
            made = _values(ranks[:, at], np.asarray(self._facts[f"knots{at}"]), decimals[at])
            columns[name] = made.astype(np.int64) if decimals[at] == 0 else made
        for name, code in zip(self._gaps, codes, strict=False):
            columns[name] = np.array([None if gap else each for gap, each in zip(code, columns[name], strict=True)],
                                     dtype=object)  # fmt: skip
        values = cast(Sequence[Sequence[str | None]], self._facts["values"])
        for name, code, known in zip(self._plan.categories, codes[len(self._gaps) :], values, strict=True):
            columns[name] = np.array(known, dtype=object)[code]
        return Answers(scores.numpy(), columns)

    def metrics(self) -> Mapping[str, Metric]:
        """How far rows lie from given ones; rows that are made are judged as a set, by `run/evaluate_rows`."""

        def measure(scores: np.ndarray, truth: np.ndarray) -> float:
            given = self.shows(torch.from_numpy(np.asarray(truth)), torch.empty(0)).numpy()
            return float(np.abs(scores - given).mean())

        return {"distance": Metric("distance", measure, False, "mean distance of cells")}
