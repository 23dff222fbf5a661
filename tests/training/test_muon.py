import pytest
import torch
from torch import nn

from lamina.training import orthogonal
from lamina.training.muon import Muon, muon_groups


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (16, 16)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(*shape) * 30))
    assert float(values.min()) > 0.6 and float(values.max()) < 1.3


@pytest.mark.parametrize("cell, gates", [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_every_gate_of_a_recurrent_layer_takes_an_orthogonal_step_of_its_own(
    cell: type[nn.RNNBase], gates: int
) -> None:
    torch.manual_seed(0)
    module = nn.ModuleDict({"hidden": cell(16, 16)})
    (group,) = muon_groups(module, 0.1)
    before = module["hidden"].weight_hh_l0.detach().clone()
    for parameter in group["params"]:  # gates whose gradients differ a thousandfold in size
        parameter.grad = torch.cat([10.0 ** (3 * gate) * torch.randn(16, 16) for gate in range(gates)])
    Muon([group], momentum=0.95, weight_decay=0.0).step()
    for change in (module["hidden"].weight_hh_l0.detach() - before).chunk(gates):
        sizes = torch.linalg.svdvals(change / 0.1)
        assert sizes.max() > 0.6 and sizes.max() < 1.4
