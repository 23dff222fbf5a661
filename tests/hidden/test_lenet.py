"""LeNet-5."""

import pytest
import torch
from hidden.named_laws import check_frozen_stages_stay, check_gradients, check_one_is_many, check_shape, pictures
from torch import nn

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Shape
from lamina.hidden.lenet import LeNetPlan


@pytest.mark.parametrize("channels, space", [(1, (12, 12)), (1, (28, 28)), (3, (32, 32)), (3, (20, 45))])
def test_every_size_is_taken(channels: int, space: tuple[int, int]) -> None:
    shape = Shape("grid", channels, space)
    network = LeNetPlan().build(shape)
    assert network.shape == Shape("vector", 84)
    check_shape(network, shape)
    check_one_is_many(network, shape)
    check_gradients(network, shape)


@pytest.mark.parametrize("side", [28, 32])
def test_digits_have_the_parameters_of_the_paper(side: int) -> None:
    # C1 156, S2-C3 fully connected 2,416, C5 48,120, F6 10,164: padding makes 28 x 28 the paper's 32 x 32.
    network = LeNetPlan().build(Shape("grid", 1, (side, side)))
    counts = [sum(p.numel() for module in stage for p in module.parameters()) for stage in network.stages()]
    assert counts == [156, 2_416, 48_120, 10_164]


def test_the_papers_choices_can_be_made() -> None:
    network = LeNetPlan(activation="tanh", pooling="average").build(Shape("grid", 1, (28, 28)))
    kinds = {type(module) for module in network.modules()}
    assert {nn.Tanh, nn.AvgPool2d} <= kinds
    assert not {nn.ReLU, nn.MaxPool2d} & kinds


def test_dropout_acts_in_training_only() -> None:
    shape = Shape("grid", 1, (28, 28))
    network = LeNetPlan(dropout=0.5).build(shape).train()
    assert not torch.equal(network(pictures(shape)).values, network(pictures(shape)).values)
    network.eval()
    assert torch.equal(network(pictures(shape)).values, network(pictures(shape)).values)


@pytest.mark.parametrize("frozen", [1, 3])
def test_frozen_stages_stay(frozen: int) -> None:
    shape = Shape("grid", 1, (28, 28))
    check_frozen_stages_stay(LeNetPlan(freeze=frozen).build(shape), shape, frozen)


@pytest.mark.parametrize(
    "settings, shape, kind, problem",
    [
        ({}, Shape("grid", 1, (28, 11)), ShapeError, "lenet takes pictures from 12 x 12, but gets 1 x 28 x 11"),
        ({}, Shape("vector", 7), ShapeError, r"a grid of \(height, width\), but gets 7 \(vector\)"),
        ({}, Shape("grid", 1, (28,)), ShapeError, r"a grid of \(height, width\), but gets 1 x 28"),
        ({"freeze": 5}, Shape("grid", 1, (28, 28)), PlanError, "freeze is 5, but the network has 4 stages"),
        ({"freeze": -1}, Shape("grid", 1, (28, 28)), PlanError, "freeze is -1"),
        ({"dropout": 1.0}, Shape("grid", 1, (28, 28)), PlanError, "dropout is 1.0; it must be at least 0 and below 1"),
        ({"activation": "relo"}, Shape("grid", 1, (28, 28)), PlanError, "Did you mean 'relu'"),
        ({"pooling": "mx"}, Shape("grid", 1, (28, 28)), PlanError, "Did you mean 'max'"),
    ],
)
def test_what_cannot_be_built_is_refused(settings, shape: Shape, kind: type[Exception], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        LeNetPlan(**settings).build(shape)
