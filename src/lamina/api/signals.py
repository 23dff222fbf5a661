"""Ctrl-C and a polite kill: a loop that can save is asked to, anything else stops at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lamina.ground import Interrupted


class Signals:
    """SIGINT and SIGTERM while a training is at work.

    Inside `saving` a signal is only noted: the loop sees it in `number`, saves and stops; a second one does not wait
    for that. Elsewhere nothing is worth waiting for, and the work stops where it is.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that came, None before."""
        self._saves = False
        self._lost = False
        """Whether a second signal did not wait for the steps since the last checkpoint to be saved."""

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch signals while the block runs, and end it with Interrupted.

        Raises:
            Interrupted: when a signal stopped the block.
        """
        old = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                old[number] = signal.signal(number, self._take)
            except ValueError:  # not the main thread: signals are not ours to catch
                break
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted("Stopped.", self.number or signal.SIGINT, saved=not self._lost) from None
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """The block looks at `number` itself and stops when it is ready."""
        self._saves = True
        try:
            yield
        finally:
            self._saves = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        waited = self.number is not None
        self.number = number
        self._lost = waited and self._saves
        if waited or not self._saves:
            raise KeyboardInterrupt
