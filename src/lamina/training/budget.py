"""How long a training goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Budget:
    """How long to train: a number of steps, which a time may correct."""

    steps: int
    seconds: float | None = None
    """Seconds for the whole loop, judgements included; None when the steps alone decide."""
    most: int | None = None
    """Steps that are enough, however much time is left; None lets the time alone decide."""
    judge_every: int = 1
    steps_per_epoch: int = 1
    recorded: list[Mapping[str, Any]] = field(default_factory=list)
    """Corrections of an earlier part of the same training that are still to be made again, the earliest first."""
    settled: int = -1
    """The step of the last of them: up to there nothing is decided anew."""

    def expect(self, decisions: Iterable[Mapping[str, Any]]) -> None:
        """Note the corrections among the decisions of an earlier part of the same training."""
        self.recorded = [each for each in decisions if "steps" in each]
        self.settled = self.recorded[-1]["step"] if self.recorded else -1

    def go_on_from(self, step: int) -> None:
        """Leave out recorded corrections up to this step: its state holds them."""
        self.recorded = [each for each in self.recorded if each["step"] > step]

    def replay(self, step: int) -> None:
        """Make the recorded correction of this step again, whatever the clock says now."""
        while self.recorded and self.recorded[0]["step"] == step:
            self.steps = self.recorded.pop(0)["steps"]

    def forget(self) -> None:
        """Expect nothing any more: the steps that the recorded corrections belong to are taken otherwise."""
        self.recorded, self.settled = [], -1

    def corrected(self, step: int, spent: float, per_step: float) -> int | None:
        """As many steps as the time left allows, when that differs by more than a twentieth; else None.

        Args:
            step: steps made.
            spent: seconds spent on them.
            per_step: seconds that a step takes.
        """
        if self.seconds is None or step >= self.steps or step <= self.settled:
            return None
        steps = step + max(int((self.seconds - spent) / per_step), 1)
        steps = min(steps, self.most or steps)
        return steps if abs(steps - self.steps) > 0.05 * (self.steps - step) else None
