"""Figures for pictures: how near made ones are to real ones as sets, and how near an answer is to its truth.

Sets are compared by their features, (pictures, numbers), which whoever measures has to name: figures of other features
are not comparable.
"""

from typing import NamedTuple

import numpy as np

from lamina.ground.lazy import LazyModule
from lamina.metrics.metric import Metric

scipy_ndimage = LazyModule("scipy.ndimage")
sklearn_neighbours = LazyModule("sklearn.neighbors")

NEIGHBOURS = 3
"""Neighbours whose distance is a picture's reach, as Kynkaanniemi et al. (2019) chose."""


def _not_by_rows(scores: np.ndarray, truth: np.ndarray) -> float:
    raise AssertionError("a figure of sets is measured by `frechet` and `coverage`")


PICTURE_SETS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("frechet", _not_by_rows, False, "Fréchet distance"),
        Metric("recognised", _not_by_rows, True, "recognised as their class"),
        Metric("precision", _not_by_rows, True, "precision (made pictures among real ones)"),
        Metric("recall", _not_by_rows, True, "recall (real pictures among made ones)"),
    )
}
"""Figures of sets of pictures, for their names and directions."""


def frechet(made: np.ndarray, real: np.ndarray) -> float:
    """Fréchet distance of two sets of features, each taken for a normal distribution (Heusel et al. 2017).

    Args:
        made: (pictures, numbers).
        real: (pictures, numbers).

    Returns:
        The squared distance of the means, and what the spreads differ by; 0 for the same distribution. Not a number
        with fewer than two pictures.
    """
    if min(len(made), len(real)) < 2:
        return float("nan")
    made, real = made.astype(np.float64), real.astype(np.float64)
    apart = made.mean(0) - real.mean(0)
    one, other = (
        np.cov(made, rowvar=False).reshape(made.shape[1], -1),
        np.cov(real, rowvar=False).reshape(real.shape[1], -1),
    )
    # tr((one other)^1/2) by symmetric roots, which stay real whatever the rounding
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    common = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return float(max(apart @ apart + np.trace(one) + np.trace(other) - 2 * common, 0.0))


class Coverage(NamedTuple):
    """How two sets of pictures cover each other."""

    precision: float
    """The share of made pictures that lie where real ones do."""
    recall: float
    """The share of real pictures that lie where made ones do: low when the same few things are made again and again."""


def coverage(made: np.ndarray, real: np.ndarray) -> Coverage:
    """Improved precision and recall (Kynkaanniemi et al. 2019, "Improved precision and recall metric").

    A picture lies where a set does when it is no farther from one of the set's pictures than that one's third nearest
    neighbour within the set.

    Args:
        made: (pictures, numbers), more than `NEIGHBOURS`.
        real: (pictures, numbers), more than `NEIGHBOURS`.
    """
    if min(len(made), len(real)) <= NEIGHBOURS:
        return Coverage(float("nan"), float("nan"))
    return Coverage(_share_within(made, real), _share_within(real, made))


def _share_within(some: np.ndarray, others: np.ndarray) -> float:
    """The share of `some` that lies within reach of one of `others`."""
    neighbours = sklearn_neighbours.NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(others)
    reach = neighbours.kneighbors(others)[0][:, -1]
    within = np.zeros(len(some), dtype=bool)
    for start in range(0, len(some), 512):
        piece = some[start : start + 512].astype(np.float64)
        squares = (piece**2).sum(1)[:, None] + (others.astype(np.float64) ** 2).sum(1)[None] - 2 * piece @ others.T
        within[start : start + 512] = (squares <= reach[None] ** 2 * (1 + 1e-9)).any(1)
    return float(within.mean())


def psnr(made: np.ndarray, real: np.ndarray) -> float:
    """Mean over pictures of the ratio of the largest brightness to the error, in decibels; 100 for no error.

    Args:
        made: (rows, ...) from 0 to 255.
        real: the same shape.
    """
    errors = (made.astype(np.float64) - real.astype(np.float64)) ** 2
    mean = errors.reshape(len(errors), -1).mean(1)
    return float((10 * np.log10(255.0**2 / mean.clip(255.0**2 / 1e10))).mean())


def ssim(made: np.ndarray, real: np.ndarray) -> float:
    """Structural similarity of two pictures (Wang et al. 2004): 1 for the same.

    Local means, spreads and their agreement, in a Gaussian window of 11 x 11 with a deviation of 1.5, where it fits.

    Args:
        made: (height, width) from 0 to 255.
        real: the same shape, of 11 x 11 or more; smaller ones give a figure that is not a number.
    """
    if min(made.shape) < 11:
        return float("nan")

    def local(values: np.ndarray) -> np.ndarray:
        return scipy_ndimage.gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    one, other = made.astype(np.float64), real.astype(np.float64)
    mean_one, mean_other = local(one), local(other)
    spread_one, spread_other = local(one**2) - mean_one**2, local(other**2) - mean_other**2
    joint = local(one * other) - mean_one * mean_other
    least, least_spread = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_one * mean_other + least) * (2 * joint + least_spread)
    return float((alike / ((mean_one**2 + mean_other**2 + least) * (spread_one + spread_other + least_spread))).mean())


def photo_metrics() -> dict[str, Metric]:
    """Figures of enlarged photos, by key: means over photos, each measured apart by `psnr` and `ssim`."""

    def mean(scores: np.ndarray, truth: np.ndarray) -> float:
        return float(scores.mean())

    return {"psnr": Metric("psnr", mean, True, "PSNR"), "ssim": Metric("ssim", mean, True, "SSIM")}


def picture_metrics() -> dict[str, Metric]:
    """Figures for answers that are pictures beside the true ones, by key."""
    return {"psnr": Metric("psnr", psnr, True, "PSNR")}
