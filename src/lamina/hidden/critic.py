"""What judges pictures that another network makes: convolutions that shrink the grid, without any norm.

A critic's gradients are held small by a penalty on their length; norms over a batch would make that length depend on
the other rows, and are not needed (Huang et al. 2024, "The GAN is dead; long live the GAN!").
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from lamina.ground.shapes import Features, Form, Shape
from lamina.hidden.contract import HiddenLayer, HiddenPlan, check_counts, check_pictures
from lamina.hidden.generator import MOST_TIMES

LAST_GRID = 4
"""Positions along the longer side at which halving ends, where the number of stages is left open."""
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class CriticPlan(HiddenPlan):
    """Stages that each halve the grid at twice the channels, then a dense layer over all that is left."""

    name: ClassVar[str] = "critic"
    accepts: ClassVar[tuple[Form, ...]] = ("grid",)

    width: int = 32
    """Channels of the first stage; each later one has twice those of the one before, up to 8 times."""
    stages: int | None = None
    """How often the grid is halved; None halves it until its longer side has 4 positions or fewer."""
    features: int = 128
    """Numbers that a picture comes to."""

    def __post_init__(self) -> None:
        check_counts(self, "width", "stages", "features")

    def build(self, shape: Shape) -> "CriticBody":
        """The network for pictures of this shape.

        Raises:
            ShapeError: if the features are no grid of (height, width).
        """
        check_pictures(self, shape)
        return CriticBody(shape, self)


class CriticBody(HiddenLayer):
    """(batch, channels, height, width) -> (batch, features), with what each stage makes as scales."""

    def __init__(self, shape: Shape, plan: CriticPlan):
        super().__init__()
        stages = plan.stages or _halvings(max(shape.space))
        inner, (height, width) = shape.width, shape.space
        widths = tuple(plan.width * min(2**stage, MOST_TIMES) for stage in range(stages))
        self.stages = nn.ModuleList()
        for outer in widths:
            self.stages.append(nn.Sequential(
                nn.ZeroPad2d((1, 1 + width % 2, 1, 1 + height % 2)),  # an odd side is rounded up
                nn.Conv2d(inner, outer, 4, stride=2), nn.LeakyReLU(_SLOPE)
            ))  # fmt: skip
            inner, height, width = outer, -(-height // 2), -(-width // 2)
        self.last = nn.Linear(inner * height * width, plan.features)
        self.activation = nn.LeakyReLU(_SLOPE)
        strides = tuple(2 ** (stage + 1) for stage in range(stages))
        self.shape = Shape("vector", plan.features, strides=strides, widths=widths)

    def forward(self, features: Features) -> Features:
        values, scales = features.values, []
        for stage in self.stages:
            values = stage(values)
            scales.append(values)
        return Features("vector", self.activation(self.last(values.flatten(1))), scales=tuple(scales))


def _halvings(longer: int) -> int:
    count = 0
    while longer > LAST_GRID:
        longer, count = -(-longer // 2), count + 1
    return max(count, 1)
