"""Activations, first weights and pooling by name."""

import math

import pytest
import torch
from torch import nn

from lamina.ground.errors import PlanError
from lamina.hidden.activations import ACTIVATIONS, INITIALISATIONS, activation, gain, initialise, pooling


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_keeps_shape_and_passes_gradients(name: str) -> None:
    values = torch.linspace(-2, 2, 12).reshape(3, 4).requires_grad_()
    answer = activation(name)(values)
    answer.sum().backward()
    assert answer.shape == values.shape
    assert values.grad is not None and values.grad.abs().sum() > 0


def test_every_call_gives_a_module_of_its_own() -> None:
    assert activation("gelu") is not activation("gelu")


@pytest.mark.parametrize("name, expected", [("identity", 1), ("relu", math.sqrt(2)), ("selu", 1)])
def test_gain_is_the_papers_where_there_is_one(name: str, expected: float) -> None:
    assert gain(name) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "silu", "sigmoid"])
def test_kaiming_keeps_the_size_of_signals_through_many_layers(name: str) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential()
    for _ in range(8):
        layers += nn.Sequential(activation(name), nn.Linear(512, 512))
    initialise(layers, "kaiming", name)
    with torch.no_grad():
        size = layers(torch.randn(64, 512)).square().mean().sqrt()
    assert 0.7 < size < 1.4


def test_weights_are_drawn_at_the_scale_of_each_paper() -> None:
    torch.manual_seed(0)
    spread = {}
    for name in INITIALISATIONS:
        layer = nn.Conv2d(32, 64, 3)
        initialise(layer, name, "relu")
        spread[name] = layer.weight.std().item()
        assert (layer.bias.abs().sum() == 0) == (name != "default")
    assert spread["kaiming"] == pytest.approx(math.sqrt(2 / 288), rel=0.03)
    assert spread["lecun"] == pytest.approx(math.sqrt(1 / 288), rel=0.03)
    assert spread["xavier"] == pytest.approx(math.sqrt(2 * 2 / (288 + 576)), rel=0.03)
    assert spread["orthogonal"] == pytest.approx(math.sqrt(2 / 288), rel=0.03)


def test_orthogonal_rows_are_orthogonal() -> None:
    layer = nn.Linear(16, 8)
    initialise(layer, "orthogonal", "identity")
    torch.testing.assert_close(layer.weight @ layer.weight.T, torch.eye(8), atol=1e-5, rtol=0)


def test_norms_keep_their_weights() -> None:
    norm = nn.BatchNorm2d(4)
    initialise(nn.Sequential(norm), "kaiming")
    assert torch.equal(norm.weight, torch.ones(4))


def test_the_same_seed_draws_the_same_weights() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        layer = nn.Linear(4, 4)
        initialise(layer, "kaiming")
        drawn.append(layer.weight)
    assert torch.equal(*drawn)


def test_pooling_takes_the_largest_or_the_average() -> None:
    values = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    assert pooling("max", 2)(values).item() == 6
    assert pooling("average", 2)(values).item() == 3
    assert pooling("max", 3, stride=2, padding=1)(torch.zeros(1, 1, 8, 8)).shape == (1, 1, 4, 4)


@pytest.mark.parametrize(
    "call, problem",
    [
        (lambda: activation("leaky_rely"), "no activation 'leaky_rely'. Did you mean 'leaky_relu'?"),
        (lambda: activation("ReLU"), "Did you mean 'relu'?"),
        (lambda: gain("gelo"), "Did you mean 'gelu'?"),
        (lambda: initialise(nn.Linear(1, 1), "kaimin"), "no initialisation 'kaimin'. Did you mean 'kaiming'?"),
        (lambda: initialise(nn.Linear(1, 1), "xavier", "tan"), "no activation 'tan'. Did you mean 'tanh'?"),
        (lambda: pooling("averag", 2), "no pooling 'averag'. Did you mean 'average'? Known: max, average."),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(call, problem: str) -> None:
    with pytest.raises(PlanError) as error:
        call()
    assert problem in str(error.value)
