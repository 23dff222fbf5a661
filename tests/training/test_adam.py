import copy

import pytest
import torch
from torch import Tensor, nn

from lamina.training import Adam


def learn(optimizer: torch.optim.Optimizer, module: nn.Sequential, steps: range, frozen: range = range(0)) -> None:
    """Steps on rows drawn by the step's number; in those of `frozen` the last layer has no gradient."""
    for step in steps:
        x = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
        answers: Tensor = module[0](x) if step in frozen else module(x)
        optimizer.zero_grad()
        (answers**2).sum().backward()
        optimizer.step()


def made(kind: type[torch.optim.Adam], module: nn.Module, decoupled: bool) -> torch.optim.Adam:
    weights = [parameter for parameter in module.parameters() if parameter.dim() > 1]
    biases = [parameter for parameter in module.parameters() if parameter.dim() == 1]
    groups = [{"params": weights, "weight_decay": 0.1}, {"params": biases, "lr": 0.02}]
    return kind(groups, lr=0.01, betas=(0.8, 0.95), fused=True, decoupled_weight_decay=decoupled)


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("frozen", [range(0), range(3), range(2, 5), range(30)])
def test_it_is_that_of_pytorch_bit_for_bit(decoupled: bool, frozen: range) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 2))
    modules = [module, copy.deepcopy(module)]
    for each, kind in zip(modules, (Adam, torch.optim.Adam), strict=True):
        optimizer = made(kind, each, decoupled)
        learn(optimizer, each, range(10), frozen)
        optimizer.param_groups[0]["lr"] = 0.003
        learn(optimizer, each, range(10, 15), frozen)
    for one, other in zip(modules[0].parameters(), modules[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_it_goes_on_from_a_saved_state_as_if_nothing_had_been() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 2))
    optimizer = made(Adam, module, True)
    learn(optimizer, module, range(5))
    weights, state = copy.deepcopy(module.state_dict()), copy.deepcopy(optimizer.state_dict())
    learn(optimizer, module, range(5, 10))
    ended = copy.deepcopy(module.state_dict())
    module.load_state_dict(weights)
    optimizer.load_state_dict(state)  # into one that has been at work
    learn(optimizer, module, range(5, 10))
    assert all(torch.equal(value, ended[name]) for name, value in module.state_dict().items())
