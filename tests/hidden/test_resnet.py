"""ResNet."""

import pytest
import torch
from hidden.named_laws import (
    check_frozen_stages_stay,
    check_gradients,
    check_one_is_many,
    check_shape,
    on_meta,
    parameters_with_head,
)
from torch import nn

from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Shape, grid
from lamina.hidden.resnet import RESNETS, ResNet18Plan, ResNet50Plan

SMALL = Shape("grid", 3, (32, 32))
LARGE = Shape("grid", 3, (224, 224))
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


@pytest.mark.parametrize("name", RESNETS)
def test_parameters_are_the_published_number(name: str) -> None:
    plan = RESNETS[name]()
    assert plan.name == name
    assert plan.couples_rows
    assert parameters_with_head(on_meta(plan, LARGE)) == PUBLISHED[name]
    assert from_plain(RESNETS[name], to_plain(plan), "hidden") == plan


@pytest.mark.parametrize(
    "plan, expected",
    [
        (
            ResNet18Plan(),
            {
                "conv1.weight": (64, 3, 7, 7),
                "bn1.running_var": (64,),
                "layer1.0.conv1.weight": (64, 64, 3, 3),
                "layer2.0.conv1.weight": (128, 64, 3, 3),
                "layer2.0.downsample.0.weight": (128, 64, 1, 1),
                "layer2.0.downsample.1.running_mean": (128,),
                "layer4.1.bn2.bias": (512,),
            },
        ),
        (
            ResNet50Plan(),
            {
                "layer1.0.conv1.weight": (64, 64, 1, 1),
                "layer1.0.conv3.weight": (256, 64, 1, 1),
                "layer1.0.downsample.0.weight": (256, 64, 1, 1),
                "layer3.5.conv2.weight": (256, 256, 3, 3),
                "layer4.2.bn3.weight": (2048,),
            },
        ),
    ],
)
def test_names_and_shapes_are_the_published_ones(plan, expected: dict[str, tuple[int, ...]]) -> None:
    own = {name: tuple(tensor.shape) for name, tensor in on_meta(plan, LARGE).state_dict().items()}
    assert {name: own.get(name) for name in expected} == expected
    assert "layer1.1.downsample.0.weight" not in own
    assert len(own) == {"resnet18": 120, "resnet50": 318}[plan.name]


@pytest.mark.parametrize("name, width", [("resnet34", 512), ("resnet152", 2048)])
def test_large_pictures_give_scales(name: str, width: int) -> None:
    with torch.device("meta"):
        network = RESNETS[name]().build(LARGE)
        answer = network(grid(torch.zeros(2, 3, 224, 224)))
    assert answer.values.shape == (2, width)
    assert network.shape.strides == (4, 8, 16, 32)
    assert [scale.shape[2] for scale in answer.scales] == [56, 28, 14, 7]
    assert tuple(scale.shape[1] for scale in answer.scales) == network.shape.widths


@pytest.mark.parametrize("stem, window", [("published", 7), ("small", 3)])
def test_small_pictures_are_not_shrunk_by_the_stem(stem, window: int) -> None:
    network = ResNet18Plan(stem=stem).build(SMALL)
    assert network.conv1.weight.shape == (64, 3, window, window)
    assert network.shape.strides == (1, 2, 4, 8)
    check_shape(network, SMALL)
    check_one_is_many(network, SMALL)
    check_gradients(network, SMALL)


def test_a_bottleneck_network_keeps_the_laws() -> None:
    shape = Shape("grid", 1, (16, 9))
    network = ResNet50Plan(activation="gelu", initialisation="default").build(shape)
    assert not any(isinstance(module, nn.ReLU) for module in network.modules())
    check_shape(network, shape)
    check_gradients(network, shape)


@pytest.mark.parametrize("side, stride", [(95, 1), (96, 4)])
def test_the_side_decides_whether_the_published_stem_shrinks(side: int, stride: int) -> None:
    assert on_meta(ResNet18Plan(), Shape("grid", 3, (side, 200))).shape.strides[0] == stride


@pytest.mark.parametrize("frozen", [1, 3])
def test_frozen_stages_stay(frozen: int) -> None:
    shape = Shape("grid", 3, (16, 16))
    check_frozen_stages_stay(ResNet18Plan(freeze=frozen).build(shape), shape, frozen)


@pytest.mark.parametrize(
    "call, kind, problem",
    [
        (lambda: ResNet18Plan().build(Shape("grid", 1, (7, 30))), ShapeError, "resnet18 takes pictures from 8 x 8"),
        (lambda: on_meta(ResNet18Plan(freeze=6), SMALL), PlanError, "freeze is 6, but the network has 5 stages"),
        (lambda: from_plain(ResNet18Plan, {"stem": "tiny"}, "hidden"), PlanError, "hidden.stem: 'tiny'"),
    ],
)
def test_what_cannot_be_is_refused(call, kind: type[Exception], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        call()
