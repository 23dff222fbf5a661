"""What a metric is: a figure of scores against the truth, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

Weighted = Callable[[np.ndarray], float]
"""(rows,) how many times each row counts -> figure; not a number where too little is left to measure."""


@dataclass(frozen=True)
class Metric:
    """One figure by which answers are judged."""

    key: str
    """As in plans, JSON and messages: `rmse`, `auc`."""
    measure: Callable[[np.ndarray, np.ndarray], float]
    """(scores, truth) -> figure; scores as in `Answers.scores`, truth as prepared targets."""
    larger_is_better: bool
    label: str = ""
    """For people: `RMSE`, `area under the curve`."""
    weighted: Callable[[np.ndarray, np.ndarray], Weighted] | None = None
    """(scores, truth) -> the same figure of rows that count several times, for resampling: what does not depend on
    the counts, such as sorting, is done once. None where there is no faster way than to measure again."""

    def of(self, name: str) -> "Metric":
        """The same figure of one of several answers: `price.rmse`."""
        return replace(self, key=f"{name}.{self.key}")

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`; anything is better than a figure that is not a number."""
        if other != other:
            return one == one
        return one > other if self.larger_is_better else one < other


def weighted_mean(by_row: np.ndarray, figure: Callable[[float], float] = float) -> Weighted:
    """The weighted form of a figure that is a mean over rows, or a function of one.

    Args:
        by_row: (rows,) what each row adds.
        figure: what turns the mean into the figure: the root, for RMSE.
    """

    def measure(times: np.ndarray) -> float:
        counted = times.sum()
        return float(figure(by_row @ times / counted)) if counted else float("nan")

    return measure
