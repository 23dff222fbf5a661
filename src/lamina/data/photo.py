"""Photos of any size as rows of one array, and their brightness and colour apart.

People see detail in brightness and hardly in colour, so enlarging learns brightness alone; figures of enlarged photos
are taken of it by custom. It is that of ITU-R BT.601 for television: from 16 to 235.
"""

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lamina.data.batch import Block, Chunk, Ragged
from lamina.data.picture import decode
from lamina.ground.errors import DataError

_WEIGHTS = np.array([
    [65.481, 128.553, 24.966],
    [-37.797, -74.203, 112.0],
    [112.0, -93.786, -18.214],
]) / 255  # fmt: skip
_BASE = np.array([16.0, 128.0, 128.0])
_HEAD = 4
"""Bytes in front of each photo's pixels: height and width, two each."""
_LONGEST = 65_535


def apart(picture: np.ndarray) -> np.ndarray:
    """Brightness and two colours, (height, width, 3) float64, of a picture (height, width, 1 or 3) of uint8."""
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    return picture.astype(np.float64) @ _WEIGHTS.T + _BASE


def together(parts: np.ndarray) -> np.ndarray:
    """The opposite of `apart`: (height, width, 3) of uint8."""
    return ((parts - _BASE) @ np.linalg.inv(_WEIGHTS).T).round().clip(0, 255).astype(np.uint8)


def brightness(picture: np.ndarray) -> np.ndarray:
    """(height, width) of uint8 of a picture (height, width, 1 or 3) of uint8, with little memory for large ones."""
    weights = _WEIGHTS[0].astype(np.float32)
    bright = picture @ (weights if picture.shape[2] == 3 else weights.sum(keepdims=True))
    return (bright + np.float32(_BASE[0])).round().astype(np.uint8)


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (height, width, 1 or 3) of uint8 in another size, by bicubic interpolation; shrinking averages."""
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)).reshape(height, width, -1)


def whole_steps(picture: np.ndarray, scale: int) -> np.ndarray:
    """The picture without the last rows and columns that make no whole step of `scale`."""
    height, width = (side - side % scale for side in picture.shape[:2])
    return picture[:height, :width]


def photo_block(chunk: Chunk, column: str, change: Callable[[np.ndarray], np.ndarray]) -> Block:
    """Photos of a column one after the other, as bytes with their sizes in front.

    Args:
        chunk: with the column.
        column: of pictures.
        change: a decoded picture (height, width, channels) to what is kept of it, (height, width) of uint8.
    """
    kept, problems = [], {}
    for entry, reference in enumerate(chunk.frame[column].to_list()):
        photo = np.zeros((1, 1), dtype=np.uint8)
        if reference is None:
            problems[entry] = f"{column} is a gap: no picture is given"
        else:
            try:
                photo = change(decode(chunk.open(column, reference), reference))
                if max(photo.shape) > _LONGEST or min(photo.shape) < 1:
                    raise DataError(f"{reference} is {photo.shape[0]} x {photo.shape[1]}: too small or too large.")
            except DataError as error:
                problems[entry] = str(error)
                photo = np.zeros((1, 1), dtype=np.uint8)
        kept.append(photo)
    return Block(*packed(kept), problems=problems)


def packed(photos: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Photos, each (height, width) of uint8, as values and offsets."""
    rows = [np.frombuffer(struct.pack(">HH", *photo.shape) + photo.tobytes(), dtype=np.uint8) for photo in photos]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return np.concatenate(rows) if rows else np.zeros(0, np.uint8), offsets


def photos_of(values: Ragged) -> list[Tensor]:
    """Each photo, (height, width) of uint8, as a view."""
    found = []
    offsets = values.offsets.tolist()
    for start, end in pairwise(offsets):
        head = values.values[start : start + _HEAD].tolist()
        found.append(values.values[start + _HEAD : end].view(head[0] * 256 + head[1], head[2] * 256 + head[3]))
    return found


def cut(photos: Sequence[Tensor], tops: Sequence[int], lefts: Sequence[int], side: int) -> Tensor:
    """(photos, 1, side, side): a square of each, from a place on; what lies beyond the border repeats it."""
    squares = []
    for photo, top, left in zip(photos, tops, lefts, strict=True):
        square = photo[top : top + side, left : left + side]
        if square.shape != (side, side):
            lines = torch.arange(top, top + side, device=photo.device).clamp(max=photo.shape[0] - 1)
            columns = torch.arange(left, left + side, device=photo.device).clamp(max=photo.shape[1] - 1)
            square = photo[lines][:, columns]
        squares.append(square)
    return torch.stack(squares)[:, None]


def turned(photos: Tensor, turn: int) -> Tensor:
    """Photos (..., height, width) transposed, flipped down and flipped sideways as three bits of `turn` say."""
    photos = photos.mT if turn & 1 else photos
    return photos.flip(_flips(turn))


def turned_back(photos: Tensor, turn: int) -> Tensor:
    """What undoes `turned`."""
    photos = photos.flip(_flips(turn))
    return photos.mT if turn & 1 else photos


def _flips(turn: int) -> list[int]:
    return [axis for bit, axis in ((2, -2), (4, -1)) if turn & bit]


def each_turned(squares: Tensor, turns: Tensor) -> Tensor:
    """Squares (batch, ..., side, side), each turned in its own way."""
    made = squares.clone()
    for turn in turns.unique().tolist():
        chosen = turns == turn
        made[chosen] = turned(squares[chosen], turn)
    return made
