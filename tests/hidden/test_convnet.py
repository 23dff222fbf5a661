"""The default layers for pictures."""

import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from lamina.ground import Features, PlanError, Shape, ShapeError, from_plain, grid, to_plain
from lamina.hidden import HiddenLayer
from lamina.hidden.convnet import ConvNetPlan

SIGN = Shape("grid", 3, (35, 35))


def pictures(shape: Shape, batch: int = 2, seed: int = 0) -> Features:
    return grid(torch.randn(batch, shape.width, *shape.space, generator=torch.Generator().manual_seed(seed)))


def built(shape: Shape, **settings: object) -> HiddenLayer:
    torch.manual_seed(0)
    return ConvNetPlan(width=8, **settings).build(shape)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "space, strides",
    [
        ((8, 8), (1, 2)),
        ((28, 28), (2, 4, 8)),
        ((32, 32), (2, 4, 8)),
        ((35, 35), (2, 4, 8)),
        ((32, 64), (4, 8, 16)),
        ((17, 3), (2, 4)),
        ((96, 96), (4, 8, 16, 32)),
        ((224, 160), (16, 32, 64)),
        ((1, 1), (1,)),
    ],
)
def test_a_picture_of_any_size_becomes_a_vector_and_scales(space: tuple[int, int], strides: tuple[int, ...]) -> None:
    shape = Shape("grid", 1, space)
    network = built(shape)
    answer = network.eval()(pictures(shape))
    assert network.shape == Shape("vector", 8 * 2 ** (len(strides) - 1), strides=strides, widths=network.shape.widths)
    assert answer.form == "vector"
    assert answer.values.shape == (2, network.shape.width)
    assert len(answer.scales) == len(strides)
    for stride, width, scale in zip(strides, network.shape.widths, answer.scales, strict=True):
        assert scale.shape == (2, width, math.ceil(space[0] / stride), math.ceil(space[1] / stride))


@pytest.mark.parametrize(
    "shape, settings, problem",
    [
        (SIGN, {}, None),
        (SIGN, {"depth": 1}, None),
        (SIGN, {"depth": 6}, None),
        (SIGN, {"depth": 7}, "halves the grid 6 times, but pictures of 3 x 35 x 35 are down to one position after 5"),
        (SIGN, {"blocks": 2, "activation": "silu", "pooling": "average", "dropout": 0.5}, None),
        (SIGN, {"depth": 0}, "depth is 0; it must be at least 1"),
        (SIGN, {"blocks": 0}, "blocks is 0"),
        (SIGN, {"dropout": 1.0}, "dropout is 1.0; it must be at least 0 and below 1"),
        (SIGN, {"activation": "rleu"}, "Did you mean 'relu'"),
        (SIGN, {"pooling": "maximum"}, "no pooling 'maximum'"),
        (Shape("vector", 3), {}, "takes pictures, a grid of"),
        (Shape("grid", 3, (35,)), {}, "takes pictures, a grid of"),
    ],
)
def test_what_can_be_built(shape: Shape, settings: dict[str, object], problem: str | None) -> None:
    with pytest.raises((PlanError, ShapeError), match=problem) if problem else nullcontext():
        network = built(shape, **settings)
        assert len(network.shape.strides) == settings.get("depth", 3)


def test_the_plan_survives_plain_data() -> None:
    plan = ConvNetPlan(width=24, depth=2, pooling="average")
    assert from_plain(ConvNetPlan, to_plain(plan), "hidden") == plan
    with pytest.raises(PlanError, match=r"hidden.pooling"):
        from_plain(ConvNetPlan, {"pooling": "sum"}, "hidden")


def test_every_parameter_learns_from_every_part_of_the_picture() -> None:
    network = built(SIGN).eval()
    features = pictures(SIGN, batch=4)
    features.values.requires_grad_()
    network(features).values.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert features.values.grad is not None
    assert (features.values.grad.abs().sum((0, 1)) > 0).all()  # the border too


def test_in_evaluation_a_row_does_not_hang_on_its_neighbours() -> None:
    network, batch = built(SIGN).eval(), pictures(SIGN, batch=3)
    with torch.no_grad():
        many = network(batch).values
        alone = torch.cat([network(grid(row[None])).values for row in batch.values])
    torch.testing.assert_close(alone, many, atol=1e-5, rtol=1e-5)


def test_signals_keep_their_size_at_the_start() -> None:
    network = built(SIGN, blocks=3)
    for scale in network(pictures(SIGN, batch=16)).scales:
        assert 0.3 < scale.square().mean().sqrt() < 6


def test_width_decides_the_parameters_and_blocks_add_theirs() -> None:
    def filters(**settings: int) -> int:
        network = ConvNetPlan(**settings).build(SIGN)
        return sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d))

    stem, inside = 3 * 25 * 8, 9 * 8 * 8
    # stages of 1, 2 and 4 times the width: two filters a block in each, and one between stages
    assert filters(width=8) == stem + inside * (2 * (1 + 4 + 16) + 2 + 8)
    assert filters(width=8, blocks=2) - filters(width=8) == inside * 2 * (1 + 4 + 16)


def test_it_learns_where_a_bright_spot_lies() -> None:
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(0, 2, (64,), generator=generator)
    values = torch.randn(64, 1, 12, 12, generator=generator) * 0.3
    values[:, 0, 3:6, 3:6] += (places == 0)[:, None, None] * 2
    values[:, 0, 6:9, 6:9] += (places == 1)[:, None, None] * 2
    shape = Shape("grid", 1, (12, 12))
    layers = nn.ModuleList([built(shape), nn.Linear(built(shape).shape.width, 2)])
    optimizer = torch.optim.AdamW(layers.parameters(), lr=0.01)
    for _ in range(15):
        loss = nn.functional.cross_entropy(layers[1](layers[0](grid(values)).values), places)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
