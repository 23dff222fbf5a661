"""Judging a network that makes rows while it learns: from the same noise each time, as a set beside real ones."""

import numpy as np
import torch

from lamina.metrics import PICTURE_SETS, Metric, frechet
from lamina.network import Collate, Network
from lamina.outputs import RowAnswer
from lamina.run.judging import Judging
from lamina.run.prepared import Prepared
from lamina.run.trained import raw_scores

JUDGED = 5_000
"""Rows that are made at each judgement, at most."""
ROWS = "rows"
"""What figures are said to be of: a whole row is made, not one of its columns."""
_LEAST_SPREAD = 0.05
"""Classes that hardly any row has would count for more than all others if they were brought to the same spread."""


class Ruler:
    """Brings every place and class of rows to the same spread, as real rows have it."""

    def __init__(self, real: np.ndarray):
        """By rows (rows, places and classes) that are real."""
        self._middle, self._spread = real.mean(0), real.std(0).clip(_LEAST_SPREAD)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The same rows on this scale."""
        return (rows - self._middle) / self._spread


def rows_as_shown(prepared: Prepared, layer: RowAnswer, rows: np.ndarray) -> np.ndarray:
    """(rows, places and classes) of the table, as a critic sees them."""
    ((name, _),) = prepared.plan.outputs.items()
    return shown_rows(layer, np.asarray(prepared.blocks[f"outputs.{name}"].values[rows]))


def shown_rows(layer: RowAnswer, values: np.ndarray) -> np.ndarray:
    """Prepared rows as a critic sees them."""
    return layer.shows(torch.from_numpy(np.ascontiguousarray(values)), torch.empty(0)).cpu().numpy()


class RowJudge(Judging):
    """The Fréchet distance of what a network makes from the rows to choose by."""

    def __init__(self, prepared: Prepared, collate: Collate, network: Network):
        """Judge beside the rows of `prepared.judged`."""
        self._collate, self._rows = collate, prepared.judged[:JUDGED]
        (self._output,) = prepared.plan.outputs
        layer = network.outputs[self._output]
        assert isinstance(layer, RowAnswer)
        real = rows_as_shown(prepared, layer, self._rows)
        self._ruler = Ruler(real)
        self._real = self._ruler(real)

    @property
    def decides(self) -> Metric:
        """What the result is judged by."""
        return PICTURE_SETS["frechet"].of(ROWS)

    def __call__(self, network: Network, step: int) -> dict[str, float]:
        """The figure after a step."""
        raw = raw_scores(network, self._collate, self._rows)[self._output]
        made = network.outputs[self._output].decode(raw, {}).scores
        return {self.decides.key: frechet(self._ruler(made), self._real)}
