"""AlexNet: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks".

The layers are those of the one-column form that published weights are for: Krizhevsky 2014, "One weird trick for
parallelizing convolutional neural networks", with fewer maps and without the first paper's local normalisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from lamina.ground.shapes import Features, Shape, vector
from lamina.hidden.activations import PoolingName, activation, pooling
from lamina.hidden.named import SMALL_SIDE, NamedNetwork, NamedPlan

_POOLED = 6  # the published side before the dense layers
# (outputs, window, padding, whether pooling follows) of each convolution
_CONVOLUTIONS = ((64, 11, 2, True), (192, 5, 2, True), (384, 3, 1, False), (256, 3, 1, False), (256, 3, 1, True))


@dataclass(frozen=True, kw_only=True)
class AlexNetPlan(NamedPlan):
    """Five convolutions and two dense layers; on pictures under 96 the first convolution moves by 1 instead of 4."""

    name: ClassVar[str] = "alexnet"
    smallest: ClassVar[int] = 21

    pooling: PoolingName = "max"
    """How maps are halved."""
    dropout: float = 0.5
    """Share of each dense layer's inputs that are left out at random in training."""
    classifier_width: int = 4096
    """Width of both dense layers: 4096 as published, less for little data."""

    def network(self, shape: Shape) -> "AlexNet":
        return AlexNet(shape, self)


class AlexNet(NamedNetwork):
    """(batch, channels, height, width) -> (batch, classifier_width)."""

    head = "classifier.6"

    def __init__(self, shape: Shape, plan: AlexNetPlan):
        super().__init__()
        layers: list[nn.Module] = []
        channels, stride = shape.width, 1 if min(shape.space) < SMALL_SIDE else 4
        for maps, window, padding, pooled in _CONVOLUTIONS:
            layers += [nn.Conv2d(channels, maps, window, stride, padding), activation(plan.activation)]
            if pooled:
                layers.append(pooling(plan.pooling, 3, stride=2))
            channels, stride = maps, 1
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(_POOLED)
        self.classifier = nn.Sequential(
            nn.Dropout(plan.dropout),
            nn.Linear(channels * _POOLED**2, plan.classifier_width),
            activation(plan.activation),
            nn.Dropout(plan.dropout),
            nn.Linear(plan.classifier_width, plan.classifier_width),
            activation(plan.activation),
        )
        self.shape = Shape("vector", plan.classifier_width)

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The five convolutions, then the two dense layers."""
        layers = [*self.features, *self.classifier]
        return [[layer] for layer in layers if isinstance(layer, (nn.Conv2d, nn.Linear))]

    def forward(self, features: Features) -> Features:
        pooled = self.avgpool(self.features(features.values))  # (batch, 256, 6, 6)
        return vector(self.classifier(pooled.flatten(1)))
