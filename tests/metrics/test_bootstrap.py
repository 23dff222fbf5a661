from dataclasses import replace

import numpy as np
import pytest

from lamina.metrics import Metric, class_metrics, difference, interval, number_metrics

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(size=400)
GOOD, POOR = TRUTH + 0.5 * GENERATOR.normal(size=400), TRUTH + GENERATOR.normal(size=400)
MAE, RMSE = number_metrics(False)["mae"], number_metrics(False)["rmse"]


def test_a_mean_has_the_interval_of_its_standard_error() -> None:
    value, low, high = interval(MAE, GOOD, TRUTH, seed=0, repeats=4000)
    missed = np.abs(GOOD - TRUTH)
    reach = 1.96 * missed.std() / np.sqrt(len(missed))
    assert value == pytest.approx(missed.mean())
    assert (low, high) == (pytest.approx(value - reach, rel=0.02), pytest.approx(value + reach, rel=0.02))
    _, narrow_low, narrow_high = interval(MAE, GOOD, TRUTH, seed=0, level=0.5)
    assert low < narrow_low < narrow_high < high


@pytest.mark.parametrize("key", ["accuracy", "auc", "macro_f1", "log_loss"])
def test_measuring_again_and_counting_rows_agree(key: str) -> None:
    truth = GENERATOR.integers(2, size=120)
    scores = GENERATOR.random((120, 2)) + np.eye(2)[truth]
    scores /= scores.sum(1, keepdims=True)
    metric = class_metrics(2, 1)[key]
    slow = replace(metric, weighted=None)
    assert interval(slow, scores, truth, seed=3, repeats=40) == pytest.approx(
        interval(metric, scores, truth, seed=3, repeats=40)
    )


def test_a_seed_decides() -> None:
    assert interval(RMSE, GOOD, TRUTH, seed=1) == interval(RMSE, GOOD, TRUTH, seed=1)
    assert interval(RMSE, GOOD, TRUTH, seed=1) != interval(RMSE, GOOD, TRUTH, seed=2)


def test_a_difference_is_positive_when_the_first_is_better() -> None:
    for metric in (MAE, RMSE, number_metrics(False)["r2"]):
        value, low, high = difference(metric, GOOD, POOR, TRUTH, seed=0)
        assert 0 < low < value < high
        back = difference(metric, POOR, GOOD, TRUTH, seed=0)
        assert back == pytest.approx((-value, -high, -low))
    assert difference(RMSE, GOOD, GOOD, TRUTH, seed=0) == (0, 0, 0)


def test_a_difference_on_the_same_rows_is_surer_than_two_intervals() -> None:
    nearly = GOOD + 0.1
    _, low, high = difference(RMSE, GOOD, nearly, TRUTH, seed=0)
    _, own_low, own_high = interval(RMSE, GOOD, TRUTH, seed=0)
    assert high - low < (own_high - own_low) / 2


def test_neighbours_that_resemble_each_other_are_drawn_together() -> None:
    truth = np.zeros(600)
    drifting = np.repeat(GENERATOR.normal(size=30), 20)  # errors stay for 20 rows
    _, low, high = interval(MAE, drifting, truth, seed=0)
    _, block_low, block_high = interval(MAE, drifting, truth, seed=0, blocks=20)
    assert block_high - block_low > 3 * (high - low)
    short = interval(MAE, drifting[:590], truth[:590], seed=0, blocks=20)  # the last block is not whole
    assert np.isfinite(short).all()


@pytest.mark.parametrize("rows, blocks", [(1, None), (10, 10)])
def test_too_few_rows_to_draw_have_no_interval(rows: int, blocks: int | None) -> None:
    value, low, high = interval(MAE, GOOD[:rows], TRUTH[:rows], seed=0, blocks=blocks)
    assert np.isfinite(value)
    assert np.isnan(low)
    assert np.isnan(high)


def test_resamples_without_a_class_are_left_out() -> None:
    truth = np.array([1] + [0] * 9)
    scores = np.stack([1 - np.linspace(0.9, 0.1, 10), np.linspace(0.9, 0.1, 10)], axis=1)
    assert interval(class_metrics(2, 1)["auc"], scores, truth, seed=0) == (1, 1, 1)


def test_many_rows_are_resampled_less_often() -> None:
    calls = []

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        calls.append(len(truth))
        return float(scores.mean())

    interval(Metric("mean", measure, True), np.zeros(50_000), np.zeros(50_000), seed=0)
    assert len(calls) == 1 + 200
