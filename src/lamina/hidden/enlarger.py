"""Layers for enlarging: residual convolutions that keep the grid, and hand on what they were given beside it.

The form is that of Lim et al. 2017, "Enhanced deep residual networks for single image super-resolution", without norms:
those would forget how bright a photo is.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from lamina.ground.shapes import Features, Form, Shape, grid
from lamina.hidden.contract import HiddenLayer, HiddenPlan, check_counts, check_pictures


@dataclass(frozen=True, kw_only=True)
class EnlargerPlan(HiddenPlan):
    """Blocks of two convolutions, around which their input is added."""

    name: ClassVar[str] = "enlarger"
    accepts: ClassVar[tuple[Form, ...]] = ("grid",)

    width: int = 32
    """Channels."""
    blocks: int = 5
    """Blocks; each looks two pixels farther."""

    def __post_init__(self) -> None:
        check_counts(self, "width", "blocks")

    @property
    def reach(self) -> int:
        """How many pixels away something may lie that changes what is made of a pixel."""
        return 2 * self.blocks + 1

    def build(self, shape: Shape) -> "Enlarger":
        """The layers for pictures of this shape.

        Raises:
            ShapeError: if the features are no grid of (height, width).
        """
        check_pictures(self, shape)
        return Enlarger(shape, self)


class Enlarger(HiddenLayer):
    """(batch, channels, height, width) -> (batch, width, height, width) of any size, with its input as a scale."""

    def __init__(self, shape: Shape, plan: EnlargerPlan):
        super().__init__()
        self.first = nn.Conv2d(shape.width, plan.width, 3, padding=1)
        self.blocks = nn.Sequential(*(_Block(plan.width) for _ in range(plan.blocks)))
        self.shape = Shape("grid", plan.width, shape.space, strides=(1,), widths=(shape.width,))

    def forward(self, features: Features) -> Features:
        first = self.first(features.values)
        return grid(first + self.blocks(first), scales=(features.values,))


class _Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, values: Tensor) -> Tensor:
        return values + self.layers(values)
