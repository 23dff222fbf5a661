"""Figures for answers that are looked up among the known ones: (rows, answers + 1) scores, the last for none of them.

Truth is (rows, most) numbers of the answers that are right, -1 where there are fewer; a row without any is outside:
what should be answered is not known.
"""

from collections.abc import Callable

import numpy as np

from lamina.metrics.metric import Metric, Weighted, weighted_mean
from lamina.metrics.ranking import weighted_auc


def reply_metrics() -> dict[str, Metric]:
    """Every figure for answers that are looked up, by key."""
    found = [
        _mean("accuracy", "accuracy", _right),
        _mean("recall_at_1", "right answer found first", lambda scores, truth: _within(scores, truth, 1)),
        _mean("recall_at_5", "right answer among the first five", lambda scores, truth: _within(scores, truth, 5)),
        _mean("mrr", "mean reciprocal rank", lambda scores, truth: _known(truth, 1 / (1 + places(scores, truth)))),
        _mean("log_loss", "log loss", _surprise, larger_is_better=False),
        _mean("turned_away", "share in scope turned away", lambda scores, truth: _known(truth, _silent(scores)),
              larger_is_better=False),
        _mean("outside_recall", "recall of what is outside",
              lambda scores, truth: np.where(_outside(truth), _silent(scores), np.nan)),
        Metric("outside_auc", _area, True, "area under the ROC curve of none of these"),
    ]  # fmt: skip
    return {metric.key: metric for metric in found}


def places(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(rows,) how many wrong answers stand before the first right one; ties count as before it."""
    answers = scores[:, :-1].astype(np.float64)
    right = np.zeros(answers.shape, dtype=bool)
    rows, slots = np.nonzero(truth >= 0)
    right[rows, truth[rows, slots]] = True
    best = np.where(right, answers, -np.inf).max(1, keepdims=True)
    return ((answers >= best) & ~right).sum(1)


def _outside(truth: np.ndarray) -> np.ndarray:
    return np.asarray((truth < 0).all(1))


def _silent(scores: np.ndarray) -> np.ndarray:
    """(rows,) whether no answer is given."""
    return scores.argmax(1) == scores.shape[1] - 1


def _right(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(rows,) whether a right answer is given, or none where none is known."""
    said = scores.argmax(1)
    return np.where(_outside(truth), _silent(scores), (truth == said[:, None]).any(1))


def _within(scores: np.ndarray, truth: np.ndarray, first: int) -> np.ndarray:
    return _known(truth, places(scores, truth) < first)


def _surprise(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    answers = scores[:, :-1].astype(np.float64)
    chances = np.where(truth >= 0, np.take_along_axis(answers, truth.clip(0), 1), 0).sum(1)
    total = answers.sum(1).clip(np.finfo(np.float32).tiny)
    return _known(truth, -np.log((chances / total).clip(np.finfo(np.float32).eps, 1)))


def _known(truth: np.ndarray, by_row: np.ndarray) -> np.ndarray:
    """Figures of rows whose answer is known, not a number for others."""
    return np.where(_outside(truth), np.nan, by_row)


def _area(scores: np.ndarray, truth: np.ndarray) -> float:
    """The chance that a question without a known answer looks less like any than one with."""
    least = np.finfo(np.float32).tiny  # where no line is drawn, none of them is as improbable everywhere
    chances = np.log(scores[:, -1].clip(least)) - np.log(scores[:, :-1].max(1).clip(least))
    return weighted_auc(chances, _outside(truth))(np.ones(len(truth)))


def _mean(key: str, label: str, by_row: Callable[[np.ndarray, np.ndarray], np.ndarray],
          larger_is_better: bool = True) -> Metric:  # fmt: skip
    """The mean over rows of which there is a figure."""

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        return weighted(scores, truth)(np.ones(len(truth)))

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        figures = by_row(scores, truth).astype(np.float64)
        there = np.isfinite(figures)
        mean = weighted_mean(figures[there])
        return lambda times: mean(times[there])

    return Metric(key, measure, larger_is_better, label, weighted)
