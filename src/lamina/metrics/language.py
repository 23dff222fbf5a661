"""Figures for how well a text was foreseen: (rows, 3) nats, tokens and characters; the truth is in them already.

Nats are -log of the probability that the text was given, token after token. Per character they compare ways that cut a
text into different tokens; perplexity is that of a token.
"""

import math
from collections.abc import Callable

import numpy as np

from lamina.metrics.metric import Metric, Weighted

NATS, TOKENS, CHARACTERS = 0, 1, 2
"""What stands in each column of the scores."""


def language_metrics() -> dict[str, Metric]:
    """Every figure for text that is foreseen, by key."""
    found = [
        _metric("nats_per_character", "nats per character", CHARACTERS, lambda nats: nats),
        _metric("bits_per_character", "bits per character", CHARACTERS, lambda nats: nats / math.log(2)),
        _metric("perplexity", "perplexity", TOKENS, lambda nats: math.exp(min(nats, 700.0))),
    ]
    return {metric.key: metric for metric in found}


def _metric(key: str, label: str, unit: int, figure: Callable[[float], float]) -> Metric:
    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        nats, units = scores[:, NATS].astype(np.float64), scores[:, unit].astype(np.float64)

        def measure(times: np.ndarray) -> float:
            counted = units @ times
            return figure(float(nats @ times / counted)) if counted else float("nan")

        return measure

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        return weighted(scores, truth)(np.ones(len(scores)))

    return Metric(key, measure, False, label, weighted)
