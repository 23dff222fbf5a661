"""VGG: Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from lamina.ground.shapes import Features, Shape
from lamina.hidden.activations import PoolingName, activation, pooling
from lamina.hidden.named import NamedNetwork, NamedPlan

_POOLED = 7  # the published side before the dense layers
_WIDTHS = (64, 128, 256, 512, 512)
_STRIDES = (2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class VGGPlan(NamedPlan):
    """Five stages of 3x3 convolutions that each halve the picture, then two dense layers."""

    smallest: ClassVar[int] = 32
    depths: ClassVar[tuple[int, ...]]
    """Convolutions of each stage."""

    batch_norm: bool = True
    """Batch norm after each convolution, without which the deep ones hardly train. False for weights made without."""
    pooling: PoolingName = "max"
    """How maps are halved."""
    dropout: float = 0.5
    """Share of each dense layer's outputs that are left out at random in training."""
    classifier_width: int = 4096
    """Width of both dense layers: 4096 as published, less for little data."""

    @property
    def couples_rows(self) -> bool:  # type: ignore[override]  # here it hangs on a setting
        """Batch norm couples rows."""
        return self.batch_norm

    def network(self, shape: Shape) -> "VGG":
        return VGG(shape, self)


@dataclass(frozen=True, kw_only=True)
class VGG11Plan(VGGPlan):
    """Table 1, column A."""

    name: ClassVar[str] = "vgg11"
    depths: ClassVar[tuple[int, ...]] = (1, 1, 2, 2, 2)


@dataclass(frozen=True, kw_only=True)
class VGG13Plan(VGGPlan):
    """Table 1, column B."""

    name: ClassVar[str] = "vgg13"
    depths: ClassVar[tuple[int, ...]] = (2, 2, 2, 2, 2)


@dataclass(frozen=True, kw_only=True)
class VGG16Plan(VGGPlan):
    """Table 1, column D."""

    name: ClassVar[str] = "vgg16"
    depths: ClassVar[tuple[int, ...]] = (2, 2, 3, 3, 3)


@dataclass(frozen=True, kw_only=True)
class VGG19Plan(VGGPlan):
    """Table 1, column E."""

    name: ClassVar[str] = "vgg19"
    depths: ClassVar[tuple[int, ...]] = (2, 2, 4, 4, 4)


VGGS: dict[str, type[VGGPlan]] = {
    "vgg11": VGG11Plan,
    "vgg13": VGG13Plan,
    "vgg16": VGG16Plan,
    "vgg19": VGG19Plan,
}


class VGG(NamedNetwork):
    """(batch, channels, height, width) -> (batch, classifier_width), with the five stages as scales."""

    head = "classifier.6"

    def __init__(self, shape: Shape, plan: VGGPlan):
        super().__init__()
        layers: list[nn.Module] = []
        channels = shape.width
        for width, depth in zip(_WIDTHS, plan.depths, strict=True):
            for _ in range(depth):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if plan.batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(activation(plan.activation))
                channels = width
            layers.append(pooling(plan.pooling, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(_POOLED)
        self.classifier = nn.Sequential(
            nn.Linear(channels * _POOLED**2, plan.classifier_width),
            activation(plan.activation),
            nn.Dropout(plan.dropout),
            nn.Linear(plan.classifier_width, plan.classifier_width),
            activation(plan.activation),
            nn.Dropout(plan.dropout),
        )
        self.shape = Shape("vector", plan.classifier_width, strides=_STRIDES, widths=_WIDTHS)

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The five stages of convolutions, then the two dense layers."""
        stages: list[list[nn.Module]] = [[]]
        for layer in self.features:
            stages[-1].append(layer)
            if _ends_stage(layer):
                stages.append([])
        return [*stages[:-1], [self.classifier[0]], [self.classifier[3]]]

    def forward(self, features: Features) -> Features:
        values, scales = features.values, []
        for layer in self.features:
            values = layer(values)
            if _ends_stage(layer):
                scales.append(values)
        answer = self.classifier(self.avgpool(values).flatten(1))  # pooled: (batch, 512, 7, 7)
        return Features("vector", answer, scales=tuple(scales))


def _ends_stage(layer: nn.Module) -> bool:
    return isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d))
