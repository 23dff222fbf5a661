"""Pictures varied in ways that keep their meaning: moved, turned, scaled, slanted, mirrored, recoloured, covered.

Everything works on the whole batch at once: all movements of a picture become one matrix, and one resampling applies
it. A picture that is only moved (by whole pixels) or mirrored stays as sharp as it was.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lamina.data.batch import WHOLE, Place
from lamina.ground.shapes import Geometry


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """The most by which a picture is varied; 0 leaves that out."""

    mirror: bool
    """Whether half of the pictures are mirrored, left to right."""
    shift: float
    """Part of the height and width."""
    bent: float
    """Share of the pictures that are turned, scaled and slanted; the others are only moved and mirrored."""
    rotate: float
    """Degrees, either way."""
    zoom: float
    """Logarithm of the scale, of height and width apart by a half of it."""
    shear: float
    """Sideways movement per row."""
    colour: float
    """Logarithm of the contrast; brightness moves by as many standard deviations, each channel by half as many."""
    erase: float
    """Side of the square that is covered, as part of the picture's."""


def vary(pictures: Tensor, amounts: Amounts, mean: Tensor, deviation: Tensor,
         generator: torch.Generator, place: Place = WHOLE) -> tuple[Tensor, Geometry]:  # fmt: skip
    """A batch of pictures, each varied in its own way.

    Args:
        pictures: (batch, channels, height, width) of float32.
        amounts: the most by which they are varied.
        mean: (1, channels, 1, 1) a typical colour; covers what is erased.
        deviation: (1, channels, 1, 1) the unit of changes in brightness.
        generator: the only source of chance.
        place: where the pictures stand in the batch of a step; chance is drawn for all of it.

    Returns:
        The varied pictures, and what was done to each: `mirror` (batch,) of bool, `shift` (batch, 2) in pixels to the
        right and down, `rotate` (batch,) in radians, `scale` (batch, 2) of width and height, `shear` (batch,); only
        what was asked for.
    """
    chance = _Chance(len(pictures), generator, pictures.device, place.start, place.whole or len(pictures))
    pictures, geometry = _move(pictures, amounts, chance)
    if amounts.colour:
        pictures = _recolour(pictures, amounts.colour, deviation, chance)
    if amounts.erase:
        pictures = _erase(pictures, amounts.erase, mean, chance)
    return pictures, geometry


@dataclass(frozen=True)
class _Chance:
    """Random numbers for each picture of a batch."""

    batch: int
    generator: torch.Generator
    device: torch.device
    start: int
    """The place of the first picture within the whole batch."""
    of: int
    """Pictures of the whole batch, for each of which a number is drawn."""

    def around_zero(self, most: float) -> Tensor:
        """(batch,) uniform in [-most, most]."""
        return (self.below_one() * 2 - 1) * most

    def whole(self, most: int) -> Tensor:
        """(batch,) whole numbers from -most to most, as floats."""
        drawn = torch.randint(-most, most + 1, (self.of,), generator=self.generator, device=self.device)
        return drawn[self.start : self.start + self.batch].float()

    def below_one(self) -> Tensor:
        """(batch,) uniform in [0, 1)."""
        drawn = torch.rand(self.of, generator=self.generator, device=self.device)
        return drawn[self.start : self.start + self.batch]


def _move(pictures: Tensor, amounts: Amounts, chance: _Chance) -> tuple[Tensor, Geometry]:
    """Shift, mirror, turn, scale and slant in one resampling; what lies outside is filled by reflection."""
    height, width = pictures.shape[2:]
    geometry: dict[str, Tensor] = {}
    nothing, one = pictures.new_zeros(chance.batch), pictures.new_ones(chance.batch)
    right, down, side = nothing, nothing, one
    if amounts.shift:
        right, down = chance.whole(round(amounts.shift * width)), chance.whole(round(amounts.shift * height))
        geometry["shift"] = torch.stack([right, down], 1)
    if amounts.mirror:
        mirrored = chance.below_one() < 0.5
        side = torch.where(mirrored, -one, one)
        geometry["mirror"] = mirrored
    bent = (chance.below_one() < amounts.bent).float() if amounts.bent else nothing
    angle = shear = nothing
    wider, higher = one, one
    if amounts.bent and amounts.rotate:
        geometry["rotate"] = angle = chance.around_zero(math.radians(amounts.rotate)) * bent
    if amounts.bent and amounts.zoom:
        both, apart = chance.around_zero(amounts.zoom) * bent, chance.around_zero(amounts.zoom / 2) * bent
        wider, higher = (both + apart).exp(), (both - apart).exp()
        geometry["scale"] = torch.stack([wider, higher], 1)
    if amounts.bent and amounts.shear:
        geometry["shear"] = shear = chance.around_zero(amounts.shear) * bent
    if not geometry:
        return pictures, geometry
    # Where each position of the new picture looks in the old one, in pixels from the middle: the inverse movement.
    # (x, y) -> mirror @ scale^-1 @ slant^-1 @ turn^-1 @ ((x, y) - shift)
    cosine, sine = angle.cos(), angle.sin()
    top = side / wider
    a, b = top * (cosine + shear * sine), top * (sine - shear * cosine)
    c, d = -sine / higher, cosine / higher
    moved = [-(a * right + b * down), -(c * right + d * down)]
    # affine_grid counts from -1 to 1 along each side, whatever its length.
    rows = [
        torch.stack([a, b * height / width, moved[0] * 2 / width], 1),
        torch.stack([c * width / height, d, moved[1] * 2 / height], 1),
    ]
    places = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, places, padding_mode="reflection", align_corners=False), geometry


def _recolour(pictures: Tensor, most: float, deviation: Tensor, chance: _Chance) -> Tensor:
    """Contrast about the picture's own mean, brightness, and a tint where there are colours."""
    middle = pictures.mean((1, 2, 3), keepdim=True)
    contrast = chance.around_zero(most).exp()
    light = [chance.around_zero(most)] * pictures.shape[1]
    if len(light) > 1:
        light = [channel + chance.around_zero(most / 2) for channel in light]
    brightness = torch.stack(light, 1)[:, :, None, None] * deviation  # (batch, channels, 1, 1)
    return (pictures - middle) * contrast[:, None, None, None] + middle + brightness


def _erase(pictures: Tensor, part: float, mean: Tensor, chance: _Chance) -> Tensor:
    """A rectangle anywhere, partly outside too, painted in the mean colour (DeVries and Taylor 2017, "Cutout")."""
    inside = None
    for axis in (2, 3):
        length = pictures.shape[axis]
        middle = chance.below_one() * length
        positions = torch.arange(length, device=pictures.device) + 0.5
        covered = (positions - middle[:, None]).abs() < part * length / 2  # (batch, length)
        covered = covered[:, None, :, None] if axis == 2 else covered[:, None, None, :]
        inside = covered if inside is None else inside & covered
    assert inside is not None
    return torch.where(inside, mean, pictures)
