import pytest
import torch
from torch import nn

from lamina.ground.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_as_many_are_left_out_as_asked_for_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(0)
    values = torch.ones(401, 250, requires_grad=True)  # not a multiple of four
    found = Dropout(share)(values)
    found.sum().backward()
    assert (found == 0).float().mean() == pytest.approx(share, abs=0.01)
    assert found.mean().item() == pytest.approx(1, abs=0.02)
    assert found.detach().unique().tolist() == pytest.approx([0, 1 / (1 - share)], rel=1e-4)
    torch.testing.assert_close(values.grad, found.detach())
    neighbours = (found[:, 1:] == 0) & (found[:, :-1] == 0)
    assert neighbours.float().mean() == pytest.approx(share**2, abs=0.01)  # each by itself, also within a drawn number


def test_a_seed_leaves_out_the_same() -> None:
    values, found = torch.ones(64, 64), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(Dropout(0.3)(values))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_nothing_is_left_out_where_nothing_is_learned_or_asked_for() -> None:
    values = torch.randn(5, 7)
    assert torch.equal(Dropout(0.5).eval()(values), values) and torch.equal(Dropout(0.0)(values), values)
    assert isinstance(Dropout(0.5), nn.Dropout)
