import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from players import Chasing, Fitting, rows, stream

from lamina.data import Batch
from lamina.losses import Loss
from lamina.network import TrainingPlan, slice_batch, split_batch
from lamina.training import make_update, take_step


def whole() -> Batch:
    inputs, answers = rows(50)
    return Batch({"x": inputs}, {"y": answers}, torch.arange(50))


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
def test_any_division_of_a_batch_gives_the_gradient_of_the_whole(parts: int) -> None:
    gradients = []
    for pieces in (1, parts):
        objective = Fitting()
        update = make_update(objective.network, TrainingPlan(optimizer="sgd", clip=0), 0.01)
        kept: list[torch.Tensor] = []
        update.apply = lambda: kept.extend(p.grad.clone() for p in objective.network.parameters())  # noqa: B023
        take_step(objective, split_batch(whole(), pieces), {"network": update})
        gradients.append(kept)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("draw", range(8))
def test_parts_of_any_sizes_make_the_step_of_the_whole_batch(draw: int) -> None:
    """Whatever the sizes, and whatever each row counts: weights after the step agree, not gradients alone."""
    chance = np.random.default_rng(draw)
    cuts = np.sort(chance.choice(np.arange(1, 50), chance.integers(1, 12), replace=False))
    bounds = [0, *cuts.tolist(), 50]
    counts = torch.from_numpy(chance.uniform(0, 3, 50).astype(np.float32))
    ends = []
    for parts in ([whole()], [slice_batch(whole(), *pair) for pair in itertools.pairwise(bounds)]):
        objective = Weighing(counts)
        update = make_update(objective.network, TrainingPlan(optimizer="momentum", clip=1.0), 0.05)
        (mean,) = take_step(objective, parts, {"network": update}).values()
        ends.append([mean, *objective.network.state_dict().values()])
    for one, other in zip(*ends, strict=True):
        torch.testing.assert_close(one, other)


class Weighing(Fitting):
    """Every row counts as much as it is told."""

    def __init__(self, counts: torch.Tensor):
        super().__init__()
        self.counts = counts

    def turns(self, batch: Batch) -> Iterator[tuple[str, Loss]]:
        off = self.network(batch.inputs["x"])[:, 0] - batch.targets["y"]
        counts = self.counts[batch.rows]
        yield "network", Loss((counts * off**2).sum(), float(counts.sum()))


def test_a_turn_follows_the_update_of_the_one_before_and_leaves_other_players_alone() -> None:
    objective = Chasing()
    updates = {
        name: make_update(player, TrainingPlan(optimizer="sgd"), 0.01) for name, player in objective.players.items()
    }
    take_step(objective, [stream().next()], updates)
    ((before, after),) = objective.seen
    assert after != before
    assert float(objective.players["leader"].weight.detach().sum()) == after
    assert all(parameter.grad is None for player in objective.players.values() for parameter in player.parameters())


def test_weights_decay_but_biases_do_not() -> None:
    update = make_update(torch.nn.Linear(3, 2), TrainingPlan(weight_decay=0.1), 0.01)
    (optimizer,) = update.optimizers
    assert {tuple(group["params"][0].shape): group["weight_decay"] for group in optimizer.param_groups} == {
        (2, 3): 0.1,
        (2,): 0.0,
    }


def test_clipping_bounds_the_step() -> None:
    objective = Fitting()
    before = [p.detach().clone() for p in objective.network.parameters()]
    update = make_update(objective.network, TrainingPlan(optimizer="sgd", clip=0.5, weight_decay=0), 1.0)
    take_step(objective, [whole()], {"network": update})
    moved = torch.cat(
        [(p.detach() - old).flatten() for p, old in zip(objective.network.parameters(), before, strict=True)]
    )
    assert float(moved.norm()) == pytest.approx(0.5, rel=1e-3)
