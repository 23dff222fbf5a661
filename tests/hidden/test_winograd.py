"""Convolutions with fewer multiplications answer and learn as direct ones do."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lamina.hidden import by_winograd, has_wide_filters, winograd


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "_FEWEST_CHANNELS", 3)
    monkeypatch.setattr(winograd, "_FEWEST_TILES", 1)


def layer(**settings: Any) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(5, 7, 3, **{"padding": 1, **settings})


def learned(network: nn.Module, pictures: Tensor) -> list[Tensor]:
    """Answers, and the gradients of pictures and weights by something that depends on each answer."""
    pictures = pictures.clone().requires_grad_()
    network.zero_grad()
    answers = network(pictures)
    (answers * torch.linspace(-1, 1, answers.numel()).view(answers.shape)).sum().backward()
    assert pictures.grad is not None
    return [answers.detach(), pictures.grad, *(p.grad.clone() for p in network.parameters() if p.grad is not None)]


def assert_alike(found: list[Tensor], wanted: list[Tensor]) -> None:
    """Apart from rounding, which goes by the size that numbers usually have."""
    for ours, theirs in zip(found, wanted, strict=True):
        usual = float(theirs.square().mean().sqrt())
        torch.testing.assert_close(ours.to(theirs.dtype), theirs, atol=3e-5 * usual, rtol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"padding": 0}, {"padding": (2, 0)}, {"padding": "same"}, {"padding": "valid"},
                                      {"bias": False}], ids=str)  # fmt: skip
@pytest.mark.parametrize("sides", [(8, 8), (4, 4), (7, 9), (6, 13)], ids=str)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_answers_and_gradients_are_those_of_direct_ones(
    settings: dict[str, Any], sides: tuple[int, int], layout: torch.memory_format
) -> None:
    one = layer(**settings).to(memory_format=layout)  # type: ignore[call-overload]
    pictures = torch.randn(3, 5, *sides).contiguous(memory_format=layout)
    exact = learned(layer(**settings).double(), pictures.double())
    with by_winograd(one):
        found = learned(one, pictures)
    assert_alike(found, exact)


def test_pieces_of_a_batch_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    one, pictures = layer(), torch.randn(5, 5, 8, 8)
    with by_winograd(one):
        whole = learned(one, pictures)
        monkeypatch.setattr(winograd, "_PIECE", 2 * 4 * 36 * 4 * 7)  # two pictures
        pieces = learned(one, pictures)
    assert_alike(pieces, whole)


def test_what_is_frozen_gets_no_gradient() -> None:
    one = layer().requires_grad_(False)
    pictures = torch.randn(2, 5, 6, 6)
    with by_winograd(one):
        answers, by_pictures = learned(one, pictures)
    one.weight.requires_grad_()
    with by_winograd(one):
        one(pictures).sum().backward()
    assert one.weight.grad is not None and one.bias is not None and one.bias.grad is None
    assert answers.shape == (2, 7, 6, 6) and bool(by_pictures.any())


def test_only_wide_filters_of_three_by_three_are_taken_and_given_back() -> None:
    wide = layer()
    others = [layer(stride=2), layer(dilation=2), layer(padding_mode="circular"), nn.Conv2d(2, 7, 3), nn.Conv2d(5, 2, 3),
              nn.Conv2d(5, 7, 5), nn.Conv2d(6, 6, 3, groups=2), nn.Conv1d(5, 7, 3)]  # fmt: skip
    assert has_wide_filters(nn.Sequential(wide)) and not any(has_wide_filters(other) for other in others)
    network = nn.Sequential(wide, *others)
    names = list(network.state_dict())
    with pytest.raises(KeyError), by_winograd(network, network):
        assert [type(one) for one in network][1:] == [type(one) for one in others]
        assert type(wide) is not nn.Conv2d and isinstance(wide, nn.Conv2d) and list(network.state_dict()) == names
        raise KeyError
    assert type(wide) is nn.Conv2d


def test_other_numbers_and_shapes_are_added_up_directly() -> None:
    one = layer(padding=0)
    with by_winograd(one):
        assert one(torch.randn(5, 4, 4)).shape == (7, 2, 2)
        with torch.autocast("cpu", torch.bfloat16):
            assert one(torch.randn(2, 5, 4, 4)).dtype == torch.bfloat16
        assert one.double()(torch.randn(2, 5, 4, 4).double()).dtype == torch.float64
        assert one.float()(torch.zeros(0, 5, 4, 4)).shape == (0, 7, 2, 2)
        with pytest.raises(RuntimeError, match="Kernel size"):
            one(torch.randn(2, 5, 2, 2))


@pytest.mark.parametrize(
    "batch, side, pays", [(32, 4, True), (31, 4, False), (8, 8, True), (64, 5, False), (32, 6, True)]
)
def test_few_tiles_and_those_that_overhang_are_not_worth_it(
    batch: int, side: int, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    torch.manual_seed(0)
    one, pictures = nn.Conv2d(128, 128, 3, padding=1), torch.randn(batch, 128, side, side)
    with torch.no_grad():
        direct = one(pictures)
        with by_winograd(one):
            found = one(pictures)
    assert torch.equal(found, direct) == (not pays)


def test_gradients_of_gradients_are_refused() -> None:
    one = layer()
    pictures = torch.randn(1, 5, 4, 4, requires_grad=True)
    with by_winograd(one):
        (gradient,) = torch.autograd.grad(one(pictures).square().sum(), pictures, create_graph=True)
        with pytest.raises(RuntimeError, match="differentiate twice"):
            gradient.sum().backward()
