"""The networks that every contender on PyTorch trains: plain modules, written once.

`keras_networks.py` writes the same ones for Keras. All start from the same weights.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.speed.text_networks import TEXT_NETWORKS


def convolution(in_channels: int, channels: int, stride: int = 1, size: int = 3) -> list[nn.Module]:
    """A convolution and its batch norm; the norm's shift makes a bias pointless."""
    return [
        nn.Conv2d(in_channels, channels, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
    ]


def convnet() -> nn.Module:
    """Five 3x3 convolutions in three stages for 28x28 grey pictures; 10 classes."""
    layers: list[nn.Module] = []
    for stage in ((1, 32, 64), (64, 64, 128), (128, 128)):
        layers += [nn.MaxPool2d(2)] * bool(layers)
        for in_channels, channels in itertools.pairwise(stage):
            layers += [*convolution(in_channels, channels), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015)."""

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__()
        self.first = nn.Sequential(*convolution(in_channels, channels, stride), nn.ReLU())
        self.second = nn.Sequential(*convolution(channels, channels))
        changes = stride > 1 or in_channels != channels
        self.shortcut = nn.Sequential(*convolution(in_channels, channels, stride, size=1)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same, or half as high and wide."""
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


def resnet18() -> nn.Module:
    """ResNet-18 with the small stem (3x3, stride 1, no pooling) for 32x32 colour pictures; 10 classes."""
    layers: list[nn.Module] = [*convolution(3, 64), nn.ReLU()]
    for in_channels, channels in ((64, 64), (64, 128), (128, 256), (256, 512)):
        layers += [Block(in_channels, channels, 1 if channels == 64 else 2), Block(channels, channels, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def lenet() -> nn.Module:
    """LeNet-5 (LeCun et al. 1998) as it is written today, with ReLU and max pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def mlp() -> nn.Module:
    """Three hidden layers of 256 for a table of 14 numbers; two classes."""
    return nn.Sequential(
        nn.Linear(14, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2)
    )


def photonet() -> nn.Module:
    """Four small convolutions for 64x64 colour pictures, so that decoding weighs as much as learning; 10 classes."""
    return nn.Sequential(
        *convolution(3, 16, stride=2), nn.ReLU(), *convolution(16, 32), nn.ReLU(), nn.MaxPool2d(2),
        *convolution(32, 64), nn.ReLU(), nn.MaxPool2d(2), *convolution(64, 128), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "convnet": convnet, "resnet18": resnet18, "lenet": lenet, "mlp": mlp, "photonet": photonet,
    **TEXT_NETWORKS,
}  # fmt: skip


def example(shape: tuple[int, ...]) -> nn.Module:
    """What PyTorch's own first examples train: of a grey picture two convolutions, of a table two hidden layers."""
    if len(shape) == 1:
        return nn.Sequential(nn.Linear(shape[0], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    height, width, channels = shape
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(64 * (height // 2 - 2) * (width // 2 - 2), 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip


def make(name: str, shape: tuple[int, ...] = (), weights: str = "") -> nn.Module:
    """A network with the weights that every contender starts from.

    Args:
        name: a key of `NETWORKS`, or `example`.
        shape: of one row; only the example follows it.
        weights: a file of weights that were learned, in place of those to start from.
    """
    torch.manual_seed(0)
    network = example(shape) if name == "example" else NETWORKS[name]()
    if weights:
        with np.load(weights) as kept, torch.no_grad():
            for parameter, key in zip(network.parameters(), kept.files, strict=True):
                parameter.copy_(torch.from_numpy(kept[key]))
    return network
