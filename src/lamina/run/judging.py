"""Judging on validation rows: one figure decides, whatever the number of outputs."""

from collections.abc import Mapping

import numpy as np

from lamina.data import StoredBlock
from lamina.metrics import Metric
from lamina.network import Collate, Network, Plan
from lamina.run.trained import raw_scores, truths


class Judge:
    """Figures of a network on some rows; several outputs are joined by their mean skill over a naive answer."""

    def __init__(self, plan: Plan, blocks: Mapping[str, StoredBlock], collate: Collate, rows: np.ndarray,
                 learned: np.ndarray, network: Network):  # fmt: skip
        """Judge on `rows`; naive answers are learned on the rows `learned`."""
        self._collate, self._rows = collate, rows
        self._truths = truths(blocks, plan, rows)
        outputs = network.outputs
        self._deciding = {name: output.metrics()[output.decides] for name, output in outputs.items()}
        if len(outputs) == 1:
            ((name, metric),) = self._deciding.items()
            self.metric = Metric(f"{name}.{metric.key}", metric.measure, metric.larger_is_better, metric.label)
            return
        self.metric = Metric("skill", lambda scores, truth: float("nan"), True, "skill")
        known = truths(blocks, plan, learned)
        self._naive = {
            name: metric.measure(naive_scores(known[name], self._truths[name], metric), self._truths[name])
            for name, metric in self._deciding.items()
        }

    def __call__(self, network: Network) -> dict[str, float]:
        """Every output's deciding figure by `output.metric`, and the joint `skill` when there are several."""
        raw = raw_scores(network, self._collate, self._rows)
        figures, skills = {}, []
        for name, metric in self._deciding.items():
            figure = metric.measure(network.outputs[name].decode(raw[name], {}).scores, self._truths[name])
            figures[f"{name}.{metric.key}"] = figure
            if len(self._deciding) > 1:
                skills.append(skill(figure, self._naive[name], metric))
        if skills:
            figures["skill"] = float(np.mean(skills))
        return figures


def naive_scores(learned: np.ndarray, truth: np.ndarray, metric: Metric) -> np.ndarray:
    """The same answer for every row, learned from targets: class shares, or the mean (the median for mae)."""
    if np.issubdtype(learned.dtype, np.integer) and learned.ndim == 1:
        classes = max(int(learned.max()), int(truth.max())) + 1
        return np.tile(np.bincount(learned, minlength=classes) / len(learned), (len(truth), 1))
    middle = np.median(learned, axis=0) if metric.key == "mae" else learned.mean(axis=0)
    return np.broadcast_to(middle, truth.shape).astype(np.float64)


def skill(figure: float, naive: float, metric: Metric) -> float:
    """How far a figure is from the naive one towards perfection: 0 as naive, 1 perfect."""
    if metric.larger_is_better:
        return (figure - naive) / max(1 - naive, 1e-9)
    return 1 - figure / max(naive, 1e-9)
