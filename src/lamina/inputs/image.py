"""Pictures: decoded and brought to one size once, normalised and varied in batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.album import FINER, Colour, album_block, album_shape, look_through
from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Values
from lamina.ground.errors import PlanError
from lamina.ground.shapes import Features, Geometry, Shape, grid
from lamina.inputs._augment import Amounts, vary
from lamina.inputs.contract import InputLayer, InputPlan

LEAST = 4
"""The least side, in pixels."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of red, green and blue, of 1, by which the pictures of published weights were normalised."""


@dataclass(frozen=True, kw_only=True)
class ImageInput(InputPlan):
    """One column of pictures, each brought to the same size."""

    kind: ClassVar[str] = "image"

    side: int | None = None
    """The longer side in pixels; None keeps that of a typical training picture, up to 64."""
    colour: Colour = "auto"
    """Channels: one or three; `auto` takes one when all sampled training pictures are grey."""
    normalise: Literal["data", "imagenet"] = "data"
    """By which mean and deviation: the training pictures' own, or ImageNet's, as published weights expect."""
    mirror: bool | None = None
    """Whether half of the pictures are mirrored, left to right; None, as long as nobody has found out: no."""
    strength: float | None = None
    """What all amounts below are multiplied by; None takes from 0.7 for many training pictures to 2 for few."""
    shift: float = 0.08
    """The most that a picture is moved, as part of its height and width."""
    rotate: float = 8.0
    """The most that it is turned, in degrees."""
    zoom: float = 0.1
    """The most that it is enlarged or made smaller, as part of its size."""
    shear: float = 0.1
    """The most that it is slanted, as sideways movement per row."""
    jitter: float = 0.2
    """The most that contrast and brightness change, as part of what is usual."""
    erase: float = 0.15
    """Side of a square that is covered, as part of the picture's."""

    looks: bool = True
    """Whether answers average several looks at each picture: moved by a pixel, and mirrored where that is allowed."""

    def __post_init__(self) -> None:
        if len(self.columns) != 1:
            raise PlanError(f"An image input reads one column, but is given {len(self.columns)}: {self.columns}.")
        where = self.columns[0]
        if self.side is not None and self.side < LEAST:
            raise PlanError(f"{where}.side: {self.side} does not do: it is {LEAST} pixels or more.")
        for setting in ("strength", "rotate", "zoom", "shear", "jitter"):
            if (value := getattr(self, setting)) is not None and value < 0:
                raise PlanError(f"{where}.{setting}: {value:g} does not do: it is 0, which leaves it out, or more.")
        for setting in ("shift", "erase"):
            if not 0 <= (value := getattr(self, setting)) < 1:
                raise PlanError(f"{where}.{setting}: {value:g} does not do: it is from 0 to below 1.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """Size, channels, mean and deviation of each channel, from a sample; and how many pictures there are.

        Raises:
            DataError: if the column holds no picture that can be read.
        """
        return look_through(chunks, self.columns[0], self.side, self.colour)

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, channels, height, width) of uint8; a gap or a picture that cannot be read is a problem."""
        return album_block(chunk, self.columns[0], facts)

    def depends_on(self, facts: Facts) -> object:
        """Size and fineness alone: how pictures are varied and normalised does not change what is kept of them."""
        return [self.kind, list(self.columns), *album_shape(facts), FINER]

    def build(self, facts: Facts) -> "ImageLayer":
        """The layer, with mean and deviation in its buffers."""
        amounts = self._amounts(int(facts["rows"]))  # type: ignore[call-overload]
        return ImageLayer(album_shape(facts), self._normal(facts), amounts, self.looks)

    def _normal(self, facts: Facts) -> np.ndarray:
        """(2, channels) mean and deviation, of 255; grey pictures take the average of ImageNet's channels."""
        if self.normalise == "data":
            return np.array([facts["mean"], facts["deviation"]], dtype=np.float64)
        normal = 255 * np.array(IMAGENET)
        return normal if facts["channels"] == 3 else normal.mean(1, keepdims=True)

    def _amounts(self, rows: int) -> Amounts:
        strength = strength_for(rows) if self.strength is None else self.strength
        return Amounts(
            mirror=bool(self.mirror),
            shift=min(self.shift * strength, 0.9),
            bent=min(strength / 2, 1),
            rotate=self.rotate * strength,
            zoom=self.zoom * strength,
            shear=self.shear * strength,
            colour=self.jitter * strength,
            erase=self.erase * strength,
        )


def strength_for(rows: int) -> float:
    """How strongly to vary pictures of which there are this many: 2 up to 1,700, 1 at 5,000, 0.7 from 8,500.

    Many pictures are seen but a few dozen times in some minutes, and then strong variation only slows learning
    (measured: docs/lab-notes.md, Pictures 8).
    """
    return min(max((5_000 / rows) ** (2 / 3), 0.7), 2.0)


class ImageLayer(InputLayer):
    """(batch, channels, height, width) of uint8 -> the same as float32, normalised channel by channel."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: tuple[int, int, int], normal: np.ndarray, amounts: Amounts, looks: bool):
        """A layer for pictures of (channels, height, width); `normal` is (2, channels), mean and deviation of 255."""
        super().__init__()
        self.looks = looks
        self.shape = Shape("grid", shape[0], shape[1:])
        self.amounts = amounts
        for name, values in zip(("mean", "deviation"), normal, strict=True):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, values: Values) -> Features:
        assert isinstance(values, Tensor)
        return grid((values.to(self.mean.dtype) - self.mean) / self.deviation)

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """Pictures as float32, still from 0 to 255, each varied in its own way; and how they were moved."""
        assert isinstance(values, Tensor)
        return vary(values.to(self.mean.dtype), self.amounts, self.mean, self.deviation, generator, place)

    def views(self, values: Values) -> list[Values]:
        """The pictures, moved by a pixel along both diagonals, and all of these mirrored where that keeps the meaning.

        Looks like these, five of them, were worth 0.1 to 2.1 points of accuracy (docs/lab-notes.md, Pictures 5).
        """
        assert isinstance(values, Tensor)
        if not self.looks:
            return [values]
        padded = functional.pad(values.to(self.mean.dtype), (1, 1, 1, 1), mode="replicate")
        height, width = values.shape[2:]
        seen = [padded[:, :, at : at + height, at : at + width] for at in (1, 0, 2)]
        return [*seen, *(look.flip(-1) for look in seen)] if self.amounts.mirror else list(seen)
