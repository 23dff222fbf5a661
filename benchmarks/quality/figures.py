"""Figures with intervals, the same for Lamina and for what it is compared with.

Intervals are percentiles of 1,000 bootstrap samples of test rows. A sample draws rows of the whole data, and every
split uses its own test rows of that draw: a row tested by two splits is in both or in neither. Two models are
compared on the same draws, so what they share cancels out.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

SAMPLES = 1000

Weighted = Callable[[np.ndarray, np.ndarray, np.ndarray], float]
"""(truth, scores, weights) -> figure."""


def _rmsle(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    gaps = np.log1p(np.clip(scores, 0, None)) - np.log1p(truth)
    return float(np.sqrt(np.average(gaps**2, weights=weights)))


def _mse(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average((scores - truth) ** 2, weights=weights))


def _mae(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(np.abs(scores - truth), weights=weights))


METRICS: dict[str, Weighted] = {
    "accuracy": lambda truth, scores, weights: float(np.average(scores == truth, weights=weights)),
    "auc": lambda truth, scores, weights: float(roc_auc_score(truth, scores, sample_weight=weights)),
    "average_precision": lambda truth, scores, weights: float(
        average_precision_score(truth, scores, sample_weight=weights)
    ),
    "mae": _mae,
    "mae_turning": lambda truth, scores, weights: _mae(truth, scores, weights * (truth != 0)),
    "mse": _mse,
    "rmse": lambda truth, scores, weights: float(np.sqrt(_mse(truth, scores, weights))),
    "rmsle": _rmsle,
}
LARGER_IS_BETTER = frozenset({
    "accuracy", "auc", "average_precision", "mcc", "span_f1", "bleu", "in_scope_accuracy", "outside_recall",
})  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A value and the interval that holds 95 % of the bootstrap samples."""

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Scored:
    """What one model said of the test rows of one split."""

    rows: np.ndarray
    """(rows,) row numbers in the whole data."""
    truth: np.ndarray
    """(rows,) class numbers, 0 / 1, or values."""
    scores: np.ndarray
    """(rows,) class numbers, scores of class 1, or values."""


def samples(metric: str, splits: Sequence[Scored], block: int = 1, pooled: bool = False) -> np.ndarray:
    """(1 + SAMPLES,) the figure itself, then that of every bootstrap sample; the mean over splits unless pooled."""
    if pooled:
        splits = [Scored(*(np.concatenate(parts) for parts in zip(*map(_fields, splits), strict=True)))]
    units = np.unique(np.concatenate([split.rows // block for split in splits]))
    generator = np.random.default_rng(0)
    measure = METRICS[metric]
    figures = np.empty((1 + SAMPLES, len(splits)))
    for sample in range(1 + SAMPLES):
        drawn = (
            generator.multinomial(len(units), np.full(len(units), 1 / len(units))) if sample else np.ones(len(units))
        )
        for number, split in enumerate(splits):
            weights = drawn[np.searchsorted(units, split.rows // block)].astype(np.float64)
            figures[sample, number] = (
                measure(split.truth, split.scores, weights) if _fits(metric, split, weights) else np.nan
            )
    return figures.mean(axis=1)


def _fields(split: Scored) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split.rows, split.truth, split.scores


def _fits(metric: str, split: Scored, weights: np.ndarray) -> bool:
    """Whether a draw holds what the figure needs: with no positive row there is nothing to rank."""
    if metric in {"auc", "average_precision"}:
        return bool(np.unique(split.truth[weights > 0]).size == 2)
    if metric == "mae_turning":
        return bool((weights * (split.truth != 0)).sum() > 0)
    return bool(weights.sum() > 0)


def figure(drawn: np.ndarray) -> Figure:
    """A figure from what `samples` gave, or from the difference of two such."""
    low, high = np.nanpercentile(drawn[1:], [2.5, 97.5])
    return Figure(float(drawn[0]), float(low), float(high))
