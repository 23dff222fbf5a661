import pytest
import torch
from torch import nn
from torch.nn.utils import rnn

from lamina.ground import PlanError, Shape, tokens
from lamina.hidden import HIDDEN
from lamina.hidden.recurrent import RECURRENT


@pytest.mark.parametrize("name", RECURRENT)
def test_reading_one_way_knows_nothing_of_what_comes_and_both_ways_do(name: str) -> None:
    values = torch.randn(1, 6, 4)
    changed = values.clone()
    changed[0, 5] += 1
    for both, knows in ((False, False), (True, True)):
        torch.manual_seed(0)
        layer = HIDDEN[name](width=8, both_ways=both).build(Shape("tokens", 4)).eval()  # type: ignore[call-arg]
        with torch.no_grad():
            moved = (layer(tokens(values)).values - layer(tokens(changed)).values)[0]
        assert (moved[0].abs().max() > 0) == knows
        assert moved[5].abs().max() > 0
        assert layer.shape.width == (16 if both else 8)


@pytest.mark.parametrize("settings", [{"width": 0}, {"num_layers": 0}, {"dropout": 1.0}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanError, match="lstm"):
        HIDDEN["lstm"](**settings)


@pytest.mark.parametrize("name, cell", [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_rows_of_unlike_lengths_are_read_as_torch_reads_packed_ones(
    name: str, cell: type[nn.RNNBase], num_layers: int
) -> None:
    torch.manual_seed(0)
    layer = HIDDEN[name](width=5, num_layers=num_layers).build(Shape("tokens", 4)).eval()  # type: ignore[call-arg]
    packing = cell(4, 5, num_layers, batch_first=True, bidirectional=True)  # type: ignore[call-arg, arg-type]
    theirs = dict(packing.named_parameters())
    with torch.no_grad():
        for path, weights in layer.named_parameters():
            _, place, direction, kind = path.split(".")  # readers.0.1.weight_ih_l0
            theirs[f"{kind[:-1]}{place}{'_reverse' * int(direction)}"].copy_(weights)
    values, lengths = torch.randn(3, 6, 4), torch.tensor([6, 1, 4])
    packed = rnn.pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = rnn.pad_packed_sequence(packing(packed)[0], batch_first=True)
    there = torch.arange(6) < lengths[:, None]
    torch.testing.assert_close(layer(tokens(values, lengths)).values[there], expected[there])


def test_gradients_find_their_way_back_through_rows_turned_round() -> None:
    torch.manual_seed(0)
    layer = HIDDEN["lstm"](width=3, dropout=0.0).build(Shape("tokens", 2)).double()  # type: ignore[call-arg]
    lengths = torch.tensor([4, 2])
    there = (torch.arange(4) < lengths[:, None])[..., None]
    assert torch.autograd.gradcheck(
        lambda values: layer(tokens(values, lengths)).values * there,
        torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True),
    )
