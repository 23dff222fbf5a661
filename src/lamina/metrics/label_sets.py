"""Figures for answers that are any of many labels: (rows, labels) scores against (rows, labels) zeros and ones.

A label is given where its score is above one half. Labels that neither the rows have nor the answers give are left
out of means over labels; so are labels without a row from average precision.
"""

from collections.abc import Callable

import numpy as np

from lamina.ground.lazy import LazyModule
from lamina.metrics.metric import Metric, Weighted, weighted_mean
from lamina.metrics.ranking import weighted_average_precision, weighted_mean_area

sklearn_metrics = LazyModule("sklearn.metrics")


def label_metrics() -> dict[str, Metric]:
    """Every figure for labels, by key."""
    found = [
        Metric("average_precision", label_average_precision, True, "average precision", _weighted_precision),
        Metric("macro_f1", label_macro_f1, True, "macro F1", _f1_of(macro=True)),
        Metric("micro_f1", label_micro_f1, True, "micro F1", _f1_of(macro=False)),
        Metric("accuracy", subset_accuracy, True, "exactly right rows",
               lambda *answers: weighted_mean(_all_right(*answers))),
    ]  # fmt: skip
    return {metric.key: metric for metric in found}


def label_average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean over labels of the average precision; not a number when no row has a label."""
    present = truth.any(0)
    if not present.any():
        return float("nan")
    return float(sklearn_metrics.average_precision_score(truth[:, present], scores[:, present], average="macro"))


def label_macro_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean over labels of F1; not a number when there is neither a label nor an answer."""
    return _f1_of(macro=True)(scores, truth)(np.ones(len(truth)))


def label_micro_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """F1 of all labels of all rows together; not a number when there is neither a label nor an answer."""
    return _f1_of(macro=False)(scores, truth)(np.ones(len(truth)))


def subset_accuracy(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of rows whose labels are all right."""
    return float(_all_right(scores, truth).mean())


def _all_right(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return ((scores > 0.5) == (truth > 0)).all(1).astype(np.float64)


def _weighted_precision(scores: np.ndarray, truth: np.ndarray) -> Weighted:
    labels = range(truth.shape[1])
    return weighted_mean_area([weighted_average_precision(scores[:, label], truth[:, label] > 0) for label in labels])


def _f1_of(macro: bool) -> Callable[[np.ndarray, np.ndarray], Weighted]:
    """2 hits / (given + true), label by label or all together."""

    def prepare(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        given, there = scores > 0.5, truth > 0
        hits = (given & there).astype(np.float32)
        marks = given.astype(np.float32) + there

        def measure(times: np.ndarray) -> float:
            found, total = 2 * (times @ hits), times @ marks  # (labels,)
            if not total.any():
                return float("nan")
            seen = total > 0
            return float((found[seen] / total[seen]).mean() if macro else found.sum() / total.sum())

        return measure

    return prepare
