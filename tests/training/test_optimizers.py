import pytest
import torch
from players import Fitting, stream

from lamina.network import TrainingPlan
from lamina.training import make_update, orthogonal, take_step


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "muon"])
def test_every_optimizer_lowers_the_loss(name: str) -> None:
    objective, batches = Fitting(), stream()
    update = make_update(objective.network, TrainingPlan(optimizer=name), 0.05 if name == "sgd" else 0.01)
    losses = [float(take_step(objective, [batches.next()], {"network": update})["network"]) for _ in range(200)]
    assert sum(losses[-20:]) < 0.5 * sum(losses[:20])


def test_gradient_descent_is_what_the_book_says() -> None:
    objective = Fitting()
    (batch,) = [stream().next()]
    before = [p.detach().clone() for p in objective.network.parameters()]
    loss = next(objective.turns(batch))[1].mean()
    gradients = torch.autograd.grad(loss, list(objective.network.parameters()))
    update = make_update(objective.network, TrainingPlan(optimizer="sgd", clip=0, weight_decay=0), 0.1)
    take_step(objective, [batch], {"network": update})
    for parameter, old, gradient in zip(objective.network.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(parameter.detach(), old - 0.1 * gradient)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (16, 16)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(*shape) * 30))
    assert float(values.min()) > 0.6 and float(values.max()) < 1.3
