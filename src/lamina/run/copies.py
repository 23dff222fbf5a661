"""Whether what was made copies what was learned from."""

import numpy as np


def nearest(some: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) distance of each of `some` (rows, numbers) to the nearest of `others`, and which one that is."""
    some, others = (each.reshape(len(each), -1).astype(np.float32) for each in (some, others))
    lengths = (others**2).sum(1)
    squares = np.concatenate([
        (piece**2).sum(1)[:, None] + lengths - 2 * piece @ others.T
        for piece in np.array_split(some, max(len(some) // 256, 1))
    ])  # fmt: skip
    which = squares.argmin(1)
    return np.sqrt(squares[np.arange(len(some)), which].clip(0)), which


def copied(made: np.ndarray, real: np.ndarray, learned: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """How many come nearer to what was learned from than all but a hundredth of real ones do.

    Args:
        made: (rows, numbers).
        real: (rows, numbers) that were not learned from.
        learned: (rows, numbers) that were.

    Returns:
        The share; (made,) the distance to the nearest; (made,) which one that is.
    """
    some = min(len(made), len(real), 1_000)
    ours, which = nearest(made[:some], learned)
    theirs, _ = nearest(real[:some], learned)
    return float((ours < np.quantile(theirs, 0.01)).mean()), ours, which
