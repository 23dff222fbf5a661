import numpy as np
import pytest

from lamina.metrics import coverage, frechet, psnr, ssim


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


def test_ssim_is_one_for_the_same_and_falls_with_noise_blur_and_contrast() -> None:
    random = np.random.default_rng(0)
    real = (127 + 100 * np.sin(np.arange(40)[:, None] / 3 + np.arange(50) / 5)).astype(np.uint8)
    assert ssim(real, real) == pytest.approx(1)
    noisy = np.clip(real + random.normal(0, 20, real.shape), 0, 255)
    worse = np.clip(real + random.normal(0, 60, real.shape), 0, 255)
    assert 1 > ssim(noisy, real) > ssim(worse, real) > 0
    flat = np.full_like(real, 127)
    assert ssim(flat, real) < 0.2 and np.isnan(ssim(real[:10], real[:10]))


def test_ssim_follows_the_formula_of_its_paper_in_one_window() -> None:
    random = np.random.default_rng(1)
    one, other = random.integers(0, 256, (2, 11, 11)).astype(float)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    means = [(window * each).sum() for each in (one, other)]
    spreads = [(window * each**2).sum() - mean**2 for each, mean in zip((one, other), means, strict=True)]
    joint = (window * one * other).sum() - means[0] * means[1]
    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * means[0] * means[1] + first) * (2 * joint + second)
    expected /= (means[0] ** 2 + means[1] ** 2 + first) * (sum(spreads) + second)
    assert ssim(one, other) == pytest.approx(expected)
