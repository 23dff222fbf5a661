"""Judging on validation rows: one figure decides, whatever the number of outputs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lamina.data import Facts, StoredBlock, Table
from lamina.metrics import Metric
from lamina.network import Collate, Network, Plan
from lamina.outputs import OutputLayer
from lamina.run.baselines import naive_baseline
from lamina.run.trained import raw_scores, truths

FEW_ROWS = 1_000
"""Validation rows below which counts of right answers jump about too much to choose weights by: log loss does then."""


class Judging(ABC):
    """Figures of a network on validation rows."""

    @property
    @abstractmethod
    def decides(self) -> Metric:
        """What the result is judged by."""

    @property
    def chooses(self) -> Metric:
        """What picks the best weights: the same, where nothing else is said."""
        return self.decides

    @abstractmethod
    def __call__(self, network: Network, step: int) -> dict[str, float]:
        """The figures after a step, by name."""


class Judge(Judging):
    """Figures of a network on some rows; several outputs are joined by their mean skill over a naive answer."""

    def __init__(self, plan: Plan, facts: Mapping[str, Facts], blocks: Mapping[str, StoredBlock], table: Table,
                 collate: Collate, rows: np.ndarray, network: Network):  # fmt: skip
        """Judge networks of a plan on `rows` of the prepared table."""
        self._collate, self._rows = collate, rows
        self._truths = truths(blocks, plan, rows)
        self._deciding = {
            name: output.metrics()[output.chooses or output.decides] for name, output in network.outputs.items()
        }
        self._choosing = {
            name: metrics["log_loss"] if len(rows) < FEW_ROWS and "log_loss" in metrics else self._deciding[name]
            for name, metrics in ((name, output.metrics()) for name, output in network.outputs.items())
        }
        self._naive = {}
        if len(self._deciding) > 1:
            for name, part in plan.outputs.items():
                scores = naive_baseline(part, facts[f"outputs.{name}"]).scores(table, rows)
                self._naive[name] = self._deciding[name].measure(scores, self._truths[name])

    @property
    def decides(self) -> Metric:
        """What the result is judged by: the metric of the only output, or the mean skill of several."""
        return self._one(self._deciding)

    @property
    def chooses(self) -> Metric:
        """What picks the best weights: the same, or log loss when rows are few."""
        return self._one(self._choosing)

    def _one(self, metrics: Mapping[str, Metric]) -> Metric:
        if len(metrics) > 1:
            return Metric("skill", lambda scores, truth: float("nan"), True, "skill")
        ((name, metric),) = metrics.items()
        return metric.of(name)

    def __call__(self, network: Network, step: int = 0) -> dict[str, float]:
        """Every output's deciding and choosing figure by `output.metric`, and the joint `skill` of several."""
        raw = raw_scores(network, self._collate, self._rows)
        figures, skills = {}, []
        for name, output in network.outputs.items():
            scores = output.decode(raw[name], {}).scores
            for metric in (self._deciding[name], self._choosing[name]):
                figures[f"{name}.{metric.key}"] = metric.measure(scores, self._truths[name])
            if (choosing := self._choosing[name]) is not self._deciding[name]:
                # Training ends with calibration: being too sure is no reason against weights that tell classes apart.
                scores = calibrated(output, raw[name], self._truths[name])
                figures[f"{name}.{choosing.key}"] = choosing.measure(scores, self._truths[name])
            if self._naive:
                metric = self._deciding[name]
                skills.append(skill(figures[f"{name}.{metric.key}"], self._naive[name], metric))
        if skills:
            figures["skill"] = float(np.mean(skills))
        return figures


def calibrated(output: OutputLayer, raw: Tensor, truth: np.ndarray) -> np.ndarray:
    """Scores as they would be after calibration on these rows; the output stays as it is."""
    kept = {name: buffer.clone() for name, buffer in output.named_buffers()}
    output.calibrate(raw, torch.from_numpy(truth))
    scores = output.decode(raw, {}).scores
    for name, buffer in output.named_buffers():
        buffer.copy_(kept[name])
    return scores


def skill(figure: float, naive: float, metric: Metric) -> float:
    """How far a figure is from the naive one towards perfection: 0 as naive, 1 perfect."""
    if metric.larger_is_better:
        return (figure - naive) / max(1 - naive, 1e-9)
    return 1 - figure / max(naive, 1e-9)
