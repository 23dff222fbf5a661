"""From a vector to a picture's worth of features: what a network that makes pictures is built of.

Each stage doubles the grid by a transposed convolution. Its channels are then normalised row by row and scaled and
shifted as the vector says (Huang and Belongie 2017, "Arbitrary style transfer"; Karras et al. 2019): so what is asked
for reaches every stage, and rows do not depend on each other.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Form, Shape, grid
from lamina.hidden.contract import HiddenLayer, HiddenPlan, check_counts

MOST_TIMES = 8
"""Channels of the coarsest grid are at most this many times those of the finest."""
_SLOPE = 0.2
"""Of the leaky rectifier, on negative numbers."""


@dataclass(frozen=True, kw_only=True)
class GeneratorPlan(HiddenPlan):
    """A dense layer onto a coarse grid, then stages that each double it at half the channels."""

    name: ClassVar[str] = "generator"
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)

    width: int = 32
    """Channels of the finest grid; each coarser one has twice those of the next, up to 8 times."""
    grid: tuple[int, int] = (4, 4)
    """Height and width of the coarsest grid."""
    stages: int = 2
    """How often the grid is doubled."""

    def __post_init__(self) -> None:
        check_counts(self, "width")
        if self.stages < 0:
            raise PlanError(f"generator: stages is {self.stages}; it must be 0 or more.")
        if len(self.grid) != 2 or min(self.grid) < 1:
            raise PlanError(f"generator: grid is {list(self.grid)}; it takes a height and a width of at least 1.")

    def build(self, shape: Shape) -> "Generator":
        """The network for vectors of this shape."""
        return Generator(shape, self)


class Generator(HiddenLayer):
    """(batch, width) -> (batch, channels, height, width), with the grid doubled `stages` times."""

    def __init__(self, shape: Shape, plan: GeneratorPlan):
        super().__init__()
        height, width = plan.grid
        widths = [plan.width * min(2**stage, MOST_TIMES) for stage in reversed(range(plan.stages + 1))]
        self.coarsest = (widths[0], height, width)
        self.first = nn.Linear(shape.width, widths[0] * height * width)
        self.styles = nn.ModuleList(Style(shape.width, width) for width in widths)
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(inner, outer, 4, stride=2, padding=1, bias=False) for inner, outer in pairwise(widths)
        )
        self.shape = Shape("grid", widths[-1], (height << plan.stages, width << plan.stages))

    def forward(self, features: Features) -> Features:
        asked = features.values
        values = self.styles[0](self.first(asked).unflatten(1, self.coarsest), asked)
        for doubling, style in zip(self.doublings, self.styles[1:], strict=True):
            values = style(doubling(values), asked)
        return grid(values)


class Style(nn.Module):
    """Channels normalised over each row's grid, then scaled and shifted as a vector says, then rectified."""

    def __init__(self, asked: int, channels: int):
        super().__init__()
        self.change = nn.Linear(asked, 2 * channels)

    def forward(self, values: Tensor, asked: Tensor) -> Tensor:
        scale, shift = self.change(asked)[:, :, None, None].chunk(2, dim=1)
        return functional.leaky_relu(torch.addcmul(shift, functional.group_norm(values, 1), 1 + scale), _SLOPE)
