"""How sure a figure is: what it would be on other rows of the same kind, by resampling (Efron 1979)."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from lamina.ground.seed import numpy_generator
from lamina.metrics.metric import Metric

ROWS_IN_ALL = 4_000_000
"""Rows drawn over all resamples of one figure: some tenths of a second, and an evaluation has dozens of figures."""
ROWS_MEASURED_AGAIN = 2_000_000
"""The same for figures without a weighted form."""
FEWEST = 200
"""Resamples below which the ends of an interval would jump about."""


def interval(metric: Metric, scores: np.ndarray, truth: np.ndarray, seed: int, repeats: int = 1000,
             blocks: int | None = None, level: float = 0.95) -> tuple[float, float, float]:  # fmt: skip
    """A figure with a percentile interval.

    Args:
        metric: the figure.
        scores: as in `Answers.scores`, rows first.
        truth: (rows, ...) prepared targets.
        seed: resamples depend on it and on the number of rows only.
        repeats: resamples; fewer where rows are many (above 4,000), but no fewer than 200.
        blocks: rows of a series that are drawn together because neighbours resemble each other; None draws each alone.
        level: the share of resamples that lie within.

    Returns:
        (value, low, high); low and high are not numbers when there are fewer than two rows (or blocks) to draw.
    """
    value = metric.measure(scores, truth)
    figures = _resampled(metric, [scores], truth, seed, repeats, blocks)
    return (value, *_ends(figures[0], level))


def difference(metric: Metric, scores_a: np.ndarray, scores_b: np.ndarray, truth: np.ndarray, seed: int,
               repeats: int = 1000, blocks: int | None = None,
               level: float = 0.95) -> tuple[float, float, float]:  # fmt: skip
    """By how much `scores_a` are better than `scores_b` (negative: worse), both measured on the same resamples.

    The arguments and what is returned are as in `interval`.
    """
    sign = 1 if metric.larger_is_better else -1
    value = sign * (metric.measure(scores_a, truth) - metric.measure(scores_b, truth))
    ours, theirs = _resampled(metric, [scores_a, scores_b], truth, seed, repeats, blocks)
    return (value, *_ends(sign * (ours - theirs), level))


def _ends(figures: np.ndarray, level: float) -> tuple[float, float]:
    """The middle `level` of the figures; those that are not numbers (a class was not drawn) are left out."""
    figures = figures[np.isfinite(figures)]
    if len(figures) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _resampled(metric: Metric, scores: list[np.ndarray], truth: np.ndarray, seed: int, repeats: int,
               blocks: int | None) -> np.ndarray:  # fmt: skip
    """(answers, repeats) the figure of each on the same resamples."""
    rows, size = len(truth), blocks or 1
    draws = -(-rows // size)  # the last block may be short
    if draws < 2:
        return np.full((len(scores), 1), np.nan)
    highest = min(repeats, max(FEWEST, ROWS_IN_ALL // rows))
    most = (ROWS_IN_ALL if metric.weighted else ROWS_MEASURED_AGAIN) // (rows * len(scores))
    repeats = min(repeats, max(FEWEST, most))
    prepared = [metric.weighted(answers, truth) for answers in scores] if metric.weighted else []
    figures = np.empty((len(scores), repeats))
    # An evaluation asks for dozens of figures of the same rows: what was drawn is kept, unless it is much.
    draw = _kept if rows * highest <= ROWS_IN_ALL else _drawn
    for repeat, times in zip(range(repeats), draw(rows, size, seed, highest), strict=False):
        if prepared:
            figures[:, repeat] = [measure(times) for measure in prepared]
        else:
            drawn = np.arange(rows).repeat(times.astype(np.int64))
            figures[:, repeat] = [metric.measure(answers[drawn], truth[drawn]) for answers in scores]
    return figures


def _drawn(rows: int, size: int, seed: int, repeats: int) -> Iterator[np.ndarray]:
    """For each resample (rows,) float64 how many times each row was drawn, in blocks of `size`."""
    draws = -(-rows // size)
    generator = numpy_generator(seed, "bootstrap", rows)
    for _ in range(repeats):
        times = np.bincount(generator.integers(draws, size=draws), minlength=draws)
        yield times.repeat(size)[:rows].astype(np.float64)


@lru_cache(maxsize=1)
def _kept(rows: int, size: int, seed: int, repeats: int) -> tuple[np.ndarray, ...]:
    return tuple(_drawn(rows, size, seed, repeats))
