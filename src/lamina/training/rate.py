"""A learning rate found by trying: rates climb until the loss rises (Smith 2017, "Cyclical learning rates")."""

import copy
import math
from collections.abc import Callable

import torch

from lamina.data import Batch
from lamina.ground import seed_layers
from lamina.network import split_batch
from lamina.objectives import Objective, Supervised
from lamina.training.update import Update, take_step

_LOWEST, _HIGHEST, _STEPS = 1e-5, 1.0, 80
_SETTLED = 20
"""Steps before the smoothed loss is believed: a lucky first batch says nothing of its rate."""


def find_rate(objective: Objective, update_of: Callable[[torch.nn.Module, float], Update],
              next_batch: Callable[[], Batch], seed: int, parts: int = 1) -> tuple[float, str]:  # fmt: skip
    """The highest learning rate at which training is still sure to go down, measured on a copy of the network.

    The rate climbs evenly on a logarithmic scale; the loss is smoothed; the rate taken is a third of the one at which
    the smoothed loss was lowest before it rose again: past that the network only unlearns.

    Args:
        objective: whose network is copied; the original is left as it is.
        update_of: (network, rate) -> its update.
        next_batch: training batches.
        seed: for augmentation and dropout.
        parts: pieces that a batch is worked through in, to save memory.

    Returns:
        The rate, and the reason in words.
    """
    network = copy.deepcopy(objective.players["network"]).train()
    trial = Supervised(network, seed)
    update = update_of(network, _HIGHEST)
    seed_layers(next(network.parameters()).device, seed)
    smooth, lowest, rate_at_lowest, bound = None, math.inf, _LOWEST, math.inf
    for step in range(_STEPS):
        share = (_LOWEST / _HIGHEST) ** (1 - step / (_STEPS - 1))
        update.set_rate(share)
        loss = float(take_step(trial, split_batch(next_batch(), parts), {"network": update})["network"])
        if not math.isfinite(loss):
            break
        smooth = loss if smooth is None else 0.8 * smooth + 0.2 * loss
        bound = min(bound, smooth)
        if step > 10 and smooth > 1.5 * bound + 0.05 * abs(bound):
            break
        if step >= _SETTLED and smooth < lowest:
            lowest, rate_at_lowest = smooth, share * _HIGHEST
    rate = float(f"{rate_at_lowest / 3:.1e}")
    return rate, f"found by trying {_LOWEST:g} to {_HIGHEST:g}: the loss was lowest at {rate_at_lowest:.1e}"
