"""Figures where an answer may be none of the classes: scores have a column more, the last, and truth a number more.

A row is outside where its truth is that number. Rows of the classes are in scope; answering none of these turns them
away.
"""

from collections.abc import Callable

import numpy as np

from lamina.metrics.classes import auc, class_metrics
from lamina.metrics.metric import Metric, Weighted, weighted_mean
from lamina.metrics.ranking import weighted_auc

_Rows = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(scores, truth) -> (rows,) of bool."""


def outside_metrics(classes: int, positive: int | None = None) -> dict[str, Metric]:
    """Every figure for one of several classes or none of them, by key.

    Figures of probabilities (log loss, areas) are those of the classes among each other, on rows in scope.

    Args:
        classes: how many there are, the place for none not counted.
        positive: for two classes, the number of the one that is looked for.
    """
    every, among = class_metrics(classes + 1), class_metrics(classes, positive)

    def in_scope(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return truth < classes

    def outside(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return truth == classes

    def turned_away(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return scores.argmax(1) == classes

    def right(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
        return scores.argmax(1) == truth

    found = [
        every["accuracy"],
        _share("in_scope_accuracy", "accuracy in scope", right, in_scope),
        _share("turned_away", "share in scope turned away", turned_away, in_scope, larger_is_better=False),
        _share("outside_recall", "recall of what is outside", turned_away, outside),
        _share("outside_precision", "precision of none of these", outside, turned_away),
        _area(classes),
        *(every[key] for key in ("balanced_accuracy", "macro_f1", "mcc")),
        *(_within(metric, classes) for key, metric in among.items() if key not in every or key in ("auc", "log_loss")),
    ]
    return {metric.key: metric for metric in found}


def _share(key: str, label: str, hit: _Rows, among: _Rows, larger_is_better: bool = True) -> Metric:
    """Of some rows the share that is hit."""

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        rows = among(scores, truth)
        return float(hit(scores, truth)[rows].mean()) if rows.any() else float("nan")

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        rows = among(scores, truth)
        return _of(weighted_mean(hit(scores, truth)[rows].astype(np.float64)), rows)

    return Metric(key, measure, larger_is_better, label, weighted)


def _area(classes: int) -> Metric:
    """The chance that a row outside looks more like none of the classes than a row in scope."""

    def none(scores: np.ndarray) -> np.ndarray:
        return scores[:, classes] - scores[:, :classes].max(1)

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        chances = none(scores)
        return auc(np.stack([-chances, chances], 1), (truth == classes).astype(np.int64), 1)

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        return weighted_auc(none(scores), truth == classes)

    return Metric("outside_auc", measure, True, "area under the ROC curve of none of these", weighted)


def _within(metric: Metric, classes: int) -> Metric:
    """A figure of the classes among each other, on rows in scope."""

    def probabilities(scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        some = scores[rows][:, :classes]
        return some / some.sum(1, keepdims=True).clip(np.finfo(np.float32).tiny)

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        rows = truth < classes
        return metric.measure(probabilities(scores, rows), truth[rows]) if rows.any() else float("nan")

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        rows = truth < classes
        assert metric.weighted is not None
        return _of(metric.weighted(probabilities(scores, rows), truth[rows]), rows)

    return Metric(metric.key, measure, metric.larger_is_better, metric.label, weighted)


def _of(figure: Weighted, rows: np.ndarray) -> Weighted:
    """The weighted form of a figure of some of the rows."""
    return lambda times: figure(times[rows]) if times[rows].any() else float("nan")
