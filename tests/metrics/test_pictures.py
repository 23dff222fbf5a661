import numpy as np
import pytest

from lamina.metrics import coverage, frechet, psnr


def normal(mean: float, deviation: float, rows: int = 4000, width: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, (rows, width))


def test_the_frechet_distance_of_normal_sets_is_that_of_their_means_and_spreads() -> None:
    made, real = normal(1.0, 2.0), normal(0.0, 1.0, seed=1)
    # |m1 - m2|^2 + sum (s1 - s2)^2, for independent numbers
    assert frechet(made, real) == pytest.approx(3 * 1 + 3 * (2 - 1) ** 2, rel=0.05)
    assert frechet(made, made) == pytest.approx(0, abs=1e-6)
    assert frechet(made, real) == pytest.approx(frechet(real, made))


def test_the_frechet_distance_does_not_hang_on_the_axes() -> None:
    made, real = normal(0, 1) * [1, 2, 5], normal(0, 1, seed=2) * [3, 1, 1] + [0, 1, 0]
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    assert frechet(made @ turn, real @ turn) == pytest.approx(frechet(made, real))


def test_single_pictures_have_no_distance() -> None:
    assert np.isnan(frechet(normal(0, 1, rows=1), normal(0, 1)))
    assert np.isnan(coverage(normal(0, 1, rows=3), normal(0, 1)).recall)


def test_sets_of_one_kind_cover_each_other_and_far_ones_do_not() -> None:
    real = normal(0, 1, 500)
    alike = coverage(normal(0, 1, 500, seed=1), real)
    assert alike.precision > 0.8 and alike.recall > 0.8
    assert coverage(normal(50, 1, 500), real) == (0, 0)


def test_a_kind_that_is_never_made_is_missed_and_one_that_is_made_up_is_seen() -> None:
    both = np.concatenate([normal(0, 1, 300), normal(50, 1, 300, seed=1)])
    collapsed = coverage(normal(0, 1, 600, seed=2), both)
    assert collapsed.precision > 0.8 and 0.4 < collapsed.recall < 0.6
    invented = coverage(both, normal(0, 1, 600, seed=2))
    assert invented.recall > 0.8 and 0.4 < invented.precision < 0.6


def test_psnr_counts_the_error_of_each_picture_in_decibels() -> None:
    real = np.full((2, 1, 4, 4), 100, dtype=np.uint8)
    made = real.copy()
    made[0] += 10
    assert psnr(made, real) == pytest.approx((20 * np.log10(25.5) + 100) / 2)
