"""A running average of the weights, which often judges better than the weights themselves."""

import copy

import torch
from torch import nn

from lamina.training.optimizers import local


class Average:
    """An exponential average of all parameters and floating-point buffers (Polyak and Juditsky 1992).

    The memory is shorter while few steps have been made, so that the random start is soon forgotten. With a memory of
    0 the average is the network as it is.
    """

    def __init__(self, module: nn.Module, memory: float):
        """Follow `module`; `memory` (from 0 to below 1) is the share that the past keeps at each update."""
        self._memory = memory
        self.updates = 0
        self.module = copy.deepcopy(module).requires_grad_(False).eval() if memory else module
        """The averaged network, ready to be judged."""
        self.follow(module)

    def follow(self, module: nn.Module) -> None:
        """Follow the weights as they lie in `module` now: needed again where both networks were divided meanwhile."""
        # Weights change in place, so the lists stay true; building them each step would cost more than the average.
        ours, theirs = self.module.state_dict(), module.state_dict()
        floating = [name for name, value in ours.items() if value.is_floating_point()]
        self._ours = [local(ours[name]) for name in floating]
        self._theirs = [local(theirs[name]) for name in floating]
        self._counts = [(ours[name], theirs[name]) for name in ours if name not in floating]

    def update(self) -> None:
        """Take in the weights as they are now."""
        self.updates += 1
        if self._memory:
            self._take_in(min(self._memory, self.updates / (self.updates + 9)))

    @torch.no_grad()
    def _take_in(self, memory: float) -> None:
        torch._foreach_lerp_(self._ours, self._theirs, 1 - memory)
        for ours, theirs in self._counts:
            ours.copy_(theirs)
