import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lamina.metrics import class_metrics, outside_metrics

CLASSES = 3


def answers(rows: int = 300, outside: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Scores of three classes and none of them, with ties, that know something of the truth."""
    generator = np.random.default_rng(1)
    truth = np.where(generator.random(rows) < outside, CLASSES, generator.integers(CLASSES, size=rows))
    scores = (generator.random((rows, CLASSES + 1)) + 0.7 * np.eye(CLASSES + 1)[truth]).round(1) + 0.05
    return scores / scores.sum(1, keepdims=True), truth


def test_figures_are_those_of_scikit_learn() -> None:
    scores, truth = answers()
    said, outside = scores.argmax(1), truth == CLASSES
    chances = scores[:, CLASSES] - scores[:, :CLASSES].max(1)
    wanted = {
        "accuracy": sklearn_metrics.accuracy_score(truth, said),
        "in_scope_accuracy": sklearn_metrics.accuracy_score(truth[~outside], said[~outside]),
        "turned_away": (said[~outside] == CLASSES).mean(),
        "outside_recall": sklearn_metrics.recall_score(outside, said == CLASSES),
        "outside_precision": sklearn_metrics.precision_score(outside, said == CLASSES),
        "outside_auc": sklearn_metrics.roc_auc_score(outside, chances),
        "macro_f1": sklearn_metrics.f1_score(truth, said, average="macro"),
    }
    found = outside_metrics(CLASSES)
    for key, figure in wanted.items():
        assert found[key].measure(scores, truth) == pytest.approx(figure), key
    assert not found["turned_away"].larger_is_better


@pytest.mark.parametrize("key", ["auc", "log_loss"])
def test_probabilities_are_judged_among_classes_and_in_scope(key: str) -> None:
    scores, truth = answers()
    inside = truth < CLASSES
    among = scores[inside, :CLASSES] / scores[inside, :CLASSES].sum(1, keepdims=True)
    expected = class_metrics(CLASSES)[key].measure(among, truth[inside])
    assert outside_metrics(CLASSES)[key].measure(scores, truth) == pytest.approx(expected)


@pytest.mark.parametrize("outside", [0.0, 0.3, 1.0])
def test_counting_a_row_twice_is_the_same_as_having_it_twice(outside: float) -> None:
    scores, truth = answers(100, outside)
    times = np.random.default_rng(2).integers(4, size=100)
    for key, metric in outside_metrics(CLASSES).items():
        assert metric.key == key and metric.label
        assert metric.weighted is not None
        repeated = metric.measure(scores.repeat(times, 0), truth.repeat(times))
        assert metric.weighted(scores, truth)(times) == pytest.approx(repeated, nan_ok=True), key


def test_what_cannot_be_measured_is_not_a_number() -> None:
    scores, truth = answers(outside=0.0)
    found = {key: metric.measure(scores, truth) for key, metric in outside_metrics(CLASSES).items()}
    missing = {key for key, figure in found.items() if np.isnan(figure)}
    assert missing == {"outside_recall", "outside_auc"}
    assert found["outside_precision"] == 0
    assert outside_metrics(2, 1).keys() == {*found, "average_precision"}
