import pytest
import torch
from players import Chasing, Fitting, rows, stream

from lamina.data import Batch
from lamina.network import TrainingPlan, split_batch
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
