"""AlexNet."""

import pytest
import torch
from hidden.named_laws import (
    check_frozen_stages_stay,
    check_gradients,
    check_one_is_many,
    check_shape,
    on_meta,
    parameters_with_head,
    pictures,
)
from torch import nn

from lamina.ground.errors import ShapeError
from lamina.ground.shapes import Shape, grid
from lamina.hidden.alexnet import AlexNetPlan

SMALL = Shape("grid", 3, (32, 32))


def test_names_and_shapes_are_the_published_ones() -> None:
    network = on_meta(AlexNetPlan(), Shape("grid", 3, (224, 224)))
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if "weight" in name} == {
        "features.0.weight": (64, 3, 11, 11),
        "features.3.weight": (192, 64, 5, 5),
        "features.6.weight": (384, 192, 3, 3),
        "features.8.weight": (256, 384, 3, 3),
        "features.10.weight": (256, 256, 3, 3),
        "classifier.1.weight": (4096, 9216),
        "classifier.4.weight": (4096, 4096),
    }
    assert parameters_with_head(network) == 61_100_840


def test_large_pictures_pass_the_published_strides() -> None:
    with torch.device("meta"):
        network = AlexNetPlan().build(Shape("grid", 3, (224, 224)))
        assert network.features(torch.zeros(1, 3, 224, 224)).shape == (1, 256, 6, 6)
        assert network(grid(torch.zeros(2, 3, 224, 224))).values.shape == (2, 4096)


def test_small_pictures_keep_the_laws() -> None:
    network = AlexNetPlan(classifier_width=64).build(SMALL)
    assert network.shape == Shape("vector", 64)
    check_shape(network, SMALL)
    check_one_is_many(network, SMALL)
    check_gradients(network, SMALL)


def test_settings_reach_the_layers() -> None:
    network = on_meta(AlexNetPlan(activation="silu", pooling="average", dropout=0.25), SMALL)
    assert sum(isinstance(module, nn.SiLU) for module in network.modules()) == 7
    assert sum(isinstance(module, nn.AvgPool2d) for module in network.modules()) == 3
    assert {module.p for module in network.modules() if isinstance(module, nn.Dropout)} == {0.25}


def test_frozen_stages_stay() -> None:
    check_frozen_stages_stay(AlexNetPlan(classifier_width=64, freeze=4).build(SMALL), SMALL, 4)


@pytest.mark.parametrize("side", [21, 28, 95, 96])
def test_sides_from_the_smallest_on_are_taken(side: int) -> None:
    shape = Shape("grid", 1, (side, side))
    network = AlexNetPlan(classifier_width=8).build(shape).eval()
    assert network(pictures(shape, batch=1)).values.shape == (1, 8)


def test_smaller_sides_are_refused_and_would_fail() -> None:
    shape = Shape("grid", 1, (20, 64))
    with pytest.raises(ShapeError, match="alexnet takes pictures from 21 x 21, but gets 1 x 20 x 64"):
        AlexNetPlan().build(shape)
    with torch.device("meta"):
        network = AlexNetPlan().network(shape)
        with pytest.raises(RuntimeError, match="too small"):
            network(grid(torch.zeros(1, 1, 20, 64)))
