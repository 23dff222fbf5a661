"""Figures for answers that are numbers: (rows,) values against (rows,) values, both in the units of the column."""

from collections.abc import Callable

import numpy as np

from lamina.ground.lazy import LazyModule
from lamina.metrics.metric import Metric, Weighted, weighted_mean

sklearn_metrics = LazyModule("sklearn.metrics")


def number_metrics(nonnegative: bool, quantile: float | None = None) -> dict[str, Metric]:
    """Every figure for numbers, by key.

    Args:
        nonnegative: whether the training targets are; only then do relative errors (`rmsle`) make sense.
        quantile: what the answers aim at, where that is not the middle; adds `pinball`.
    """
    found = [
        Metric("mae", mae, False, "mean absolute error", _mean(_absolute)),
        Metric("mse", mse, False, "mean squared error", _mean(_squared)),
        Metric("rmse", rmse, False, "RMSE", _mean(_squared, np.sqrt)),
        Metric("r2", r2, True, "R²", _weighted_r2),
    ]
    if nonnegative:
        found.append(Metric("rmsle", rmsle, False, "RMSLE", _mean(_squared_log, np.sqrt)))
    if quantile is not None:

        def aimed(scores: np.ndarray, truth: np.ndarray) -> float:
            return pinball(scores, truth, quantile)

        def missed(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
            short = truth - scores
            return np.maximum(quantile * short, (quantile - 1) * short)

        found.append(Metric("pinball", aimed, False, "pinball loss", _mean(missed)))
    return {metric.key: metric for metric in found}


def mae(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance from the truth."""
    return float(sklearn_metrics.mean_absolute_error(truth, scores))


def mse(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared distance from the truth."""
    return float(sklearn_metrics.mean_squared_error(truth, scores))


def rmse(scores: np.ndarray, truth: np.ndarray) -> float:
    """Root of the mean squared distance from the truth."""
    return float(sklearn_metrics.root_mean_squared_error(truth, scores))


def rmsle(scores: np.ndarray, truth: np.ndarray) -> float:
    """RMSE of log(1 + value); values below 0, which have none, count as 0."""
    return float(sklearn_metrics.root_mean_squared_log_error(truth.clip(0), scores.clip(0)))


def r2(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of the variance that is explained; not a number where the truth does not vary."""
    if len(truth) < 2 or (truth == truth[0]).all():
        return float("nan")
    return float(sklearn_metrics.r2_score(truth, scores))


def pinball(scores: np.ndarray, truth: np.ndarray, quantile: float) -> float:
    """Mean pinball loss: least for the true quantile."""
    return float(sklearn_metrics.mean_pinball_loss(truth, scores, alpha=quantile))


def _absolute(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.abs(scores - truth)


def _squared(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (scores - truth) ** 2


def _squared_log(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (np.log1p(scores.clip(0)) - np.log1p(truth.clip(0))) ** 2


def _mean(
    by_row: Callable[[np.ndarray, np.ndarray], np.ndarray], figure: Callable[[float], float] = float
) -> Callable[[np.ndarray, np.ndarray], Weighted]:
    """The weighted form of a figure that is a mean over rows, or a function of one."""
    return lambda scores, truth: weighted_mean(by_row(scores, truth), figure)


def _weighted_r2(scores: np.ndarray, truth: np.ndarray) -> Weighted:
    missed = _squared(scores, truth)
    centred = truth - truth.mean()  # or squares of large numbers would drown what varies

    def measure(times: np.ndarray) -> float:
        rows = times.sum()
        spread = centred**2 @ times - (centred @ times) ** 2 / rows if rows else 0.0
        return float(1 - missed @ times / spread) if spread > 0 else float("nan")

    return measure
