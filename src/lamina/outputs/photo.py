"""A photo several times as large as the answer: several pixels of each position, added to plain enlarging."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from lamina.data.batch import Block, Chunk, Facts, Ragged, Values
from lamina.data.photo import brightness, cut, each_turned, photo_block, photos_of, whole_steps
from lamina.ground.errors import DataError, PlanError, ShapeError
from lamina.ground.shapes import Features, Form, Geometry, Shape
from lamina.losses import Loss
from lamina.metrics import Metric, psnr
from lamina.outputs.contract import Answers, OutputLayer, OutputPlan
from lamina.outputs.head import weighted_sum
from lamina.outputs.image import decoded, from_bytes

LARGEST = 4
"""The most that photos are enlarged in one go."""


@dataclass(frozen=True, kw_only=True)
class PhotoOutput(OutputPlan):
    """The brightness of a photo, several times as large as what is given."""

    kind: ClassVar[str] = "photo"
    accepts: ClassVar[tuple[Form, ...]] = ("grid",)

    scale: int = 2
    """How many times as large."""

    def __post_init__(self) -> None:
        if not 2 <= self.scale <= LARGEST:
            raise PlanError(f"{self.column}.scale: {self.scale} does not do: it is from 2 to {LARGEST}.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """How many photos there are.

        Raises:
            DataError: if there are none.
        """
        rows = sum(len(chunk) - chunk.frame[self.column].null_count() for chunk in chunks)
        if not rows:
            raise DataError(f"Column {self.column!r} holds no pictures, only gaps: there is nothing to learn from.")
        return {"rows": rows}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """Brightness of each photo, without rows and columns that make no whole step, one after the other."""
        return photo_block(chunk, self.column, lambda picture: brightness(whole_steps(picture, self.scale)))

    def build(self, facts: Facts, shape: Shape) -> "PhotoAnswer":
        """The layer.

        Raises:
            ShapeError: if the features have no scale to begin from.
        """
        if shape.form != "grid" or not shape.strides or shape.strides[0] != 1:
            raise ShapeError(
                f"outputs.{self.column}: a photo is enlarged from features that hand the small one on, as those of "
                f"`enlarger` do; {shape} ({shape.form}) has none."
            )
        return PhotoAnswer(self.column, self.scale, shape)


class PhotoAnswer(OutputLayer):
    """(batch, channels, height, width) features -> (batch, 1, 1, scale * height, scale * width) from -1 to 1.

    The pixels of each position stand beside each other as channels first (Shi et al. 2016, "Real-time single image and
    video super-resolution using an efficient sub-pixel convolutional neural network").
    """

    follows = frozenset({"top", "left", "side", "turn"})
    decides = "psnr"

    def __init__(self, column: str, scale: int, shape: Shape):
        """Enlarge `scale` times."""
        super().__init__()
        self.scale = scale
        self._column = column
        self.shown = Shape("grid", 1, tuple(side * scale for side in shape.space))
        self.pixels = nn.Conv2d(shape.width, scale**2, 3, padding=1)
        with torch.no_grad():
            self.pixels.weight.mul_(0.1)  # it begins near to plain enlarging
            self.pixels.bias.zero_()  # type: ignore[union-attr]

    def forward(self, features: Features, targets: Values | None = None) -> Tensor:
        small = features.scales[0][:, :1]
        plain = functional.interpolate(small, scale_factor=self.scale, mode="bicubic", align_corners=False)
        return (plain + functional.pixel_shuffle(self.pixels(features.values), self.scale))[:, None]

    def loss(self, raw: Tensor, targets: Values, weight: Tensor | None = None) -> Loss:
        """The mean difference of brightness; of whole photos, that of the square in the middle."""
        return Loss(*weighted_sum((raw - self.shows(targets, raw)[:, None]).abs().mean((2, 3, 4)), weight))

    def shows(self, targets: Values, raw: Tensor) -> Tensor:
        """Brightness (batch, 1, height, width) from -1 to 1 of what of the targets an answer is about."""
        return from_bytes(self.seen(targets, raw)[:, 0])

    def seen(self, targets: Values, raw: Tensor) -> Tensor:
        """(batch, 1, 1, height, width) of uint8: what of the targets an answer is about."""
        if isinstance(targets, Ragged):
            photos, side = photos_of(targets), raw.shape[-1]
            small = side // self.scale
            tops, lefts = (
                [max(photo.shape[axis] // self.scale - small, 0) // 2 * self.scale for photo in photos]
                for axis in (0, 1)
            )
            targets = cut(photos, tops, lefts, side)
        return targets[:, None]

    def follow(self, targets: Values, geometry: Geometry) -> Values:
        """The squares of the large photos that belong to those of the small ones: (batch, 1, side, side) of uint8."""
        if "top" not in geometry:
            return targets
        assert isinstance(targets, Ragged)
        tops, lefts = ((geometry[name] * self.scale).tolist() for name in ("top", "left"))
        side = int(geometry["side"][0]) * self.scale
        return each_turned(cut(photos_of(targets), tops, lefts, side), geometry["turn"])

    def decode(self, raw: Tensor, context: Mapping[str, pl.Series]) -> Answers:
        """Brightness as (rows, 1, height, width) of uint8."""
        return decoded(raw, self._column)

    def metrics(self) -> Mapping[str, Metric]:
        """PSNR of what an answer is about; whole photos are measured by `run/evaluate_photos`."""

        def measure(scores: np.ndarray, truth: np.ndarray) -> float:
            bytes_of = [torch.from_numpy(np.asarray(row)) for row in truth]
            offsets = torch.tensor([0, *(len(row) for row in bytes_of)]).cumsum(0)
            seen = self.seen(Ragged(torch.cat(bytes_of), offsets), torch.from_numpy(scores))
            return psnr(scores, seen[:, 0].numpy())

        return {"psnr": Metric("psnr", measure, True, "PSNR")}
