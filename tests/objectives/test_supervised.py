from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from lamina.data import Batch, Place
from lamina.losses import Loss
from lamina.objectives import Supervised


class Noisy(nn.Module):
    """Adds chance to its inputs and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.noise: list[Tensor] = []
        self.targets: object = None

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        values = batch.inputs["x"]
        assert isinstance(values, Tensor)
        self.noise.append(torch.rand(values.shape, generator=generator))
        return batch.with_inputs({"x": values + self.noise[-1]})

    def forward(self, inputs: Mapping[str, Tensor], targets: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        self.targets = targets
        return {"y": self.layer(inputs["x"])[:, 0]}

    def loss(self, raw: Mapping[str, Tensor], batch: Batch) -> Loss:
        off = raw["y"] - batch.targets["y"]  # type: ignore[operator]
        return Loss((off**2).sum(), float(len(batch)))


BATCH = Batch({"x": torch.ones(3, 2)}, {"y": torch.arange(3.0)}, torch.arange(3))


def test_a_batch_is_one_turn_of_one_player_with_the_networks_own_loss() -> None:
    network = Noisy()
    objective = Supervised(network, seed=0)
    assert objective.players == {"network": network}
    ((player, loss),) = objective.turns(BATCH)
    assert player == "network" and float(loss.count) == 3
    expected = network.loss(network({"x": BATCH.inputs["x"] + network.noise[0]}), BATCH)
    torch.testing.assert_close(loss.total, expected.total)


def test_outputs_are_shown_the_targets_in_training() -> None:
    network = Noisy()
    list(Supervised(network, 0).turns(BATCH))
    assert network.targets is BATCH.targets


def noise(seed: int, batches: int, first: int = 0) -> list[Tensor]:
    network = Noisy()
    objective = Supervised(network, seed)
    for number in range(first, batches):
        list(objective.turns(BATCH.placed(Place(number))))
    return network.noise


@pytest.mark.parametrize("after", [0, 1, 3])
def test_another_objective_varies_the_next_batch_as_the_uninterrupted_one_would(after: int) -> None:
    straight, resumed = noise(5, 5)[after:], noise(5, 5, first=after)
    assert all(torch.equal(one, other) for one, other in zip(straight, resumed, strict=True))


def test_every_batch_and_every_seed_is_varied_in_its_own_way() -> None:
    drawn = [*noise(0, 3), *noise(1, 3)]
    assert len({tuple(each.flatten().tolist()) for each in drawn}) == 6
