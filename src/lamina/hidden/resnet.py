"""ResNet: He, Zhang, Ren and Sun 2016, "Deep Residual Learning for Image Recognition".

The bottleneck takes its stride in the 3x3 convolution, as published weights expect (Goyal et al. 2017, "Accurate,
Large Minibatch SGD").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from lamina.ground.shapes import Features, Shape
from lamina.hidden.activations import activation
from lamina.hidden.named import SMALL_SIDE, NamedNetwork, NamedPlan

_WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added: (batch, in, h, w) -> (batch, channels, h/stride, ...)."""

    expansion: ClassVar[int] = 1

    def __init__(self, in_channels: int, channels: int, stride: int, name: str):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(in_channels, channels, stride)
        self.activation = activation(name)

    def forward(self, values: Tensor) -> Tensor:
        inner = self.activation(self.bn1(self.conv1(values)))
        inner = self.bn2(self.conv2(inner))
        return self.activation(inner + self.downsample(values))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions around which the input is added; gives four times `channels`."""

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, channels: int, stride: int, name: str):
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)
        self.activation = activation(name)

    def forward(self, values: Tensor) -> Tensor:
        inner = self.activation(self.bn1(self.conv1(values)))
        inner = self.activation(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        return self.activation(inner + self.downsample(values))


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """What brings a block's input to the shape of its answer; nothing where they agree."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


@dataclass(frozen=True, kw_only=True)
class ResNetPlan(NamedPlan):
    """Four stages of residual blocks, then the average over all positions.

    On pictures with a side under 96 the published 7x7 stem moves by 1 and its pooling is left out.
    """

    couples_rows: ClassVar[bool] = True
    smallest: ClassVar[int] = 8
    depths: ClassVar[tuple[int, ...]]
    """Blocks of each stage."""
    block: ClassVar[type[BasicBlock] | type[Bottleneck]]

    stem: Literal["published", "small"] = "published"
    """The first convolution: 7x7 as published, or a 3x3 one that keeps every position, for small pictures."""

    def network(self, shape: Shape) -> "ResNet":
        return ResNet(shape, self)


@dataclass(frozen=True, kw_only=True)
class ResNet18Plan(ResNetPlan):
    """18 layers."""

    name: ClassVar[str] = "resnet18"
    depths: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]] = BasicBlock


@dataclass(frozen=True, kw_only=True)
class ResNet34Plan(ResNetPlan):
    """34 layers."""

    name: ClassVar[str] = "resnet34"
    depths: ClassVar[tuple[int, ...]] = (3, 4, 6, 3)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]] = BasicBlock


@dataclass(frozen=True, kw_only=True)
class ResNet50Plan(ResNetPlan):
    """50 layers."""

    name: ClassVar[str] = "resnet50"
    depths: ClassVar[tuple[int, ...]] = (3, 4, 6, 3)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]] = Bottleneck


@dataclass(frozen=True, kw_only=True)
class ResNet101Plan(ResNetPlan):
    """101 layers."""

    name: ClassVar[str] = "resnet101"
    depths: ClassVar[tuple[int, ...]] = (3, 4, 23, 3)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]] = Bottleneck


@dataclass(frozen=True, kw_only=True)
class ResNet152Plan(ResNetPlan):
    """152 layers."""

    name: ClassVar[str] = "resnet152"
    depths: ClassVar[tuple[int, ...]] = (3, 8, 36, 3)
    block: ClassVar[type[BasicBlock] | type[Bottleneck]] = Bottleneck


RESNETS: dict[str, type[ResNetPlan]] = {
    "resnet18": ResNet18Plan,
    "resnet34": ResNet34Plan,
    "resnet50": ResNet50Plan,
    "resnet101": ResNet101Plan,
    "resnet152": ResNet152Plan,
}


class ResNet(NamedNetwork):
    """(batch, channels, height, width) -> (batch, 512 or 2048), with the four stages as scales."""

    head = "fc"

    def __init__(self, shape: Shape, plan: ResNetPlan):
        super().__init__()
        shrinks = plan.stem == "published" and min(shape.space) >= SMALL_SIDE
        window, stride = (7, 2 if shrinks else 1) if plan.stem == "published" else (3, 1)
        self.conv1 = nn.Conv2d(shape.width, 64, window, stride, padding=window // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.activation = activation(plan.activation)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if shrinks else nn.Identity()
        channels, stages = 64, []
        for number, (width, depth) in enumerate(zip(_WIDTHS, plan.depths, strict=True)):
            blocks = []
            for step in range(depth):
                blocks.append(plan.block(channels, width, 2 if number and not step else 1, plan.activation))
                channels = width * plan.block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.dropout = nn.Dropout(plan.dropout)
        self.shape = Shape(
            "vector",
            channels,
            strides=tuple((4 if shrinks else 1) * 2**number for number in range(len(stages))),
            widths=tuple(width * plan.block.expansion for width in _WIDTHS),
        )

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The stem, then the four stages of blocks."""
        return [[self.conv1, self.bn1], [self.layer1], [self.layer2], [self.layer3], [self.layer4]]

    def forward(self, features: Features) -> Features:
        values = self.maxpool(self.activation(self.bn1(self.conv1(features.values))))
        scales = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            values = stage(values)
            scales.append(values)
        pooled = values.mean((2, 3))  # (batch, channels, height, width) -> (batch, channels)
        return Features("vector", self.dropout(pooled), scales=tuple(scales))
