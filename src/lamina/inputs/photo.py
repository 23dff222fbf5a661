"""Photos of any size, made small: what a network that enlarges them sees. Training sees squares cut out of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Ragged, Values
from lamina.data.photo import brightness, cut, each_turned, photo_block, photos_of, resized, whole_steps
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Geometry, Shape, grid
from lamina.inputs.contract import InputLayer, InputPlan


@dataclass(frozen=True, kw_only=True)
class PhotoInput(InputPlan):
    """One column of photos: those to be enlarged, or large ones that are made small first."""

    kind: ClassVar[str] = "photo"

    scale: int = 2
    """How many times smaller they are made; 1 takes them as they are, where a column of small ones is given."""
    side: int = 24
    """Side of the squares that training sees, in pixels of the small photo."""
    looks: bool = True
    """Whether enlarging averages the eight ways in which a photo can be turned and mirrored, once training is over."""

    def __post_init__(self) -> None:
        if len(self.columns) != 1:
            raise PlanError(f"A photo input reads one column, but is given {len(self.columns)}: {self.columns}.")
        if self.scale < 1 or self.side < 4:
            raise PlanError(f"{self.columns[0]}: scale is at least 1, side 4; found {self.scale} and {self.side}.")

    def fit(self, chunks: Iterable[Chunk]) -> Facts:
        """How many photos there are.

        Raises:
            DataError: if there are none.
        """
        rows = sum(len(chunk) - chunk.frame[self.columns[0]].null_count() for chunk in chunks)
        if not rows:
            raise DataError(f"Column {self.columns[0]!r} holds no pictures, only gaps: there is nothing to learn from.")
        return {"rows": rows}

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """Brightness of each photo, small, one after the other."""

        def small(picture: np.ndarray) -> np.ndarray:
            picture = whole_steps(picture, self.scale)
            height, width = (side // self.scale for side in picture.shape[:2])
            if min(height, width) < 1:
                raise DataError("a photo is smaller than the scale")
            return brightness(picture if self.scale == 1 else resized(picture, height, width))

        return photo_block(chunk, self.columns[0], small)

    def depends_on(self, facts: Facts) -> object:
        """The column and the scale: where squares are cut is left to training."""
        return [self.kind, list(self.columns), self.scale]

    def build(self, facts: Facts) -> "PhotoLayer":
        """The layer; it has nothing to learn."""
        return PhotoLayer(self.side)


class PhotoLayer(InputLayer):
    """Brightness of 0 to 255 -> (batch, 1, height, width) from -1 to 1; of whole photos, the square in the middle."""

    def __init__(self, side: int):
        """A layer whose squares have this side."""
        super().__init__()
        self.side = side
        self.shape = Shape("grid", 1, (side, side))

    def forward(self, values: Values) -> Features:
        if isinstance(values, Ragged):
            photos = photos_of(values)
            tops, lefts = ([max(photo.shape[axis] - self.side, 0) // 2 for photo in photos] for axis in (0, 1))
            values = cut(photos, tops, lefts, self.side)
        return grid(values.float() / 127.5 - 1)

    def augment(self, values: Values, generator: torch.Generator, place: Place = WHOLE) -> tuple[Values, Geometry]:
        """A square of each photo, somewhere, perhaps turned or mirrored: (batch, 1, side, side) of uint8.

        The geometry says where: `top`, `left`, `side` in pixels of the small photo, and `turn`, 0 to 7.
        """
        assert isinstance(values, Ragged)
        photos = photos_of(values)
        rows = place.whole or len(photos)
        drawn = torch.rand(rows, 3, generator=generator, device=values.values.device)
        drawn = drawn[place.start : place.start + len(photos)]
        room = torch.tensor([[max(photo.shape[axis] - self.side, 0) + 1 for axis in (0, 1)] for photo in photos])
        at = (drawn[:, :2].cpu() * room).long()
        turn = (drawn[:, 2] * 8).long().cpu()
        squares = cut(photos, at[:, 0].tolist(), at[:, 1].tolist(), self.side)
        side = torch.full((len(photos),), self.side)
        return each_turned(squares, turn), {"top": at[:, 0], "left": at[:, 1], "side": side, "turn": turn}
