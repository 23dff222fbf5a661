"""The networks of `networks.py` in Keras, as its guides write them: channels last, compiled, trained by `fit`.

Batch norm keeps its averages as PyTorch does (0.9, where Keras has 0.99), so that both are the same network.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers


class Stack:
    """Layers put one on another, remembered in the order of their making: the order of PyTorch's weights."""

    def __init__(self, *shape: int):
        self.inputs = self.top = keras.Input(shape)
        self.made: list[Any] = []

    def add(self, *several: Any, on: Any = None) -> Any:
        """Put layers on the top, or on another tensor."""
        tensor = self.top if on is None else on
        for layer in several:
            tensor = layer(tensor)
            self.made.append(layer)
        if on is None:
            self.top = tensor
        return tensor

    def model(self) -> Any:
        """All of it."""
        return keras.Model(self.inputs, self.top)


def convolution(channels: int, stride: int = 1, size: int = 3) -> list[Any]:
    """A convolution and its batch norm."""
    return [
        layers.Conv2D(channels, size, strides=stride, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
    ]


def convnet() -> Stack:
    """Five 3x3 convolutions in three stages."""
    stack = Stack(28, 28, 1)
    for stage in ((32, 64), (64, 128), (128,)):
        if stack.made:
            stack.add(layers.MaxPooling2D(2))
        for channels in stage:
            stack.add(*convolution(channels), layers.ReLU())
    stack.add(layers.GlobalAveragePooling2D(), layers.Dense(10))
    return stack


def resnet18() -> Stack:
    """ResNet-18 with the small stem."""
    stack = Stack(32, 32, 3)
    stack.add(*convolution(64), layers.ReLU())
    for channels in (64, 128, 256, 512):
        for stride in (1 if channels == 64 else 2, 1):
            below = stack.top
            stack.add(*convolution(channels, stride), layers.ReLU(), *convolution(channels))
            shortcut = stack.add(*convolution(channels, stride, size=1), on=below) if stride > 1 else below
            stack.top = layers.ReLU()(layers.Add()([stack.top, shortcut]))
    stack.add(layers.GlobalAveragePooling2D(), layers.Dense(10))
    return stack


def lenet() -> Stack:
    """LeNet-5 with ReLU and max pooling."""
    stack = Stack(28, 28, 1)
    stack.add(layers.Conv2D(6, 5, padding="same", activation="relu"), layers.MaxPooling2D(2))
    stack.add(layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten())
    stack.add(layers.Dense(120, activation="relu"), layers.Dense(84, activation="relu"), layers.Dense(10))
    return stack


def mlp() -> Stack:
    """Three hidden layers of 256."""
    stack = Stack(14)
    stack.add(*(layers.Dense(256, activation="relu") for _ in range(3)), layers.Dense(2))
    return stack


def photonet() -> Stack:
    """Four small convolutions."""
    stack = Stack(64, 64, 3)
    stack.add(*convolution(16, stride=2), layers.ReLU(), *convolution(32), layers.ReLU(), layers.MaxPooling2D(2))
    stack.add(*convolution(64), layers.ReLU(), layers.MaxPooling2D(2), *convolution(128), layers.ReLU())
    stack.add(layers.GlobalAveragePooling2D(), layers.Dense(10))
    return stack


NETWORKS: dict[str, Callable[[], Stack]] = {
    "convnet": convnet, "resnet18": resnet18, "lenet": lenet, "mlp": mlp, "photonet": photonet,
}  # fmt: skip


def example(shape: tuple[int, ...]) -> Stack:
    """What Keras's own first examples train: of a grey picture two convolutions, of a table one hidden layer."""
    stack = Stack(*shape)
    if len(shape) == 1:
        stack.add(layers.Dense(32, activation="relu"), layers.Dropout(0.5), layers.Dense(2))
        return stack
    stack.add(layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2))
    stack.add(layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2))
    stack.add(layers.Flatten(), layers.Dropout(0.5), layers.Dense(10))
    return stack


def make(name: str, weights: Path, shape: tuple[int, ...]) -> Any:
    """A network with the weights that every contender starts from; the example has its own.

    Args:
        name: a key of `NETWORKS`, or `example`.
        weights: the file of PyTorch's weights that `data.py` wrote.
        shape: of one row; only the example follows it.
    """
    if name == "example":
        return example(shape).model()
    stack = NETWORKS[name]()
    with np.load(weights) as kept:
        arrays = [kept[key] for key in kept.files]
    below = None
    for layer in stack.made:
        mine = layer.get_weights()
        layer.set_weights([as_keras(array, below) for array in arrays[: len(mine)]])
        del arrays[: len(mine)]
        below = layer
    assert not arrays, "Keras and PyTorch have the same number of weights"
    return stack.model()


def as_keras(array: np.ndarray, below: Any) -> np.ndarray:
    """A weight of PyTorch in the order of axes that Keras has."""
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if array.ndim == 2 and isinstance(below, layers.Flatten):
        height, width, channels = below.input.shape[1:]
        return array.reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(array))
    return array.T
