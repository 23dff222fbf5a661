"""What chance adds to a turn of a step: the same however the batch is divided, and whenever it is taken."""

import torch
from torch import Tensor

from lamina.data import Batch
from lamina.ground import torch_generator
from lamina.objectives._alter import alter


class Draws:
    """One turn of one step."""

    def __init__(self, seed: int, turn: int, batch: Batch):
        """Keyed by the seed, the turn and the batch's number."""
        self._key, self._batch = (seed, "adversarial", turn, batch.place.batch), batch

    def generator(self, what: str) -> torch.Generator:
        """A generator for one purpose."""
        return torch_generator(*self._key, what, device=self._batch.rows.device)

    def altered(self, pictures: Tensor, share: float, what: str) -> Tensor:
        """Pictures of which a share is varied."""
        return alter(pictures, share, self.generator(what), self._batch.place) if share else pictures

    def shares(self) -> Tensor:
        """(batch,) how far between two rows to look, 0 to 1."""
        place = self._batch.place
        drawn = torch.rand(self._batch.whole, generator=self.generator("shares"), device=self._batch.rows.device)
        return drawn[place.start : place.start + len(self._batch)]
