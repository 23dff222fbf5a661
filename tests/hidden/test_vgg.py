"""VGG."""

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
from lamina.hidden.vgg import VGGS, VGG11Plan, VGG16Plan, VGG19Plan

SMALL = Shape("grid", 3, (32, 32))
LARGE = Shape("grid", 3, (224, 224))
# Parameters with a head for 1,000 classes: without and with batch norm.
PUBLISHED = {
    "vgg11": (132_863_336, 132_868_840),
    "vgg13": (133_047_848, 133_053_736),
    "vgg16": (138_357_544, 138_365_992),
    "vgg19": (143_667_240, 143_678_248),
}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", VGGS)
def test_parameters_are_the_published_number(name: str, batch_norm: bool) -> None:
    plan = VGGS[name](batch_norm=batch_norm)
    assert plan.name == name
    assert plan.couples_rows == batch_norm
    assert parameters_with_head(on_meta(plan, LARGE)) == PUBLISHED[name][batch_norm]


@pytest.mark.parametrize(
    "batch_norm, convolutions",
    [
        (False, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
        (True, [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]),
    ],
)
def test_names_are_the_published_ones(batch_norm: bool, convolutions: list[int]) -> None:
    shapes = {name: tuple(t.shape) for name, t in on_meta(VGG16Plan(batch_norm=batch_norm), LARGE).state_dict().items()}
    weights = [name for name, shape in shapes.items() if len(shape) == 4]
    assert weights == [f"features.{number}.weight" for number in convolutions]
    assert shapes[weights[0]] == (64, 3, 3, 3)
    assert shapes[weights[-1]] == (512, 512, 3, 3)
    assert shapes["classifier.0.weight"] == (4096, 25088)
    assert shapes["classifier.3.weight"] == (4096, 4096)
    assert ("features.1.running_mean" in shapes) == batch_norm


def test_large_pictures_give_scales() -> None:
    with torch.device("meta"):
        answer = VGG19Plan().build(LARGE)(grid(torch.zeros(2, 3, 224, 224)))
    assert [tuple(scale.shape[1:]) for scale in answer.scales] == [
        (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7),
    ]  # fmt: skip
    assert answer.values.shape == (2, 4096)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_small_pictures_keep_the_laws(batch_norm: bool) -> None:
    network = VGG11Plan(classifier_width=16, batch_norm=batch_norm).build(SMALL)
    assert network.shape == Shape("vector", 16, strides=(2, 4, 8, 16, 32), widths=(64, 128, 256, 512, 512))
    check_shape(network, SMALL)
    check_one_is_many(network, SMALL)
    check_gradients(network, SMALL)


def test_average_pooling_still_ends_stages() -> None:
    plan = VGG11Plan(classifier_width=8, pooling="average", activation="mish")
    network = on_meta(plan, SMALL)
    assert len(network.stages()) == 7
    assert sum(isinstance(module, nn.AvgPool2d) for module in network.modules()) == 5
    assert sum(isinstance(module, nn.Mish) for module in network.modules()) == 10


def test_frozen_stages_stay() -> None:
    check_frozen_stages_stay(VGG11Plan(classifier_width=16, freeze=3, dropout=0.0).build(SMALL), SMALL, 3)


@pytest.mark.parametrize("name", VGGS)
def test_settings_go_to_plain_data_and_back(name: str) -> None:
    plan = from_plain(VGGS[name], {"batch_norm": False, "freeze": 2}, "hidden")
    assert plan == VGGS[name](batch_norm=False, freeze=2)
    assert from_plain(VGGS[name], to_plain(plan), "hidden") == plan


@pytest.mark.parametrize(
    "call, kind, problem",
    [
        (lambda: VGG16Plan().build(Shape("grid", 1, (31, 40))), ShapeError, "vgg16 takes pictures from 32 x 32"),
        (lambda: VGG19Plan(dropout=2.0), PlanError, "vgg19: dropout is 2.0"),
        (lambda: from_plain(VGG16Plan, {"batchnorm": True}, "hidden"), PlanError, "Did you mean 'batch_norm'"),
        (lambda: from_plain(VGG16Plan, {"activation": "relo"}, "hidden"), PlanError, "hidden.activation: 'relo'"),
    ],
)
def test_what_cannot_be_is_refused(call, kind: type[Exception], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        call()
