"""What one step learns, as turns of (player, loss)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from torch import nn

from lamina.data import Batch
from lamina.losses import Loss


class Objective(ABC):
    """Names the players and, for each batch, whose turn it is and what that player minimises.

    The loop owns everything else: it calls backward for the player's parameters, sums gradients over parts of a batch,
    divides by the summed count, clips and steps. Code after a `yield` runs after that player's update.
    """

    players: Mapping[str, nn.Module]
    """Networks that learn, each with an optimizer of its own."""

    @abstractmethod
    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        """For one batch (or a part of one): the players in turn, each with the loss it minimises."""

    def summary(self) -> dict[str, float]:
        """Figures of the last step that are not a loss: a critic's accuracy, for example."""
        return {}

    def state(self) -> dict[str, object]:
        """Plain values and tensors, beside the players' weights, that resuming needs."""
        return {}

    def restore(self, state: Mapping[str, object]) -> None:  # noqa: B027  # nothing to restore is a fair default
        """Go on where `state` was taken."""
