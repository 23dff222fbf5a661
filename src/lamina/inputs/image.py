"""Pictures: decoded and brought to one size once, normalised and varied in batches."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import WHOLE, Block, Chunk, Facts, Place, Values
from lamina.data.picture import decode, size
from lamina.ground.errors import DataError, PlanError
from lamina.ground.shapes import Features, Geometry, Shape, grid
from lamina.inputs._augment import Amounts, vary
from lamina.inputs.contract import InputLayer, InputPlan

Seen = TypeVar("Seen")

SAMPLED = 256
"""Training pictures that are looked at to learn size, colour and brightness; chosen by row number alone."""
LARGEST = 64
"""The longer side that larger pictures are brought to when none is given, in pixels."""
LEAST = 4
"""The least side, in pixels."""
TINT = 8
"""Channels of a grey picture kept as colour differ by no more than this, of 255: what JPEG may add."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of red, green and blue, of 1, by which the pictures of published weights were normalised."""


@dataclass(frozen=True, kw_only=True)
class ImageInput(InputPlan):
    """One column of pictures, each brought to the same size."""

    kind: ClassVar[str] = "image"

    side: int | None = None
    """The longer side in pixels; None keeps that of a typical training picture, up to 64."""
    colour: Literal["auto", "grey", "colour"] = "auto"
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
        sample, rows = _sample(chunks, self.columns[0])
        if not rows:
            raise DataError(f"Column {self.columns[0]!r} holds no pictures, only gaps: there is nothing to learn from.")
        height, width = _typical(_readable(sample, self.columns[0], size), self.side)
        pictures = [
            (_is_grey(picture), _fitted(picture, height, width, 3))  # large pictures are not kept as they come
            for picture in _readable(sample, self.columns[0], decode)
        ]
        grey = self.colour == "grey" or (self.colour == "auto" and all(is_grey for is_grey, _ in pictures))
        channels = 1 if grey else 3
        pixels = np.stack([_fitted(picture.transpose(1, 2, 0), height, width, channels) for _, picture in pictures])
        return {
            "height": height,
            "width": width,
            "channels": channels,
            "rows": rows,
            "mean": pixels.mean((0, 2, 3), dtype=np.float64).tolist(),
            # Pictures of one plain colour are not blown up: a step of brightness is the least that they differ by.
            "deviation": pixels.std((0, 2, 3), dtype=np.float64).clip(min=1).tolist(),
        }

    def prepare(self, chunk: Chunk, facts: Facts) -> Block:
        """(rows, channels, height, width) of uint8; a gap or a picture that cannot be read is a problem."""
        channels, height, width = _shape(facts)
        values = np.zeros((len(chunk), channels, height, width), dtype=np.uint8)
        problems = {}
        column = self.columns[0]
        for entry, reference in enumerate(chunk.frame[column].to_list()):
            if reference is None:
                problems[entry] = f"{column} is a gap: no picture is given"
                continue
            try:
                picture = decode(chunk.open(column, reference), reference)
            except DataError as error:
                problems[entry] = str(error)
            else:
                values[entry] = _fitted(picture, height, width, channels)
        return Block(values, problems=problems)

    def depends_on(self, facts: Facts) -> object:
        """The size alone: how pictures are varied and normalised does not change what is kept of them."""
        return [self.kind, list(self.columns), *_shape(facts)]

    def build(self, facts: Facts) -> "ImageLayer":
        """The layer, with mean and deviation in its buffers."""
        amounts = self._amounts(int(facts["rows"]))  # type: ignore[call-overload]
        return ImageLayer(_shape(facts), self._normal(facts), amounts, self.looks)

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
        ranks = _mixed(chunk.rows)
        references = chunk.frame[column].to_list()
        present = [entry for entry, reference in enumerate(references) if reference is not None]
        rows += len(present)
        present.sort(key=ranks.__getitem__)
        kept += [_Found(int(ranks[entry]), chunk.open, references[entry]) for entry in present[:SAMPLED]]
        kept.sort(key=lambda found: found.rank)
        del kept[SAMPLED:]
    return kept, rows


def _mixed(rows: np.ndarray) -> np.ndarray:
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
    return int((picture.max(2) - picture.min(2)).max()) <= TINT


def _fitted(picture: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """(height, width, 1 or 3) of any size -> (channels, height, width); shrinking averages what falls together."""
    if picture.shape != (height, width, channels):
        image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
        image = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BICUBIC)
        picture = np.asarray(image).reshape(height, width, channels)
    return picture.transpose(2, 0, 1)


def _shape(facts: Facts) -> tuple[int, int, int]:
    """(channels, height, width)."""
    return tuple(int(facts[name]) for name in ("channels", "height", "width"))  # type: ignore[call-overload]
