import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lamina.metrics import number_metrics

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.exponential(size=100)
SCORES = TRUTH + GENERATOR.normal(size=100) / 3  # some fall below 0


def test_figures_are_those_of_scikit_learn() -> None:
    wanted = {
        "mae": sklearn_metrics.mean_absolute_error(TRUTH, SCORES),
        "mse": sklearn_metrics.mean_squared_error(TRUTH, SCORES),
        "rmse": sklearn_metrics.root_mean_squared_error(TRUTH, SCORES),
        "r2": sklearn_metrics.r2_score(TRUTH, SCORES),
        "rmsle": sklearn_metrics.root_mean_squared_log_error(TRUTH, SCORES.clip(0)),
        "pinball": sklearn_metrics.mean_pinball_loss(TRUTH, SCORES, alpha=0.8),
    }
    metrics = number_metrics(nonnegative=True, quantile=0.8)
    assert metrics.keys() == wanted.keys()
    for key, metric in metrics.items():
        assert metric.measure(SCORES, TRUTH) == pytest.approx(wanted[key]), key
        assert metric.larger_is_better == (key == "r2")


@pytest.mark.parametrize("offset", [0, 1e6])
def test_counting_a_row_twice_is_the_same_as_having_it_twice(offset: float) -> None:
    times = GENERATOR.integers(4, size=100)
    scores, truth = SCORES + offset, TRUTH + offset
    for key, metric in number_metrics(nonnegative=True, quantile=0.8).items():
        assert metric.weighted is not None
        repeated = metric.measure(scores.repeat(times), truth.repeat(times))
        assert metric.weighted(scores, truth)(times) == pytest.approx(repeated), key


@pytest.mark.parametrize(
    "nonnegative, quantile, extra", [(False, None, set()), (True, None, {"rmsle"}), (False, 0.5, {"pinball"})]
)
def test_figures_that_make_no_sense_are_not_there(nonnegative: bool, quantile: float | None, extra: set[str]) -> None:
    assert set(number_metrics(nonnegative, quantile)) == {"mae", "mse", "rmse", "r2"} | extra


@pytest.mark.parametrize("truth", [np.array([1.0]), np.array([2.0, 2.0])])
def test_truth_that_does_not_vary_has_no_r2(truth: np.ndarray) -> None:
    metric = number_metrics(True)["r2"]
    assert np.isnan(metric.measure(truth + 1, truth))
    assert np.isnan(metric.weighted(truth + 1, truth)(np.ones(len(truth))))
