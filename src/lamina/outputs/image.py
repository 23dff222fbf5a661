"""A picture as the answer: features on a grid to pixels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from lamina.data.album import Colour, album_block, album_shape, look_through
from lamina.data.batch import Block, Chunk, Facts, Values
from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, picture_metrics
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.head import weighted_sum


@dataclass(frozen=True, kw_only=True)
class ImageOutput(OutputPlan):
    """A picture of one size."""

    kind: ClassVar[str] = "image"
    accepts: ClassVar[tuple[Form, ...]] = ("grid",)

    side: int | None = None
    """The longer side in pixels; None keeps that of a typical training picture, up to 64."""
    colour: Colour = "auto"
    """Channels: one or three; `auto` takes one when all sampled training pictures are grey."""

    def __post_init__(self) -> None:
        if self.side is not None and self.side < 1:
            raise PlanError(f"{self.column}.side: {self.side} does not do: it is 1 pixel or more.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """Size and channels of a typical picture.

        Raises:
            DataError: if the column holds no picture that can be read.
        """
        return look_through(chunks, self.column, self.side, self.colour)

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, channels, height, width) of uint8: pictures of other sizes are brought to this one."""
        return album_block(chunk, self.column, facts)

    def build(self, facts: Facts, shape: Shape) -> "ImageAnswer":
        """The layer.

        Raises:
            ShapeError: if the features lie on no grid.
        """
        if shape.form != "grid" or len(shape.space) != 2:
            raise ShapeError(f"outputs.{self.column}: a picture is made of a grid of (height, width), not of {shape}.")
        return ImageAnswer(self.column, album_shape(facts), shape)


class ImageAnswer(OutputLayer):
    """(batch, channels, height, width) features -> (batch, 1, channels, height, width) brightness from -1 to 1."""

    decides = "psnr"

    def __init__(self, column: str, size: tuple[int, int, int], shape: Shape):
        """Pictures of `size` (channels, height, width), cut from the middle of the grid.

        A grid smaller than the picture gives several pixels at each position (Shi et al. 2016, "Real-time single image
        and video super-resolution using an efficient sub-pixel convolutional neural network").
        """
        super().__init__()
        self.size = size
        self.shown = Shape("grid", size[0], size[1:])
        self._column = column
        finer = max(-(-wanted // there) for wanted, there in zip(size[1:], shape.space, strict=True))
        self.pixels = nn.Conv2d(shape.width, size[0] * finer**2, 3, padding=1)
        self.finer = nn.PixelShuffle(finer)
        self._top, self._left = (
            (there * finer - wanted) // 2 for there, wanted in zip(shape.space, size[1:], strict=True)
        )

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        _, height, width = self.size
        made = self.finer(self.pixels(features.values))
        made = made[:, :, self._top : self._top + height, self._left : self._left + width]
        return torch.tanh(made)[:, None]

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The mean difference of brightness."""
        return Loss(*weighted_sum((raw - self.shows(targets, raw)[:, None]).abs().mean((2, 3, 4)), weight))

    def shows(self, targets: Values, raw: Tensor) -> Tensor:
        """Pictures (batch, channels, height, width) from -1 to 1."""
        assert isinstance(targets, Tensor)
        return from_bytes(targets)

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Pictures as (rows, channels, height, width) uint8; for people each as (height, width, channels)."""
        return decoded(raw, self._column)

    def metrics(self) -> Mapping[str, Metric]:
        return picture_metrics()


def decoded(raw: Tensor, column: str) -> Answers:
    """Brightness (rows, members, channels, height, width) from -1 to 1 as pictures: the members' mean."""
    pictures = to_bytes(raw.mean(1)).cpu().numpy()
    shown = np.empty(len(pictures), dtype=object)
    shown[:] = list(pictures.transpose(0, 2, 3, 1))
    return Answers(pictures, {column: shown})


def from_bytes(pictures: Tensor) -> Tensor:
    """Brightness of 0 to 255 as -1 to 1."""
    return pictures.float() / 127.5 - 1


def to_bytes(pictures: Tensor) -> Tensor:
    """Brightness of -1 to 1 as 0 to 255, rounded and kept within."""
    return ((pictures.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
