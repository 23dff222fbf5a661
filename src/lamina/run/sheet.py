"""Pictures side by side on one sheet, and how they get into a report."""

import base64
import io

import numpy as np
from PIL import Image

GAP = 2
"""Pixels between neighbours, white."""
LEAST_SIDE = 32
"""Smaller pictures are shown enlarged by a whole number, so that people can see them."""


def sheet(pictures: np.ndarray, columns: int) -> Image.Image:
    """One picture of many, row by row.

    Args:
        pictures: (pictures, channels, height, width) of uint8.
        columns: how many stand beside each other.
    """
    count, channels, height, width = pictures.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    times = -(-LEAST_SIDE // max(height, width))
    pictures = pictures.repeat(times, axis=2).repeat(times, axis=3)
    height, width = height * times + GAP, width * times + GAP
    whole = np.full((rows * height - GAP, columns * width - GAP, channels), 255, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * height, number % columns * width
        whole[top : top + height - GAP, left : left + width - GAP] = picture.transpose(1, 2, 0)
    return Image.fromarray(whole[:, :, 0] if channels == 1 else whole)


def image(picture: np.ndarray) -> Image.Image:
    """One picture, as large as it is; (channels, height, width) of uint8."""
    return Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))


def png(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def as_url(image: bytes) -> str:
    """A PNG as a page holds it."""
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"
