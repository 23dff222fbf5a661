"""A module that takes a tensor and gives one, and any loss of its answers."""

from collections.abc import Iterator

from torch import Tensor, nn

from lamina.data import Batch
from lamina.losses import Loss, LossFunction
from lamina.objectives.contract import Objective
from lamina.objectives.written_out import WrittenOut


class Whole(Objective):
    """One player; a batch holds its input as `x` and the targets as `y`."""

    def __init__(self, network: nn.Module, loss: LossFunction, alone: bool = True):
        """Learn by `loss`; `alone` says that no other process takes part in a step."""
        self.players = {"network": network}
        self._network, self._loss = network, loss
        self._written_out = WrittenOut.of(network, loss) if alone else None

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        inputs, targets = batch.inputs["x"], batch.targets["y"]
        assert isinstance(inputs, Tensor) and isinstance(targets, Tensor)
        written_out = self._written_out
        if written_out is not None and len(batch) == batch.whole and written_out.takes(inputs):
            yield "network", written_out.loss(inputs, targets)
        else:
            yield "network", Loss(self._loss(self._network(inputs), targets), float(len(batch)), averaged=True)
