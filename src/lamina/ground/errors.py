"""The one tree of exceptions, and the line that a person reads.

LaminaError
|- UsageError      a command was put together wrongly                    (exit 2)
|- DataError       the data cannot be used as it is; says file, row, column
|- PlanError       a plan, a setting or a choice does not hold
|- ShapeError      a part was given features that it does not take
|- RunError        a run folder cannot be used: damaged, unfinished, in use
|- MachineError    the machine or the installation lacks something
|- Dismissed       the process that leads this one ended early, and says itself why
`- Interrupted     stopped on request, with the state saved               (exit 130 or 143)
"""

import difflib
from collections.abc import Iterable


class LaminaError(Exception):
    """Anything that the person can mend; the message says what was found, where, and what to do."""


class UsageError(LaminaError):
    """A command was put together wrongly."""


class DataError(LaminaError):
    """The data cannot be used as it is."""


class PlanError(LaminaError):
    """A plan, a setting or a choice does not hold."""


class ShapeError(LaminaError, ValueError):
    """A part was given features that it does not take."""


class RunError(LaminaError):
    """A run folder cannot be used."""


class MachineError(LaminaError):
    """The machine or the installation lacks something."""


class Dismissed(LaminaError):
    """Of several processes the first one ended early: it says itself why, and this one has nothing left to do."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code
        """How the first process exits."""


class Interrupted(LaminaError):
    """Training stopped on request."""

    def __init__(self, message: str, signal_number: int = 2, saved: bool = True):
        super().__init__(message)
        self.signal_number = signal_number
        self.saved = saved
        """Whether all steps taken are on the disk; False when it did not take the last ones."""


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint such as ` Did you mean 'price'?`, or an empty string when nothing is near."""
    word = str(word)  # a key of a plan may be a number, or nothing
    known = [str(name) for name in known]
    folded = {name.casefold(): name for name in known}
    if word.casefold() in folded:
        return f" Did you mean {folded[word.casefold()]!r}?"
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def listing(names: Iterable[object], most: int = 8) -> str:
    """`a, b, c and 4 more`: names for a message, never too many."""
    words = [str(name) for name in names]
    if len(words) <= most:
        return ", ".join(words)
    return ", ".join(words[:most]) + f" and {len(words) - most:,} more"
