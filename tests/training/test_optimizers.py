import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from players import Fitting, stream
from torch import nn

from lamina.network import TrainingPlan
from lamina.training import Adam, Descent, EvenAdam, Optimizer, RMSprop, make_update, take_step


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


REFERENCES: dict[str, tuple[Any, Any]] = {
    "sgd": (lambda groups: Descent(groups, lr=0.01, momentum=0.0, nesterov=False),
            lambda groups: torch.optim.SGD(groups, lr=0.01, fused=True)),
    "momentum": (lambda groups: Descent(groups, lr=0.01, momentum=0.8, nesterov=False),
                 lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.8, fused=True)),
    "nesterov": (lambda groups: Descent(groups, lr=0.01, momentum=0.8, nesterov=True),
                 lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.8, nesterov=True, fused=True)),
    "rmsprop": (lambda groups: RMSprop(groups, lr=0.01, momentum=0.8),
                lambda groups: torch.optim.RMSprop(groups, lr=0.01, momentum=0.8, foreach=True)),
    "rmsprop without momentum": (lambda groups: RMSprop(groups, lr=0.01, momentum=0.0),
                                 lambda groups: torch.optim.RMSprop(groups, lr=0.01, foreach=True)),
    "adam": (lambda groups: Adam(groups, lr=0.01, betas=(0.8, 0.95), decoupled=False),
             lambda groups: torch.optim.Adam(groups, lr=0.01, betas=(0.8, 0.95), fused=True)),
    "adamw": (lambda groups: Adam(groups, lr=0.01, betas=(0.8, 0.95), decoupled=True),
              lambda groups: torch.optim.AdamW(groups, lr=0.01, betas=(0.8, 0.95), fused=True)),
}  # fmt: skip


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 2))


def groups(module: nn.Module) -> list[dict[str, Any]]:
    """Weights that decay, and biases with a rate of their own."""
    weights = [parameter for parameter in module.parameters() if parameter.dim() > 1]
    biases = [parameter for parameter in module.parameters() if parameter.dim() == 1]
    return [{"params": weights, "weight_decay": 0.1}, {"params": biases, "lr": 0.02, "weight_decay": 0.0}]


def learn(optimizer: Any, module: nn.Sequential, steps: range, without: range = range(0)) -> None:
    """Steps on rows drawn by the step's number; in those of `without` the last layer has no gradient."""
    for step in steps:
        x = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
        answers = module[0](x) if step in without else module(x)
        for parameter in module.parameters():
            parameter.grad = None
        (answers**2).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("without", [range(0), range(3), range(4, 7), range(30)])
def test_weights_are_those_of_pytorch_bit_for_bit(name: str, without: range) -> None:
    if name in ("momentum", "nesterov") and without == range(3):
        pytest.skip("torch.optim.SGD(fused=True) refuses a first gradient that comes after those of others")
    modules = [layers(), layers()]
    for module, made in zip(modules, REFERENCES[name], strict=True):
        optimizer = made(groups(module))
        learn(optimizer, module, range(10), without)
        optimizer.param_groups[0]["lr"] = 0.003
        learn(optimizer, module, range(10, 15), without)
    for one, other in zip(modules[0].parameters(), modules[1].parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_saved_state_is_gone_on_from_and_stays_what_it_was(name: str) -> None:
    module = layers()
    optimizer: Optimizer = REFERENCES[name][0](groups(module))
    learn(optimizer, module, range(5))
    weights, state = copy.deepcopy(module.state_dict()), copy.deepcopy(optimizer.state_dict())
    for _ in range(2):  # into one that has been at work, twice from the same state
        learn(optimizer, module, range(5, 10))
        ended = copy.deepcopy(module.state_dict())
        optimizer.param_groups[0]["lr"] = 1.0
        module.load_state_dict(weights)
        optimizer.load_state_dict(state)
        learn(optimizer, module, range(5, 10))
        assert all(torch.equal(value, ended[key]) for key, value in module.state_dict().items())
        module.load_state_dict(weights)
        optimizer.load_state_dict(state)


def test_training_does_without_the_compiler_of_pytorch() -> None:
    """Importing it takes as long as importing PyTorch itself, and 70 MiB."""
    code = (
        "import sys, torch, lamina\n"
        "rows = torch.randn(40, 3), torch.randint(0, 2, (40,))\n"
        "lamina.fit(torch.nn.Linear(3, 2), rows, epochs=1, quiet=True)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_met_once_moves_less_than_what_is_met_often_where_all_learn_at_one_rate() -> None:
    table = torch.nn.Parameter(torch.zeros(3, 4))
    optimizer = EvenAdam([{"params": [table]}], lr=0.01, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(20):
        table.grad = torch.zeros(3, 4)
        table.grad[0] = 1.0
        if step == 10:
            table.grad[1] = 1.0
        optimizer.step()
    moved = table.detach().abs().mean(1)
    assert moved[2] == 0 and 10 < moved[0] / moved[1] < 40
    twin = torch.nn.Parameter(torch.zeros(3, 4))
    again = EvenAdam([{"params": [twin]}], lr=0.01, betas=(0.9, 0.99), weight_decay=0.0)
    with torch.no_grad():
        twin.copy_(table)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for each, one in ((optimizer, table), (again, twin)):
        one.grad = torch.ones(3, 4)
        each.step()
    torch.testing.assert_close(twin, table, rtol=0, atol=0)


def test_a_part_says_which_of_its_parameters_learn_at_one_rate() -> None:
    class Part(nn.Module):
        one_rate = frozenset({"table"})

        def __init__(self) -> None:
            super().__init__()
            self.table, self.other = nn.Parameter(torch.ones(4, 2)), nn.Parameter(torch.ones(2, 2))

    part = Part()
    for name, apart in (("adamw", True), ("adam", True), ("muon", True), ("sgd", False), ("rmsprop", False)):
        update = make_update(part, TrainingPlan(optimizer=name), 0.01)
        even = [optimizer for optimizer in update.optimizers if isinstance(optimizer, EvenAdam)]
        chosen = [p for optimizer in even for group in optimizer.param_groups for p in group["params"]]
        assert [p is part.table for p in chosen] == [True] * apart
        everywhere = [p for each in update.optimizers for group in each.param_groups for p in group["params"]]
        assert len(everywhere) == 2
