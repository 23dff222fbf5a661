"""One text that a network writes on, a token at a time.

What a processor spends its time with is then calls, so they are NumPy's, and as few as may be.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import threadpoolctl

from lamina.hidden import Step
from lamina.inputs import BeforeLayer
from lamina.outputs import NextLayer

Pen = Callable[[int], np.ndarray]
"""A token that was written, to (vocabulary,) log-probabilities of what follows."""


@contextmanager
def on_one_thread() -> Iterator[None]:
    """NumPy multiplies on one thread of this process: two wait longer for each other than a row takes."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> threadpoolctl.ThreadpoolController:
    """Finding the libraries takes milliseconds: once for all texts."""
    return threadpoolctl.ThreadpoolController()


def network_pen(layer: BeforeLayer, step: Step, output: NextLayer,
                recall: Callable[[np.ndarray, np.ndarray], np.ndarray] | None) -> Pen:  # fmt: skip
    """The parts of one network, on a processor, as a pen.

    Args:
        layer: of its input.
        step: its hidden layers.
        output: whose head is asked.
        recall: log-probabilities blended with what is remembered, from them and what the hidden layers gave.
    """
    vectors, weight, bias = (
        each.detach().numpy() for each in (layer.vectors.weight, output.head.weight, output.head.bias)
    )

    def pen(token: int) -> np.ndarray:
        values = step(vectors[token])
        scores = np.dot(weight, values)
        scores += bias
        scores -= np.maximum.reduce(scores)
        scores -= math.log(np.add.reduce(np.exp(scores)))
        return scores if recall is None else recall(scores, values)

    return pen


def joint_pen(pens: list[Pen]) -> Pen:
    """Networks that answer together: the mean of their probabilities counts."""
    if len(pens) == 1:
        return pens[0]
    shares = math.log(len(pens))
    return lambda token: np.logaddexp.reduce([pen(token) for pen in pens]) - shares
