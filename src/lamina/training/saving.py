"""When to save, and what becomes of it when the disk does not take it."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lamina.ground import RunError
from lamina.training.checkpoint import copied, save_checkpoint

SHARE = 0.01
"""The most of a training's time that saving may take."""
_GUESS_SECONDS = 0.02
"""What a save is taken to cost before one was made."""
LARGE_SECONDS = 0.5
"""What a save must have cost to be worth a copy of the state and a thread."""


class Saver:
    """Saves often enough to lose little, and seldom enough to cost little; goes on when the disk is full or failing."""

    def __init__(self, folder: Path | None, every: float, tell: Callable[[str], None], aside: bool = False):
        """Save into `folder`, nowhere when None.

        Args:
            folder: where checkpoints lie.
            every: seconds between saves; 0 saves after every step, whatever it costs.
            tell: told in words when saving fails, once until it works again.
            aside: write large states from a thread while training goes on. For machines whose cores are free, those
                that compute on a GPU: where training needs the cores, a thread takes from it what it seems to save.
        """
        self._folder, self._every, self._tell, self._aside = folder, every, tell, aside
        self._thread: threading.Thread | None = None
        self._started = self._last = time.monotonic()
        self._spent, self._cost = 0.0, _GUESS_SECONDS
        self._tried, self._problem, self._written = 0, "", 0.0  # of the last write: step, what went wrong, seconds
        self.saved_step: int | None = None
        """The step of the last checkpoint that is whole, as far as this process knows."""
        self.failed = ""
        """What the system said when the last save failed; empty while saving works."""

    def due(self, epoch_ended: bool) -> bool:
        """Whether it is time: the interval has passed, or an epoch ended, and the share of time allows it."""
        if self._folder is None or (self._thread is not None and self._thread.is_alive()):
            return False
        self.wait()
        now = time.monotonic()
        if self._every and self._spent + self._cost > SHARE * (now - self._started):
            return False
        return epoch_ended or now - self._last >= self._every

    def save(self, state: Mapping[str, Any], wait: bool = True) -> bool:
        """Write a checkpoint; False when the disk did not take it, and the one before it is still there.

        Args:
            state: nested plain values and tensors.
            wait: whether it must be on the disk when this returns; otherwise a large one may be written meanwhile,
                and what became of it is told later.
        """
        if self._folder is None:
            return False
        self.wait()
        begun = time.monotonic()
        if self._aside and not wait and self._written > LARGE_SECONDS:
            state = copied(state)
            self._thread = threading.Thread(target=self._write, args=(state,), name="checkpoint")
            self._thread.start()
        else:
            self._write(state)
            self._settle()
        self._last = time.monotonic()
        self._cost = self._last - begun
        self._spent += self._cost
        return not self.failed

    def wait(self) -> None:
        """Until what is being written is on the disk; tells what became of it."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._settle()

    def _write(self, state: Mapping[str, Any]) -> None:
        """Write and note what became of it; tells nobody, for it may run in a thread."""
        assert self._folder is not None
        begun = time.monotonic()
        self._tried, self._problem = state["step"], "the writing broke off"
        try:
            save_checkpoint(self._folder, state)
            self._problem = ""
        except (OSError, RunError) as error:
            self._problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._written = time.monotonic() - begun

    def _settle(self) -> None:
        """Tell when saving begins to fail, and when it works again."""
        if self._problem and not self.failed:
            self._tell(self._lament(self._tried, self._problem))
        if self.failed and not self._problem:
            self._tell(f"Saving works again: the checkpoint of step {self._tried:,} is whole.")
        if not self._problem:
            self.saved_step = self._tried
        self.failed = self._problem

    def _lament(self, step: int, said: str) -> str:
        """That saving fails, what is left, and what to do."""
        known = self.saved_step
        last = "none was written by this command yet" if known is None else f"the last good one is of step {known:,}"
        return (
            f"The checkpoint of step {step:,} could not be written to {self._folder}: {said}. Training goes on, and "
            f"saving is tried again; {last}. Make room, or mend the disk."
        )
