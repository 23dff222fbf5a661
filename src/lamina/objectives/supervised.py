"""Learning from answers that are given."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.ground import torch_generator
from lamina.losses import Loss
from lamina.objectives.contract import Objective


class Learner(Protocol):
    """What the supervised objective needs of a network; `Network` keeps it, and so can any module."""

    def __call__(self, inputs: Any, targets: Any = None) -> Any: ...

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch: ...

    def loss(self, raw: Mapping[str, Tensor], batch: Batch) -> Loss: ...


class Supervised(Objective):
    """One player, one turn: raw scores against targets."""

    def __init__(self, network: nn.Module, seed: int):
        """Teach `network` (a module that is a `Learner`); augmentation is drawn from `seed` and the batch's number."""
        self.players = {"network": network}
        self._network = cast(Learner, network)
        self._seed = seed

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        # Keyed by the batch's number: resuming draws what an uninterrupted training would have drawn.
        generator = torch_generator(self._seed, "augment", batch.place.batch, device=batch.rows.device)
        batch = self._network.augment(batch, generator)
        raw = self._network(batch.inputs, batch.targets)
        yield "network", self._network.loss(raw, batch)
