"""Small learners for tests of the loop: an objective of one player and one of two, and a stream of rows."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from lamina.data import Batch, RowStream
from lamina.losses import Loss
from lamina.objectives import Objective


def rows(count: int = 60, width: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, width) inputs and (count,) answers that a line explains."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(count, width, generator=generator)
    return inputs, inputs @ torch.arange(1.0, width + 1) + 0.5


def stream(count: int = 60, batch_size: int = 16, seed: int = 0) -> RowStream:
    inputs, answers = rows(count)

    def collate(some: np.ndarray) -> Batch:
        return Batch({"x": inputs[some]}, {"y": answers[some]}, torch.from_numpy(some))

    return RowStream(np.arange(count), batch_size, seed, collate)


class Fitting(Objective):
    """One player that fits a line, with dropout so that randomness matters."""

    def __init__(self, dropout: float = 0.0):
        torch.manual_seed(7)
        self.network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))
        self.players = {"network": self.network}

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        off = self.network(batch.inputs["x"])[:, 0] - batch.targets["y"]
        yield "network", Loss((off**2).sum(), float(len(batch)))


class Chasing(Objective):
    """Two players in turn: the second must see the first as it is after its update."""

    def __init__(self) -> None:
        torch.manual_seed(7)
        self.players = {"leader": nn.Linear(4, 1), "follower": nn.Linear(4, 1)}
        self.seen: list[tuple[float, float]] = []

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        leader, follower = self.players["leader"], self.players["follower"]
        inputs = batch.inputs["x"]
        before = float(leader.weight.detach().sum())
        yield "leader", Loss(((leader(inputs)[:, 0] - batch.targets["y"]) ** 2).sum(), float(len(batch)))
        self.seen.append((before, float(leader.weight.detach().sum())))
        # The follower's loss reaches the leader's weights too; only the follower may change.
        yield "follower", Loss(((follower(inputs) - leader(inputs)) ** 2).sum(), float(len(batch)))
