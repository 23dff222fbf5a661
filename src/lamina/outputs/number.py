"""A number with an interval: learned on a scale that suits the network, answered in the units of the column."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.ground.errors import DataError, PlanError, listing, nearest
from lamina.ground.shapes import Features, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, number_metrics
from lamina.outputs.contract import KEEPS_ANSWERS, Answers, OutputLayer, OutputPlan
from lamina.outputs.head import LinearHead, weighted_sum

WIDE = 15.0
"""How many times the 5 % quantile the 95 % quantile is, for targets to be learned as logarithms."""
OUTLYING = 10.0
"""Interquartile ranges from the median beyond which a target does not set the scale."""
WIDENED = 0.5
"""Part of the training range by which answers may leave it at either end."""
BINS, BIN_ROWS = 10, 100
"""Intervals are calibrated apart for as many as 10 levels of the answer, each from 100 validation rows or more."""


@dataclass(frozen=True, kw_only=True)
class NumberOutput(OutputPlan):
    """A number, with an interval that holds the truth with a stated probability."""

    kind: ClassVar[str] = "number"

    loss: Literal["mse", "sse", "mae", "huber", "quantile"] = "mse"
    """`mae` aims at the median, `huber` forgives outliers, `quantile` aims at a bound; `sse` is mse * training rows."""
    quantile: float = 0.5
    """The part of rows that should lie below the answer, for the loss of that name."""
    transform: Literal["auto", "none", "log"] = "auto"
    """`log` learns relative errors; `auto` takes it for targets from 0 up that lie orders of magnitude apart."""
    coverage: float = 0.9
    """Share of new rows whose true value the interval should hold."""
    decides: str | None = None
    """The metric by which validation chooses; None takes the one that the loss minimises."""

    def __post_init__(self) -> None:
        for name, share in (("quantile", self.quantile), ("coverage", self.coverage)):
            if not 0 < share < 1:
                raise PlanError(f"{self.column}.{name}: {share:g} does not do: it is between 0 and 1.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """The scale to learn on, the range to answer in, and the best answer without any input.

        All targets are held at once, 8 bytes a row: quantiles need them.

        Raises:
            DataError: if there is no finite target, a single value, or a logarithm is asked for below 0.
        """
        columns = [chunk.frame[self.column].cast(pl.Float64).drop_nulls().to_numpy() for chunk in chunks]
        targets = np.concatenate([*columns, np.empty(0)])
        targets = targets[np.isfinite(targets)]
        if len(targets) == 0:
            raise DataError(f"Column {self.column!r} holds no number, only gaps: there is no answer to learn from.")
        if targets.min() == targets.max():
            raise DataError(
                f"Column {self.column!r} is {targets[0]:g} in all {len(targets):,} training rows: there is nothing to "
                f"predict. Choose another column, or add rows where it differs."
            )
        if self.transform == "log" and targets.min() < 0:
            raise DataError(
                f"Column {self.column!r} goes down to {targets.min():g}, and numbers below 0 have no logarithm: "
                f"leave out transform: log."
            )
        use_log = self.transform == "log" or (self.transform == "auto" and self._wants_log(targets))
        shift = _log_shift(targets) if use_log else 0.0
        moved = np.log(targets + shift) if use_log else targets
        tame = _without_outliers(moved)
        centre, width = float(tame.mean()), float(tame.std())
        if self.loss == "mae":
            start = np.median(moved)
        elif self.loss == "quantile":
            start = np.quantile(moved, self.quantile)
        else:
            start = moved.mean()
        return {
            "transform": "log" if use_log else "none",
            "shift": shift,
            "centre": centre,
            "width": width,
            "start": float((start - centre) / width),
            "least": float(targets.min()),
            "most": float(targets.max()),
            "rows": len(targets),
        }

    def _wants_log(self, targets: np.ndarray) -> bool:
        """Whether usual targets lie far apart in proportion, and no figure in plain units was asked to decide.

        Then errors count in proportion: 5 too many are many of 5 and few of 500.
        """
        if targets.min() < 0 or targets.max() <= 0 or self.decides in ("mse", "rmse", "r2"):
            return False
        low, high = np.quantile(targets, [0.05, 0.95])
        wide = high >= WIDE * max(low, targets[targets > 0].min())
        return bool(wide) and abs(_skewness(np.log(targets + _log_shift(targets)))) < _skewness(targets)

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows,) float64 in the units of the column: single precision would round large numbers."""
        values = chunk.frame[self.column].cast(pl.Float64).fill_null(math.nan).to_numpy().copy()
        problems = {
            entry: f"{self.column} is a gap: no answer to learn from or to compare with"
            if math.isnan(values[entry])
            else f"{self.column} is {values[entry]}, not a finite number"
            for entry in np.flatnonzero(~np.isfinite(values)).tolist()
        }
        values[list(problems)] = 0
        return Block(values, problems=problems)

    def build(self, facts: Facts, shape: Shape) -> "NumberLayer":
        """The layer for features of this shape, which starts from the best answer without any input.

        Raises:
            PlanError: if `decides` names a metric that is not there.
        """
        return NumberLayer(self, facts, shape)


@dataclass(frozen=True)
class Scale:
    """From the units of a column to the scale that is learned on, and back."""

    transform: str
    shift: float
    """Added before the logarithm, so that 0 has one."""
    centre: float
    width: float
    least: float
    """Answers do not go below; nor below 0 where no training target does."""
    most: float
    """Answers do not go above."""

    @classmethod
    def of(cls, facts: Facts) -> "Scale":
        """The scale in what a number output learned."""
        known = {name: float(facts[name]) for name in ("shift", "centre", "width", "least", "most")}  # type: ignore[arg-type]
        room = WIDENED * (known["most"] - known["least"])
        lowest = known["least"] - room
        known["least"] = lowest if known["least"] < 0 else max(lowest, 0.0)
        known["most"] += room
        return cls(transform=str(facts["transform"]), **known)

    def learned(self, targets: Tensor) -> Tensor:
        """Units of the column to the scale that is learned on; float64 within, float32 out."""
        moved = targets.double()
        if self.transform == "log":
            # Held-out rows may lie below 0, which has no logarithm: ten widths below the centre is as low as it goes.
            lowest = math.exp(self.centre - 10 * self.width)
            moved = (moved + self.shift).clamp(min=lowest).log()
        return ((moved - self.centre) / self.width).float()

    def units(self, learned: Tensor) -> Tensor:
        """The scale that is learned on to units of the column: float64, within the widened range."""
        moved = learned.double() * self.width + self.centre
        if self.transform == "log":
            moved = moved.exp() - self.shift
        return moved.clamp(self.least, self.most)


class NumberLayer(OutputLayer):
    """A linear map to one number on the learned scale, (batch, members, 1)."""

    follows: ClassVar[frozenset[str]] = KEEPS_ANSWERS
    coverage: float
    """Share of new rows whose true value the interval should hold."""
    edges: Tensor
    below: Tensor
    above: Tensor

    def __init__(self, plan: NumberOutput, facts: Facts, shape: Shape):
        super().__init__()
        self.plan = plan
        self.coverage = plan.coverage
        self.scale = Scale.of(facts)
        self.training_rows = int(facts["rows"])  # type: ignore[call-overload]
        nonnegative = float(facts["least"]) >= 0  # type: ignore[arg-type]
        self._metrics = number_metrics(nonnegative, plan.quantile if plan.loss == "quantile" else None)
        self.decides = plan.decides or _decides(plan.loss, self.scale.transform)
        if self.decides not in self._metrics:
            raise PlanError(
                f"{plan.column}: there is no metric {self.decides!r} for these numbers."
                f"{nearest(self.decides, self._metrics)} Known here: {listing(self._metrics, 20)}."
            )
        self.head = LinearHead(shape, [float(facts["start"])])  # type: ignore[arg-type]
        # Levels of the answer, and how far below and above it the truth may lie there, all on the learned scale.
        self.register_buffer("edges", torch.full((BINS - 1,), math.inf))
        self.register_buffer("below", torch.full((BINS,), math.nan))
        self.register_buffer("above", torch.full((BINS,), math.nan))

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        """Numbers on the learned scale: (batch, members, 1)."""
        return self.head(features)

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The loss on the learned scale, where every column weighs alike."""
        assert isinstance(targets, Tensor)
        answers = raw[..., 0].float()  # (batch, members)
        wanted = self.scale.learned(targets)[:, None].expand_as(answers)
        match self.plan.loss:
            case "mae":
                losses = functional.l1_loss(answers, wanted, reduction="none")
            case "huber":
                losses = functional.huber_loss(answers, wanted, reduction="none")
            case "quantile":
                missed = wanted - answers
                losses = torch.maximum(self.plan.quantile * missed, (self.plan.quantile - 1) * missed)
            case _:
                losses = functional.mse_loss(answers, wanted, reduction="none")
        total, count = weighted_sum(losses, weight)
        # A sum over the training rows, as any batch estimates it: still the same whichever way rows are batched.
        return Loss(total * self.training_rows if self.plan.loss == "sse" else total, count)

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """The members' mean; once calibrated, the bounds of its interval beside it."""
        learned = raw[..., 0].float().mean(1)
        values = self.scale.units(learned)
        columns = {self.plan.column: values}
        if not self.below[0].isnan():
            level = torch.bucketize(learned, self.edges)
            # An answer that aims at a bound may lie outside: the interval is widened to hold it.
            columns[f"{self.plan.column}_low"] = self.scale.units(learned + self.below[level]).minimum(values)
            columns[f"{self.plan.column}_high"] = self.scale.units(learned + self.above[level]).maximum(values)
        return Answers(values.cpu().numpy(), {name: column.cpu().numpy() for name, column in columns.items()})

    @torch.no_grad()
    def calibrate(self, raw: Tensor, targets: Values) -> None:
        """Intervals by split conformal prediction, apart for each level of the answer (Vovk et al. 2005, ch. 4.5).

        The k-th smallest of n errors lies above a new one with probability k / (n + 1), whatever the distribution,
        as long as new rows are drawn as these were. Without enough rows to promise the coverage there is no interval.
        """
        assert isinstance(targets, Tensor)
        rows = len(targets)
        if self._beyond(rows) == 0:
            return
        learned = raw[..., 0].float().mean(1)
        errors = self.scale.learned(targets) - learned
        fewest = max(BIN_ROWS, math.ceil(4 / (1 - self.coverage)))  # twice what a promise needs
        bins = max(1, min(BINS, rows // fewest))
        order = learned.sort().values
        self.edges.fill_(math.inf)[: bins - 1] = order[[rows * cut // bins for cut in range(1, bins)]]
        level = torch.bucketize(learned, self.edges)
        for number in range(BINS):
            inside = errors[level == number]
            if self._beyond(len(inside)) == 0:  # an unused level, or many equal answers: take all rows
                inside = errors
            beyond = self._beyond(len(inside))
            self.below[number] = inside.kthvalue(beyond).values
            self.above[number] = inside.kthvalue(len(inside) + 1 - beyond).values

    def _beyond(self, rows: int) -> int:
        """The rank, from either end, of the error that bounds the interval; 0 when rows are too few for a promise."""
        return math.floor((rows + 1) * (1 - self.coverage) / 2 + 1e-9)

    def metrics(self) -> Mapping[str, Metric]:
        """Every figure for numbers that fits these, by key."""
        return self._metrics


def _decides(loss: str, transform: str) -> str:
    """The figure that the loss minimises: relative errors where a logarithm is learned."""
    if loss in ("mae", "quantile"):
        return {"mae": "mae", "quantile": "pinball"}[loss]
    return "rmsle" if transform == "log" else "rmse"


def _log_shift(targets: np.ndarray) -> float:
    """0 for positive targets; the smallest positive one if some are 0, which makes log(1 + count) of counts."""
    if targets.min() > 0:
        return 0.0
    return float(targets[targets > 0].min()) if (targets > 0).any() else 0.0


def _without_outliers(values: np.ndarray) -> np.ndarray:
    """Values, those far out moved in to `OUTLYING` interquartile ranges from the median."""
    quarter, median, three_quarters = np.quantile(values, [0.25, 0.5, 0.75])
    reach = OUTLYING * (three_quarters - quarter)
    return values.clip(median - reach, median + reach) if reach > 0 else values


def _skewness(values: np.ndarray) -> float:
    """Third standardised moment."""
    centred = values - values.mean()
    spread = centred.std()
    return float((centred**3).mean() / spread**3) if spread > 0 else 0.0
