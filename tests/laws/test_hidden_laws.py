"""Every hidden part keeps the same laws; adding one to `HIDDEN` puts it under them."""

import copy

import pytest
import torch
from scenes import SHAPES, features
from torch import nn

from lamina.ground import Features, Shape, vector
from lamina.hidden import HIDDEN, HiddenLayer

LARGE = 3_000_000
"""Parameters above which a network is only checked by its shapes, on the meta device."""


def shape_for(name: str) -> Shape:
    return SHAPES[HIDDEN[name].accepts[0]]


def build(name: str) -> HiddenLayer:
    torch.manual_seed(0)
    return HIDDEN[name]().build(shape_for(name))


def size(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in HIDDEN[name]().build(shape_for(name)).parameters())


def row_of(given: Features, row: int) -> Features:
    lengths = None if given.lengths is None else given.lengths[row : row + 1]
    return Features(given.form, given.values[row : row + 1], lengths)


SMALL = [name for name in HIDDEN if size(name) <= LARGE]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_part_gives_has_the_shape_it_says(name: str) -> None:
    shape = shape_for(name)
    with torch.device("meta" if name not in SMALL else "cpu"):
        layer = HIDDEN[name]().build(shape).eval()
    given = features(shape)
    found = layer(given.with_values(given.values.to(next(layer.parameters(), given.values).device)))
    assert found.form == layer.shape.form
    middle = () if layer.shape.members is None else (layer.shape.members,)
    if layer.shape.form == "grid":
        assert tuple(found.values.shape) == (6, layer.shape.width, *layer.shape.space)
    elif layer.shape.form == "vector":
        assert tuple(found.values.shape) == (6, *middle, layer.shape.width)
    elif layer.shape.form == "tokens":
        assert tuple(found.values.shape) == (6, given.values.shape[1], layer.shape.width)
        assert found.lengths is given.lengths
    assert len(found.scales) == len(layer.shape.strides) == len(layer.shape.widths)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter(name: str) -> None:
    layer = build(name).train()
    given = features(shape_for(name))
    given.values.requires_grad_()  # for layers without a parameter
    values = layer(given).values
    (values * torch.randn_like(values)).sum().backward()
    missed = [path for path, parameter in layer.named_parameters() if parameter.grad is None]
    assert not missed


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_of_one_equals_a_batch_of_many(name: str) -> None:
    layer, given = build(name).eval(), features(shape_for(name))
    with torch.no_grad():
        many = layer(given).values
        one = [layer(row_of(given, row)).values for row in range(6)]
    torch.testing.assert_close(torch.cat(one), many, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_weights_and_saving_keeps_them(name: str) -> None:
    one, two, given = build(name).eval(), build(name).eval(), features(shape_for(name))
    with torch.no_grad():
        assert torch.equal(one(given).values, two(given).values)
        other = copy.deepcopy(two)
        for parameter in other.parameters():
            parameter.add_(1)
        other.load_state_dict(one.state_dict())
        assert torch.equal(one(given).values, other(given).values)


class _Plain(nn.Module):
    def __init__(self, layer: HiddenLayer):
        super().__init__()
        self.layer = layer

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        given = features(self.layer_shape).with_values(values) if self.layer_shape.form != "vector" else vector(values)
        return self.layer(given).values


@pytest.mark.parametrize("name", [name for name in SMALL if HIDDEN[name].accepts[0] != "tokens"])
def test_an_exported_part_answers_alike(name: str) -> None:
    plain = _Plain(build(name).eval())
    plain.layer_shape = shape_for(name)
    values = features(shape_for(name)).values
    exported = torch.export.export(plain, (values,)).module()
    torch.testing.assert_close(exported(values), plain(values), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in SMALL if HIDDEN[name].accepts[0] == "tokens"])
def test_what_stands_in_padding_means_nothing(name: str) -> None:
    layer, given = build(name).eval(), features(shape_for(name))
    assert given.lengths is not None
    padding = torch.arange(given.values.shape[1]) >= given.lengths[:, None]
    other = Features("tokens", torch.where(padding[:, :, None], 1e3, given.values), given.lengths)
    longer = Features("tokens", torch.nn.functional.pad(given.values, (0, 0, 0, 5)), given.lengths)
    with torch.no_grad():
        plain, filled, long = layer(given), layer(other), layer(longer)
    if layer.shape.form == "vector":
        torch.testing.assert_close(filled.values, plain.values, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(long.values, plain.values, rtol=1e-4, atol=1e-4)
        return
    for row, length in enumerate(given.lengths.tolist()):
        for found in (filled, long):
            torch.testing.assert_close(found.values[row, :length], plain.values[row, :length], rtol=1e-4, atol=1e-4)
