"""LeNet-5: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document Recognition"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from lamina.ground.shapes import Features, Shape, vector
from lamina.hidden.activations import PoolingName, activation, pooling
from lamina.hidden.named import NamedNetwork, NamedPlan

_PAPER_SIDE = 32


@dataclass(frozen=True, kw_only=True)
class LeNetPlan(NamedPlan):
    """Two 5x5 convolutions of 6 and 16 maps, then dense layers of 120 and 84.

    The paper's own choice is `activation: tanh, pooling: average`; its trained sub-sampling coefficients and its
    table of partly connected maps are left out, as nearly everyone has done since. Pictures under 32 x 32 are padded
    by 2 at each border, as the paper does with its 28 x 28 digits.
    """

    name: ClassVar[str] = "lenet"
    smallest: ClassVar[int] = 12

    pooling: PoolingName = "max"
    """How maps are halved."""

    def network(self, shape: Shape) -> "LeNet":
        return LeNet(shape, self)


class LeNet(NamedNetwork):
    """(batch, channels, height, width) -> (batch, 84)."""

    def __init__(self, shape: Shape, plan: LeNetPlan):
        super().__init__()
        padding = 2 if min(shape.space) < _PAPER_SIDE else 0
        # A side after each step: convolution takes 4 off its padded length, pooling halves.
        rows, columns = (((side + 2 * padding - 4) // 2 - 4) // 2 for side in shape.space)
        self.features = nn.Sequential(
            nn.Conv2d(shape.width, 6, 5, padding=padding),
            activation(plan.activation),
            pooling(plan.pooling, 2),
            nn.Conv2d(6, 16, 5),
            activation(plan.activation),
            pooling(plan.pooling, 2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(plan.dropout),
            nn.Linear(16 * rows * columns, 120),
            activation(plan.activation),
            nn.Dropout(plan.dropout),
            nn.Linear(120, 84),
            activation(plan.activation),
        )
        self.shape = Shape("vector", 84)

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The two convolutions, then the two dense layers."""
        return [[self.features[0]], [self.features[3]], [self.classifier[1]], [self.classifier[4]]]

    def forward(self, features: Features) -> Features:
        return vector(self.classifier(self.features(features.values).flatten(1)))
