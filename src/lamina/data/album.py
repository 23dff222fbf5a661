"""The pictures of a column, looked at together: how many, how large, grey or coloured; and brought to one size."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from lamina.data.batch import Block, Chunk, Facts
from lamina.data.picture import decode, size
from lamina.ground.errors import DataError

Seen = TypeVar("Seen")
Colour = Literal["auto", "grey", "colour"]
"""Channels: one or three; `auto` takes one when all sampled pictures are grey."""

SAMPLED = 256
"""Training pictures that are looked at to learn size, colour and brightness; chosen by row number alone."""
LARGEST = 64
"""The longer side that larger pictures are brought to when none is given, in pixels."""
FINER = 2
"""Times the wanted sides that a picture is decoded at, at least, before it is brought to them."""
TINT = 8
"""Channels of a grey picture kept as colour differ by no more than this, of 255: what JPEG may add."""


def look_through(chunks: Iterable[Chunk], column: str, side: int | None, colour: Colour) -> Facts:
    """Size, channels, mean and deviation of each channel, from a sample; and how many pictures there are.

    Args:
        chunks: with the column.
        column: of pictures.
        side: the longer side in pixels; None keeps that of a typical picture, up to 64.
        colour: how many channels.

    Raises:
        DataError: if the column holds no picture that can be read.
    """
    sample, rows = _sample(chunks, column)
    if not rows:
        raise DataError(f"Column {column!r} holds no pictures, only gaps: there is nothing to learn from.")
    height, width = _typical(_readable(sample, column, size), side)
    finer = partial(decode, enough=(FINER * height, FINER * width))
    pictures = [
        (_is_grey(picture), fitted(picture, height, width, 3))  # large pictures are not kept as they come
        for picture in _readable(sample, column, finer)
    ]
    grey = colour == "grey" or (colour == "auto" and all(is_grey for is_grey, _ in pictures))
    channels = 1 if grey else 3
    pixels = np.stack([fitted(picture.transpose(1, 2, 0), height, width, channels) for _, picture in pictures])
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "rows": rows,
        "mean": pixels.mean((0, 2, 3), dtype=np.float64).tolist(),
        # Pictures of one plain colour are not blown up: a step of brightness is the least that they differ by.
        "deviation": pixels.std((0, 2, 3), dtype=np.float64).clip(min=1).tolist(),
    }


def album_shape(facts: Facts) -> tuple[int, int, int]:
    """(channels, height, width) of what `album_block` gives."""
    return tuple(int(facts[name]) for name in ("channels", "height", "width"))  # type: ignore[call-overload]


def album_block(chunk: Chunk, column: str, facts: Facts) -> Block:
    """(rows, channels, height, width) of uint8; a gap or a picture that cannot be read is a problem."""
    channels, height, width = album_shape(facts)
    values = np.zeros((len(chunk), channels, height, width), dtype=np.uint8)
    problems = {}
    for entry, reference in enumerate(chunk.frame[column].to_list()):
        if reference is None:
            problems[entry] = f"{column} is a gap: no picture is given"
            continue
        try:
            picture = decode(chunk.open(column, reference), reference, enough=(FINER * height, FINER * width))
        except DataError as error:
            problems[entry] = str(error)
        else:
            values[entry] = fitted(picture, height, width, channels)
    return Block(values, problems=problems)


class _Found(NamedTuple):
    """A picture that may be looked at later."""

    rank: int
    open: Callable[[str, str], bytes | np.ndarray]
    reference: str


def _sample(chunks: Iterable[Chunk], column: str) -> tuple[list[_Found], int]:
    """Up to `SAMPLED` pictures, and how many there are in all.

    Those whose row numbers mix to the least values: the same whatever the order and size of the chunks.
    """
    kept: list[_Found] = []
    rows = 0
    for chunk in chunks:
        ranks = scattered(chunk.rows)
        references = chunk.frame[column].to_list()
        present = [entry for entry, reference in enumerate(references) if reference is not None]
        rows += len(present)
        present.sort(key=ranks.__getitem__)
        kept += [_Found(int(ranks[entry]), chunk.open, references[entry]) for entry in present[:SAMPLED]]
        kept.sort(key=lambda found: found.rank)
        del kept[SAMPLED:]
    return kept, rows


def scattered(rows: np.ndarray) -> np.ndarray:
    """Row numbers scattered over 64 bits, each to its own (the finaliser of SplitMix64, Steele et al. 2014)."""
    bits = rows.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _readable(sample: Iterable[_Found], column: str, look: Callable[[bytes | np.ndarray, str], Seen]) -> Iterator[Seen]:
    """What `look` sees in each picture of a sample; those that cannot be read are left out: `prepare` names them.

    Raises:
        DataError: if none can be read.
    """
    read, first = 0, None
    for found in sample:
        try:
            seen = look(found.open(column, found.reference), found.reference)
        except DataError as error:
            first = first or error
        else:
            read += 1
            yield seen
    if first is not None and not read:
        raise DataError(f"Column {column!r}: none of the pictures looked at can be read. The first: {first}") from first


def _typical(sizes: Iterable[tuple[int, int, int]], side: int | None) -> tuple[int, int]:
    """(height, width) of the typical shape among (height, width, channels), its longer side as given or as usual."""
    heights, widths, _ = np.array(list(sizes), dtype=np.float64).T
    ratio = float(np.exp(np.median(np.log(heights / widths))))
    longer = side or min(LARGEST, round(float(np.median(np.maximum(heights, widths)))))
    return max(round(longer * min(ratio, 1)), 1), max(round(longer / max(ratio, 1)), 1)


def _is_grey(picture: np.ndarray) -> bool:
    """Whether a picture (height, width, channels) shows no colour."""
    if picture.shape[2] == 1:
        return True
    red, green, blue = picture.transpose(2, 0, 1)  # numpy is ten times slower at the least of each three
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return int((most - least).max()) <= TINT


def fitted(picture: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """(height, width, 1 or 3) of any size -> (channels, height, width); shrinking averages what falls together."""
    if picture.shape != (height, width, channels):
        image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
        image = image.convert("L" if channels == 1 else "RGB")
        if image.width % width or image.height % height:
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        else:  # the mean of whole pixels is as near to the picture, and takes a tenth of the time
            image = image.reduce((image.width // width, image.height // height))
        picture = np.asarray(image).reshape(height, width, channels)
    return picture.transpose(2, 0, 1)
