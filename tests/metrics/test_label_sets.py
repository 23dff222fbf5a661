import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lamina.metrics import label_metrics

GENERATOR = np.random.default_rng(0)
TRUTH = (GENERATOR.random((80, 4)) < 0.3).astype(np.uint8)
SCORES = np.round((GENERATOR.random((80, 4)) + 0.6 * TRUTH) / 1.6, 2)


def test_figures_are_those_of_scikit_learn() -> None:
    given = SCORES > 0.5
    wanted = {
        "average_precision": sklearn_metrics.average_precision_score(TRUTH, SCORES, average="macro"),
        "macro_f1": sklearn_metrics.f1_score(TRUTH, given, average="macro"),
        "micro_f1": sklearn_metrics.f1_score(TRUTH, given, average="micro"),
        "accuracy": sklearn_metrics.accuracy_score(TRUTH, given),
    }
    metrics = label_metrics()
    assert metrics.keys() == wanted.keys()
    for key, metric in metrics.items():
        assert metric.measure(SCORES, TRUTH) == pytest.approx(wanted[key]), key


def test_counting_a_row_twice_is_the_same_as_having_it_twice() -> None:
    times = GENERATOR.integers(4, size=80)
    for key, metric in label_metrics().items():
        assert metric.weighted is not None
        repeated = metric.measure(SCORES.repeat(times, 0), TRUTH.repeat(times, 0))
        assert metric.weighted(SCORES, TRUTH)(times) == pytest.approx(repeated), key


def test_labels_that_nobody_has_are_left_out_of_means() -> None:
    nobody = np.zeros((80, 1))
    for metric in label_metrics().values():
        alone = metric.measure(SCORES, TRUTH)
        assert metric.measure(
            np.hstack([SCORES, nobody]), np.hstack([TRUTH, nobody]).astype(np.uint8)
        ) == pytest.approx(alone)


def test_rows_without_labels_have_no_figures_but_accuracy() -> None:
    found = {
        key: metric.measure(np.zeros((5, 2)), np.zeros((5, 2), np.uint8)) for key, metric in label_metrics().items()
    }
    assert found.pop("accuracy") == 1
    assert all(np.isnan(value) for value in found.values())
