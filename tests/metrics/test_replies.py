import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lamina.metrics import reply_metrics

SCORES = np.array([
    [0.5, 0.3, 0.1, 0.1],  # right at once
    [0.2, 0.5, 0.2, 0.1],  # the right one shares the second place with a wrong one
    [0.1, 0.2, 0.3, 0.4],  # nothing is answered, though the nearest is right
    [0.1, 0.1, 0.1, 0.7],  # nothing is known, nothing answered
    [0.1, 0.6, 0.1, 0.2],  # nothing is known, something answered
])  # fmt: skip
TRUTH = np.array([[0, -1], [2, -1], [0, 2], [-1, -1], [-1, -1]])


def test_figures_are_counted_by_hand() -> None:
    found = {key: metric.measure(SCORES, TRUTH) for key, metric in reply_metrics().items()}
    assert found["accuracy"] == pytest.approx(2 / 5)
    assert found["recall_at_1"] == pytest.approx(2 / 3)
    assert found["recall_at_5"] == 1
    assert found["mrr"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    assert found["turned_away"] == pytest.approx(1 / 3)
    assert found["outside_recall"] == pytest.approx(1 / 2)
    chances = [0.5 / 0.9, 0.2 / 0.9, 0.4 / 0.6]
    assert found["log_loss"] == pytest.approx(-np.log(chances).mean())
    silence = SCORES[:, -1] - SCORES[:, :-1].max(1)
    assert found["outside_auc"] == pytest.approx(sklearn_metrics.roc_auc_score((TRUTH < 0).all(1), silence))


def test_counting_a_row_twice_is_the_same_as_having_it_twice() -> None:
    times = np.array([2, 0, 1, 3, 1])
    for key, metric in reply_metrics().items():
        if metric.weighted is not None:
            repeated = metric.measure(SCORES.repeat(times, 0), TRUTH.repeat(times, 0))
            assert metric.weighted(SCORES, TRUTH)(times) == pytest.approx(repeated), key


def test_what_cannot_be_measured_is_not_a_number() -> None:
    found = {key: metric.measure(SCORES[3:], TRUTH[3:]) for key, metric in reply_metrics().items()}
    assert {key for key, value in found.items() if np.isfinite(value)} == {"accuracy", "outside_recall"}
