"""A trained network and how it came to be."""

from dataclasses import dataclass, field
from typing import Any

from lamina.metrics import Metric
from lamina.network import Layer
from lamina.run.trained import Trained


@dataclass
class Fitted:
    """A trained network and how it came to be."""

    trained: Trained
    layers: list[Layer]
    notes: list[str]
    """What became of weights that were loaded."""
    ended: str
    """Why training ended, in words."""
    steps: int
    epochs: float
    seconds: float
    best_step: int
    figures: tuple[float, ...]
    """Of each network, the figure on validation rows that chose the best weights."""
    chose: Metric
    """Which figure that is."""
    decisions: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, object]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What went wrong on the way and what was done about it, in words."""

    @property
    def figure(self) -> float:
        """The mean of the networks' figures."""
        return sum(self.figures) / len(self.figures)
