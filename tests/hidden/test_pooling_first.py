"""Pooling before ReLU changes nothing but the time it takes."""

import pytest
import torch
from torch import Tensor, nn

from lamina.hidden import pooling_first


def network(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), *layers, nn.Flatten(), nn.LazyLinear(3))


def learned(one: nn.Module) -> list[Tensor]:
    torch.manual_seed(1)
    pictures = torch.randn(4, 2, 9, 9, requires_grad=True)
    answers = one(pictures)
    one.zero_grad()
    answers.square().sum().backward()
    assert pictures.grad is not None
    return [answers.detach(), pictures.grad, *(p.grad.clone() for p in one.parameters() if p.grad is not None)]


@pytest.mark.parametrize(
    "layers",
    [
        (nn.ReLU(), nn.MaxPool2d(2)),
        (nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)),
        (nn.ReLU(), nn.MaxPool2d(2), nn.MaxPool2d(2)),
    ],
    ids=str,
)
def test_answers_and_gradients_agree_bit_for_bit(layers: tuple[nn.Module, ...]) -> None:
    one = network(*layers)
    before = [*one]
    usual = learned(one)
    with pooling_first(one, one):
        assert isinstance(one[1], nn.MaxPool2d) and isinstance(one[len(layers)], nn.ReLU)
        swapped = learned(one)
    assert [*one] == before
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(swapped, usual, strict=True))


def test_where_all_are_below_zero_nothing_is_learned_either_way() -> None:
    pair = nn.Sequential(nn.ReLU(), nn.MaxPool1d(2))
    values = torch.tensor([[[-1.0, -2.0, 0.0, -1.0, 2.0, 2.0]]])
    found = []
    for context in (pooling_first(), pooling_first(pair)):
        given = values.clone().requires_grad_()
        with context:
            pair(given).sum().backward()
        found.append(given.grad)
    assert torch.equal(found[0], found[1]) and found[0].tolist() == [[[0, 0, 0, 0, 1, 0]]]


class Own(nn.Sequential):
    """Goes through its layers its own way."""

    def forward(self, values: Tensor) -> Tensor:
        return self[1](self[0](values))


def test_what_may_not_be_swapped_stays() -> None:
    watched = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    watched[0].register_forward_hook(lambda *given: None)
    others = [
        nn.Sequential(nn.Tanh(), nn.MaxPool2d(2)),
        nn.Sequential(nn.ReLU(), nn.AvgPool2d(2)),
        nn.Sequential(nn.MaxPool2d(2), nn.ReLU()),
        nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, return_indices=True)),
        nn.ModuleList([nn.ReLU(), nn.MaxPool2d(2)]),
        Own(nn.ReLU(), nn.MaxPool2d(2)),
    ]
    for one in [watched, *others]:
        before = list(one.children())
        with pooling_first(one):
            assert list(one.children()) == before


def test_layers_stand_as_they_were_after_an_error() -> None:
    pair = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    before = [*pair]
    with pytest.raises(KeyError), pooling_first(nn.Sequential(pair)):
        assert [*pair] == before[::-1]
        raise KeyError
    assert [*pair] == before
