"""How the learning rate moves over a training: a share of its height as a function of progress.

Progress runs from 0 to 1 over the steps that are planned. Under a time budget the number of steps is corrected as
the machine speeds up or slows down; progress then runs on from where it was, so the rate never jumps.
"""

import math
from collections.abc import Callable, Mapping

Schedule = Callable[[float, float], float]
"""(progress, warmup share) -> share of the highest rate."""


def _warm(progress: float, warmup: float, then: Callable[[float], float]) -> float:
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    return then((progress - warmup) / (1 - warmup))


def constant(progress: float, warmup: float) -> float:
    """The height, once warm."""
    return _warm(progress, warmup, lambda after: 1.0)


def linear(progress: float, warmup: float) -> float:
    """Falls in a straight line to zero."""
    return _warm(progress, warmup, lambda after: 1 - after)


def cosine(progress: float, warmup: float) -> float:
    """Falls along half a cosine to zero (Loshchilov and Hutter 2017)."""
    return _warm(progress, warmup, lambda after: 0.5 + 0.5 * math.cos(math.pi * after))


def one_cycle(progress: float, warmup: float) -> float:
    """Climbs for at least 30 % of the steps, then falls along half a cosine (Smith and Topin 2018)."""
    return cosine(progress, max(warmup, 0.3))


def step(progress: float, warmup: float) -> float:
    """A tenth after half of the steps, a hundredth after three quarters."""
    return _warm(progress, warmup, lambda after: 1.0 if after < 0.5 else 0.1 if after < 0.75 else 0.01)


def restart(progress: float, warmup: float) -> float:
    """A short cosine over the first fifth of the steps, then a long one from the full height (warm restarts, ibid.).

    Noisy tables are learned best in few epochs, clean ones in many; the best weights of either part are kept.
    """
    return cosine(progress / 0.2 if progress < 0.2 else (progress - 0.2) / 0.8, warmup)


ROUNDS = 5
"""Cosines of `restarts`: the first one takes a 31st of the steps."""


def restarts(progress: float, warmup: float) -> float:
    """Cosines from the full height, each twice as long as the one before (warm restarts, ibid.).

    At the end of each round the weights are as good as a training of its length makes them, so that a figure asked for
    is reached in about twice the time that it needs at the least.
    """
    return cosine(max((progress * (2**ROUNDS - 1) + 1) / 2 ** round_of(progress) - 1, 0), warmup)


def round_of(progress: float) -> int:
    """How many rounds of `restarts` are over; progress is a sum of many steps, so one that is nearly over is over."""
    return min(int(math.log2(progress * (2**ROUNDS - 1) + 1 + 1e-6)), ROUNDS - 1)


SCHEDULES: Mapping[str, Schedule] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "step": step,
    "restart": restart,
    "restarts": restarts,
}
