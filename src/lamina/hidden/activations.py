"""Activations, first weights and pooling, each chosen by a name in a plan."""

import math
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from lamina.ground.errors import PlanError, listing, nearest

ActivationName = Literal[
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "hardswish", "softplus", "identity"
]
InitialisationName = Literal["kaiming", "xavier", "orthogonal", "lecun", "default"]
PoolingName = Literal["max", "average"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}

POOLINGS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}

INITIALISATIONS: tuple[str, ...] = get_args(InitialisationName)


def activation(name: str) -> nn.Module:
    """The activation of this name, as a new module.

    Raises:
        PlanError: if there is no such activation; names the nearest one.
    """
    if name not in ACTIVATIONS:
        hint = nearest(name, ACTIVATIONS)
        raise PlanError(f"There is no activation {name!r}.{hint} Known: {listing(ACTIVATIONS, 20)}.")
    return ACTIVATIONS[name]()


def pooling(name: str, size: int, stride: int | None = None, padding: int = 0) -> nn.Module:
    """The pooling of this name over squares of `size` positions.

    Args:
        name: `max` or `average`.
        size: height and width of a square.
        stride: positions between squares; None for squares side by side.
        padding: positions added at each border.

    Raises:
        PlanError: if there is no such pooling; names the nearest one.
    """
    if name not in POOLINGS:
        raise PlanError(f"There is no pooling {name!r}.{nearest(name, POOLINGS)} Known: {listing(POOLINGS)}.")
    return POOLINGS[name](size, stride=stride, padding=padding)


@cache
def gain(name: str) -> float:
    """What weights are multiplied by so that signals keep their size through this activation.

    One over the root mean square of the activation's answer to standard normal numbers: the argument of He et al.
    2015, "Delving Deep into Rectifiers", for any activation. It gives their square root of 2 for relu, and 1 for
    identity and selu.
    """
    numbers = torch.linspace(-10, 10, 20_001, dtype=torch.float64, device="cpu")
    density = torch.exp(-numbers.square() / 2)
    mean_square = (activation(name)(numbers).square() * density).sum() / density.sum()
    return 1 / math.sqrt(mean_square.item())


def initialise(module: nn.Module, name: str, activation: str = "relu") -> None:
    """Give every dense and convolutional layer inside a module its first weights, in place; their biases become 0.

    Args:
        module: any module; layers of other kinds, such as norms and embeddings, keep what they have.
        name: `kaiming` (normal, He et al. 2015), `xavier` (uniform, Glorot and Bengio 2010), `orthogonal` (Saxe et
            al. 2014), `lecun` (normal, LeCun et al. 1998), or `default`, which leaves torch's own.
        activation: the name of the activation behind the layers; sets the scale of all but `lecun`.

    Raises:
        PlanError: if there is no such initialisation or activation; names the nearest one.
    """
    if name not in INITIALISATIONS:
        raise PlanError(
            f"There is no initialisation {name!r}.{nearest(name, INITIALISATIONS)} Known: {listing(INITIALISATIONS)}."
        )
    if name == "default":
        return
    scale = gain(activation)
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            _draw(layer.weight, name, scale)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _draw(weight: Tensor, name: str, scale: float) -> None:
    fan_in = weight[0].numel()  # weight: (outputs, inputs, *window)
    if name == "kaiming":
        nn.init.normal_(weight, std=scale / math.sqrt(fan_in))
    elif name == "xavier":
        nn.init.xavier_uniform_(weight, gain=scale)
    elif name == "orthogonal":
        nn.init.orthogonal_(weight, gain=scale)
    else:
        nn.init.normal_(weight, std=1 / math.sqrt(fan_in))
