"""When to stop, and which weights were the best."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from lamina.metrics import Metric


@dataclass
class Best:
    """The best judgement so far and the weights that earned it."""

    metric: Metric
    patience: int | None = None
    """Judgements without a better one after which training stops."""
    figure: float = float("nan")
    step: int = -1
    since: int = 0
    """Judgements since the best one."""
    weights: dict[str, Tensor] = field(default_factory=dict)

    def judge(self, figure: float, step: int, weights: dict[str, Tensor]) -> bool:
        """Take in a judgement; keeps a copy of `weights` and returns True when it is the best so far."""
        if not math.isfinite(figure):
            figure = math.nan  # never better than a number, infinity neither
        if self.step >= 0 and not self.metric.better(figure, self.figure):
            self.since += 1
            return False
        self.figure, self.step, self.since = figure, step, 0
        self.weights = {name: value.detach().clone() for name, value in weights.items()}
        return True

    def reason_to_stop(self) -> str | None:
        """Why training should stop now, in words, or None."""
        if self.patience is not None and self.since >= self.patience:
            return f"no better {self.metric.key} in {self.since} judgements"
        return None
