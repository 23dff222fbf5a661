"""Work done in children of this process, which may be killed while they are at it."""

import os
import random
import signal
import time
from collections.abc import Callable

import polars  # noqa: F401
import scipy.stats  # noqa: F401 - what children would import by themselves, for seconds: here once for all of them

import lamina.api  # noqa: F401


def start(work: Callable[[], object]) -> int:
    """Begin `work` in a child; its process id. The child ends with 0, or with 1 when `work` raised."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def finish(work: Callable[[], object]) -> bool:
    """Do `work` in a child to its end; whether it raised nothing."""
    return os.waitpid(start(work), 0)[1] == 0


def kill_somewhere(work: Callable[[], object], seconds: float, chance: random.Random) -> bool:
    """Begin `work` in a child and kill it at a random moment within `seconds`; whether it was still at work."""
    child = start(work)
    time.sleep(chance.uniform(0, seconds))
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def kill_in_a_row(work: Callable[[], object], undo: Callable[[], object], seconds: float, chance: random.Random,
                  times: int = 3) -> float:  # fmt: skip
    """Kill `work` so many times in a row, each time at a random moment, and each time begin it again but the last.

    Args:
        work: goes on where it was killed.
        undo: takes back all of it; used where it ended before it could be killed, and the row of kills begins anew.
        seconds: within which the moments lie.
        chance: draws them.
        times: kills in a row.

    Returns:
        The seconds to try next time: fewer after work that was too quick, slightly more otherwise.
    """
    killed = 0
    while killed < times:
        if kill_somewhere(work, seconds, chance):
            killed += 1
        else:
            killed, seconds = 0, 0.7 * seconds
            undo()
    return 1.1 * seconds
