"""The default layers for pictures: a small residual convolutional network that learns much in little time.

Residual blocks as in He et al. 2016, "Deep Residual Learning for Image Recognition". On a processor the number of
multiplications decides the time, whatever their shape; so the grid shrinks at once, in a stem of overlapping patches,
and layers are wide only where it is small. Stems, widths and depths were measured against others (docs/lab-notes.md).
"""

from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import ClassVar

from torch import Tensor, nn

from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Shape
from lamina.hidden.activations import ActivationName, PoolingName, activation, initialise, pooling
from lamina.hidden.contract import HiddenLayer, HiddenPlan, check_counts, check_pictures

WIDEST_GRID = 24
"""Positions that the stem leaves along the longer side at most; a larger picture is cut into larger patches."""
SMALL_SIDE = 16
"""Pictures up to this side keep every position in the stem."""
LAST_GRID = 5
"""Positions along the longer side at which halving ends, where the depth is left open."""


@dataclass(frozen=True, kw_only=True)
class ConvNetPlan(HiddenPlan):
    """A stem of patches, then stages of residual blocks, each on half the grid at twice the width of the one before."""

    name: ClassVar[str] = "convnet"
    accepts: ClassVar[tuple[Form, ...]] = ("grid",)
    couples_rows: ClassVar[bool] = True

    width: int = 32
    """Channels of the first stage; each later one has twice those of the one before."""
    depth: int | None = None
    """Stages; None halves the grid until its longer side has 5 positions or fewer."""
    blocks: int = 1
    """Residual blocks of two convolutions in each stage."""
    activation: ActivationName = "relu"
    """What follows each convolution."""
    pooling: PoolingName = "max"
    """How the grid is halved between stages."""
    dropout: float = 0.0
    """Share of the answer's numbers that are left out at random in training."""

    def __post_init__(self) -> None:
        check_counts(self, "width", "depth", "blocks")
        if not 0 <= self.dropout < 1:
            raise PlanError(f"convnet: dropout is {self.dropout}; it must be at least 0 and below 1.")

    def build(self, shape: Shape) -> "ConvNet":
        """The network for pictures of this shape.

        Raises:
            ShapeError: if the features are no grid of (height, width), or too small for the depth.
        """
        check_pictures(self, shape)
        stride = _stem_stride(max(shape.space))
        deepest = _halvings(-(-max(shape.space) // stride), until=1) + 1
        if self.depth is not None and self.depth > deepest:
            raise ShapeError(
                f"convnet: a depth of {self.depth} halves the grid {self.depth - 1} times, but pictures of {shape} are "
                f"down to one position after {deepest - 1}. Take a depth of {deepest} or less, or enlarge the pictures."
            )
        network = ConvNet(shape, self, stride)
        initialise(network, "kaiming", self.activation)
        return network


class ConvNet(HiddenLayer):
    """(batch, channels, height, width) -> (batch, width of the last stage), with the stages as scales."""

    def __init__(self, shape: Shape, plan: ConvNetPlan, stride: int):
        super().__init__()
        depth = plan.depth or _halvings(-(-max(shape.space) // stride), until=LAST_GRID) + 1
        widths = [plan.width * 2**number for number in range(depth)]
        # This window and padding round the grid up, so that nothing at the border is lost.
        self.stem = _convolution(shape.width, widths[0], plan.activation, 2 * stride + 1, stride)
        self.stages = nn.ModuleList()
        for number, width in enumerate(widths):
            stage = nn.Sequential()
            if number:
                stage.append(pooling(plan.pooling, 3, stride=2, padding=1))
                stage.append(_convolution(widths[number - 1], width, plan.activation))
            stage.extend(ResidualBlock(width, plan.activation) for _ in range(plan.blocks))
            self.stages.append(stage)
        self.dropout = nn.Dropout(plan.dropout)
        strides = accumulate([stride, *[2] * (depth - 1)], mul)
        self.shape = Shape("vector", widths[-1], strides=tuple(strides), widths=tuple(widths))

    def forward(self, features: Features) -> Features:
        values, scales = self.stem(features.values), []
        for stage in self.stages:
            values = stage(values)
            scales.append(values)
        pooled = values.mean((2, 3))  # (batch, channels, height, width) -> (batch, channels)
        return Features("vector", self.dropout(pooled), scales=tuple(scales))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added; the shape stays."""

    def __init__(self, width: int, name: ActivationName):
        super().__init__()
        self.first = _convolution(width, width, name)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.activation = activation(name)

    def forward(self, values: Tensor) -> Tensor:
        return self.activation(values + self.second(self.first(values)))


def _convolution(inner: int, width: int, name: ActivationName, window: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution, batch norm, an activation; sides become ceil(side / stride)."""
    return nn.Sequential(
        nn.Conv2d(inner, width, window, stride, padding=window // 2, bias=False),
        nn.BatchNorm2d(width),
        activation(name),
    )


def _stem_stride(longer: int) -> int:
    """How far patches lie apart: 1 for the smallest pictures, otherwise 2, 4, ... as `WIDEST_GRID` asks."""
    stride = 1 if longer <= SMALL_SIDE else 2
    while longer > WIDEST_GRID * stride:
        stride *= 2
    return stride


def _halvings(longer: int, until: int) -> int:
    """How often the longer side is halved, rounding up, until it has this many positions or fewer."""
    count = 0
    while longer > until:
        longer, count = -(-longer // 2), count + 1
    return count
