"""Areas under curves of rows that count several times: sorted once, then one pass for each set of counts.

Counts are whole, so sums of them are exact in whatever order they are made.

scikit-learn gives the same figures for counts as sample weights (a test holds them together), but sorts and checks
anew each time, which makes a thousand resamples take a minute.
"""

from collections.abc import Sequence

import numpy as np

from lamina.metrics.metric import Weighted


def weighted_auc(scores: np.ndarray, positive: np.ndarray) -> Weighted:
    """Area under the ROC curve: the chance that a positive row scores higher than another; ties count half.

    Args:
        scores: (rows,).
        positive: (rows,) of bool.
    """
    # Odd bins hold the rows of one score of positive rows, even ones what lies between: of few positive rows few bins.
    levels = np.unique(scores[positive])
    bins = np.searchsorted(levels, scores, "left") + np.searchsorted(levels, scores, "right")
    own, rows, count = bins[positive], np.flatnonzero(positive), 2 * len(levels) + 1

    def measure(times: np.ndarray) -> float:
        wanted = np.bincount(own, times[rows], count)  # by bin, ascending
        others = np.bincount(bins, times, count) - wanted
        pairs = float(wanted.sum()) * float(others.sum())
        below = others.cumsum() - others / 2
        return float(wanted @ below / pairs) if pairs else float("nan")

    return measure


def weighted_average_precision(scores: np.ndarray, positive: np.ndarray) -> Weighted:
    """Mean over positive rows of the precision down to their rank; the arguments are as in `weighted_auc`."""
    order, starts = _ties(-scores)
    positive = positive[order]

    def measure(times: np.ndarray) -> float:
        times = times[order]
        wanted = np.add.reduceat(times * positive, starts)  # by distinct score, descending
        precision = wanted.cumsum() / np.add.reduceat(times, starts).cumsum().clip(1)
        return float(wanted @ precision / wanted.sum()) if wanted.any() else float("nan")

    return measure


def weighted_mean_area(areas: Sequence[Weighted]) -> Weighted:
    """The mean of several, without those that are not numbers."""

    def measure(times: np.ndarray) -> float:
        times = times.astype(np.float64)  # once for all, as they are weighed
        found = np.array([area(times) for area in areas])
        found = found[~np.isnan(found)]
        return float(found.mean()) if len(found) else float("nan")

    return measure


def _ties(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ascending order of rows, and where in it each distinct key starts."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    return order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
