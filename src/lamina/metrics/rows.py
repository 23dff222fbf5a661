"""Figures for rows that were made, as a set beside real ones; whoever measures has models to learn from them."""

import numpy as np

from lamina.metrics.metric import Metric


def _not_by_rows(scores: np.ndarray, truth: np.ndarray) -> float:
    raise AssertionError("a figure of sets is measured by whoever has both sets")


ROW_SETS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("learned_from", _not_by_rows, True, "what a model that learned from them is worth on real rows"),
        Metric("told_apart", _not_by_rows, False, "told apart from real rows"),
        Metric("worst_column", _not_by_rows, False, "distance of the worst column"),
    )
}
"""Figures of sets of rows, for their names and directions."""


def numbers_apart(some: np.ndarray, others: np.ndarray) -> float:
    """The largest difference of two distributions of numbers, 0 to 1 (Kolmogorov and Smirnov); gaps count as values."""
    some, others = (np.nan_to_num(np.sort(values), nan=np.inf) for values in (some, others))
    points = np.concatenate([some, others])
    shares = [np.searchsorted(values, points, "right") / len(values) for values in (some, others)]
    return float(np.abs(shares[0] - shares[1]).max())


def classes_apart(some: np.ndarray, others: np.ndarray) -> float:
    """Half the sum of the differences of the shares of classes, 0 to 1: the total variation of two distributions."""
    classes = np.unique(np.concatenate([some, others]))
    shares = [np.array([(values == one).mean() for one in classes]) for values in (some, others)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
