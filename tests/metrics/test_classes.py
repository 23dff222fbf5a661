import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lamina.metrics import class_metrics

GENERATOR = np.random.default_rng(0)


def answers(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that know something, with ties, and the true classes."""
    truth = GENERATOR.integers(classes, size=rows)
    scores = GENERATOR.random((rows, classes)) + np.eye(classes)[truth]
    scores = np.round(scores, 1) + 0.05
    return scores / scores.sum(1, keepdims=True), truth


@pytest.mark.parametrize("classes", [2, 4])
def test_figures_are_those_of_scikit_learn(classes: int) -> None:
    scores, truth = answers(200, classes)
    said = scores.argmax(1)
    one_against_rest = {"multi_class": "ovr"} if classes > 2 else {}
    wanted = {
        "accuracy": sklearn_metrics.accuracy_score(truth, said),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, said),
        "macro_f1": sklearn_metrics.f1_score(truth, said, average="macro"),
        "auc": sklearn_metrics.roc_auc_score(truth, scores if classes > 2 else scores[:, 1], **one_against_rest),
        "log_loss": sklearn_metrics.log_loss(truth, scores),
        "mcc": sklearn_metrics.matthews_corrcoef(truth, said),
    }
    if classes == 2:
        wanted["average_precision"] = sklearn_metrics.average_precision_score(truth, scores[:, 1])
    found = class_metrics(classes, 1 if classes == 2 else None)
    assert found.keys() == wanted.keys()
    for key, metric in found.items():
        assert metric.key == key
        assert metric.label
        assert metric.measure(scores, truth) == pytest.approx(wanted[key]), key


@pytest.mark.parametrize("classes", [2, 4])
def test_counting_a_row_twice_is_the_same_as_having_it_twice(classes: int) -> None:
    scores, truth = answers(100, classes)
    times = GENERATOR.integers(4, size=100)
    for key, metric in class_metrics(classes, 0 if classes == 2 else None).items():
        assert metric.weighted is not None
        repeated = metric.measure(scores.repeat(times, 0), truth.repeat(times))
        assert metric.weighted(scores, truth)(times) == pytest.approx(repeated), key


def test_rows_that_lack_a_class_are_measured_without_it() -> None:
    scores, truth = answers(60, 4)
    kept = truth != 2
    scores, truth = scores[kept], truth[kept]
    metrics = class_metrics(4)
    recalls = [(scores[truth == number].argmax(1) == number).mean() for number in (0, 1, 3)]
    assert metrics["balanced_accuracy"].measure(scores, truth) == pytest.approx(np.mean(recalls))
    assert 0 < metrics["macro_f1"].measure(scores, truth) <= 1
    areas = [sklearn_metrics.roc_auc_score(truth == number, scores[:, number]) for number in (0, 1, 3)]
    assert metrics["auc"].measure(scores, truth) == pytest.approx(np.mean(areas))


def test_rows_of_one_class_have_no_area_and_raise_no_warning() -> None:
    scores, truth = answers(20, 2)
    truth[:] = 0
    found = {key: metric.measure(scores, truth) for key, metric in class_metrics(2, 1).items()}
    weighted = {key: metric.weighted(scores, truth)(np.ones(20)) for key, metric in class_metrics(2, 1).items()}
    assert {key for key, value in found.items() if np.isnan(value)} == {"auc", "average_precision"}
    assert {key for key, value in weighted.items() if np.isnan(value)} == {"auc", "average_precision"}
    assert found["mcc"] == 0


def test_a_certain_mistake_has_a_finite_log_loss() -> None:
    scores = np.array([[1, 0], [1, 0]], dtype=np.float32)
    assert np.isfinite(class_metrics(2, 1)["log_loss"].measure(scores, np.array([0, 1])))


def test_better_knows_the_direction_and_what_is_no_number() -> None:
    metrics = class_metrics(3)
    assert metrics["accuracy"].better(0.9, 0.8)
    assert metrics["log_loss"].better(0.8, 0.9)
    assert metrics["auc"].better(0.1, float("nan"))
    assert not metrics["auc"].better(float("nan"), 0.1)
