"""When to save, and what becomes of it when the disk does not take it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lamina.ground import RunError
from lamina.training.checkpoint import save_checkpoint

SHARE = 0.01
"""The most of a training's time that saving may take."""
_GUESS_SECONDS = 0.02
"""What a save is taken to cost before one was made."""


class Saver:
    """Saves often enough to lose little, and seldom enough to cost little; goes on when the disk is full or failing."""

    def __init__(self, folder: Path | None, every: float, tell: Callable[[str], None]):
        """Save into `folder`, nowhere when None.

        Args:
            folder: where checkpoints lie.
            every: seconds between saves; 0 saves after every step, whatever it costs.
            tell: told in words when saving fails, once until it works again.
        """
        self._folder, self._every, self._tell = folder, every, tell
        self._started = self._last = time.monotonic()
        self._spent, self._cost = 0.0, _GUESS_SECONDS
        self.saved_step: int | None = None
        """The step of the last checkpoint that is whole, as far as this process knows."""
        self.failed = ""
        """What the system said when the last save failed; empty while saving works."""

    def due(self, epoch_ended: bool) -> bool:
        """Whether it is time: the interval has passed, or an epoch ended, and the share of time allows it."""
        if self._folder is None:
            return False
        now = time.monotonic()
        if self._every and self._spent + self._cost > SHARE * (now - self._started):
            return False
        return epoch_ended or now - self._last >= self._every

    def save(self, state: Mapping[str, Any]) -> bool:
        """Write a checkpoint; False when the disk did not take it, and the one before it is still there."""
        if self._folder is None:
            return False
        begun = time.monotonic()
        try:
            save_checkpoint(self._folder, state)
        except (OSError, RunError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            if not self.failed:
                self._tell(self._lament(state["step"], said))
            self.failed = said
        else:
            if self.failed:
                self._tell(f"Saving works again: the checkpoint of step {state['step']:,} is whole.")
            self.failed, self.saved_step = "", state["step"]
        self._last = time.monotonic()
        self._cost = self._last - begun
        self._spent += self._cost
        return not self.failed

    def _lament(self, step: int, said: str) -> str:
        """That saving fails, what is left, and what to do."""
        known = self.saved_step
        last = "none was written by this command yet" if known is None else f"the last good one is of step {known:,}"
        return (
            f"The checkpoint of step {step:,} could not be written to {self._folder}: {said}. Training goes on, and "
            f"saving is tried again; {last}. Make room, or mend the disk."
        )
