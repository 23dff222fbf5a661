"""How long a training goes on."""

from dataclasses import dataclass


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

    def corrected(self, step: int, spent: float, per_step: float) -> int | None:
        """As many steps as the time left allows, when that differs by more than a twentieth; else None.

        Args:
            step: steps made.
            spent: seconds spent on them.
            per_step: seconds that a step takes.
        """
        if self.seconds is None or step >= self.steps:
            return None
        steps = step + max(int((self.seconds - spent) / per_step), 1)
        steps = min(steps, self.most or steps)
        return steps if abs(steps - self.steps) > 0.05 * (self.steps - step) else None
