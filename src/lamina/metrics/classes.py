"""Figures for answers that are classes: (rows, classes) probabilities against (rows,) class numbers.

Where some rows lack a class, which happens in small or resampled sets: recalls, F1 and areas are averaged over the
classes that are there, and an area of rows that are all of one class is not a number.
"""

from collections.abc import Callable

import numpy as np

from lamina.ground.lazy import LazyModule
from lamina.metrics.metric import Metric, Weighted, weighted_mean
from lamina.metrics.ranking import weighted_auc, weighted_average_precision, weighted_mean_area

sklearn_metrics = LazyModule("sklearn.metrics")


def class_metrics(classes: int, positive: int | None = None) -> dict[str, Metric]:
    """Every figure for one of several classes, by key.

    Args:
        classes: how many there are.
        positive: for two classes, the number of the one that is looked for.
    """
    assert (classes == 2) == (positive is not None)

    def area(scores: np.ndarray, truth: np.ndarray) -> float:
        return auc(scores, truth, positive)

    def weighted_area(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        ranked = range(classes) if positive is None else [positive]
        return weighted_mean_area([weighted_auc(scores[:, number], truth == number) for number in ranked])

    found = [
        Metric("accuracy", accuracy, True, "accuracy", lambda *answers: weighted_mean(_hits(*answers))),
        Metric("balanced_accuracy", balanced_accuracy, True, "balanced accuracy", _by_class(_mean_recall)),
        Metric("macro_f1", macro_f1, True, "macro F1", _by_class(_mean_f1)),
        Metric("auc", area, True, "area under the ROC curve", weighted_area),
        Metric("log_loss", log_loss, False, "log loss", lambda *answers: weighted_mean(_surprise(*answers))),
        Metric("mcc", mcc, True, "Matthews correlation", _by_class(_correlation)),
    ]
    if positive is not None:

        def precision(scores: np.ndarray, truth: np.ndarray) -> float:
            return average_precision(scores, truth, positive)

        def weighted_precision(scores: np.ndarray, truth: np.ndarray) -> Weighted:
            return weighted_average_precision(scores[:, positive], truth == positive)

        found.insert(4, Metric("average_precision", precision, True, "average precision", weighted_precision))
    return {metric.key: metric for metric in found}


def accuracy(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of rows whose most probable class is the true one."""
    return float(_hits(scores, truth).mean())


def balanced_accuracy(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the classes in `truth` of the share of their rows that were found."""
    present = np.unique(truth)
    return float(
        sklearn_metrics.recall_score(truth, scores.argmax(1), labels=present, average="macro", zero_division=0)
    )


def macro_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean F1 over the classes that are in `truth` or were answered; 0 for one that was never right."""
    return float(sklearn_metrics.f1_score(truth, scores.argmax(1), average="macro", zero_division=0))


def auc(scores: np.ndarray, truth: np.ndarray, positive: int | None = None) -> float:
    """Area under the ROC curve: of the positive class, or the mean of each class against the rest."""
    ranked = np.unique(truth) if positive is None else [positive]
    areas = [
        sklearn_metrics.roc_auc_score(truth == number, scores[:, number])
        for number in ranked
        if 0 < np.count_nonzero(truth == number) < len(truth)
    ]
    return float(np.mean(areas)) if areas else float("nan")


def average_precision(scores: np.ndarray, truth: np.ndarray, positive: int) -> float:
    """Precision averaged over the ranks of the positive rows; not a number without any."""
    wanted = truth == positive
    if not wanted.any():
        return float("nan")
    return float(sklearn_metrics.average_precision_score(wanted, scores[:, positive]))


def log_loss(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean of -log of the probability given to the true class, in nats."""
    return float(_surprise(scores, truth).mean())


def mcc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Matthews correlation of answers and truth: 1 is perfect, 0 no better than guessing or all one class."""
    answers = scores.argmax(1)
    if (answers == answers[0]).all() or (truth == truth[0]).all():
        return 0.0
    return float(sklearn_metrics.matthews_corrcoef(truth, answers))


def _hits(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (scores.argmax(1) == truth).astype(np.float64)


def _surprise(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(rows,) -log probability of the true class; certainty in single precision counts as that, not as infinite."""
    probabilities = scores[np.arange(len(truth)), truth].astype(np.float64) / scores.sum(1, dtype=np.float64)
    return -np.log(probabilities.clip(np.finfo(np.float32).eps, 1))


def _by_class(
    figure: Callable[[np.ndarray, np.ndarray, np.ndarray], float],
) -> Callable[[np.ndarray, np.ndarray], Weighted]:
    """The weighted form of a figure of (classes,) rows found, rows there, and rows answered."""

    def prepare(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        classes = scores.shape[1]
        # Few pairs of truth and answer occur: rows are added up by these, and only they by class.
        pairs, place = np.unique(truth.astype(np.int64) * classes + scores.argmax(1), return_inverse=True)
        true, answered = np.divmod(pairs, classes)

        def measure(times: np.ndarray) -> float:
            rows = np.bincount(place, times, len(pairs))
            return figure(
                np.bincount(true, rows * (true == answered), classes),
                np.bincount(true, rows, classes),
                np.bincount(answered, rows, classes),
            )

        return measure

    return prepare


def _mean_recall(found: np.ndarray, there: np.ndarray, answered: np.ndarray) -> float:
    present = there > 0
    return float((found[present] / there[present]).mean())


def _mean_f1(found: np.ndarray, there: np.ndarray, answered: np.ndarray) -> float:
    seen = there + answered > 0
    return float((2 * found[seen] / (there + answered)[seen]).mean())


def _correlation(found: np.ndarray, there: np.ndarray, answered: np.ndarray) -> float:
    rows = there.sum()
    spread = (rows**2 - there @ there) * (rows**2 - answered @ answered)
    return float((found.sum() * rows - there @ answered) / np.sqrt(spread)) if spread > 0 else 0.0
