"""Pictures moved and recoloured before a critic sees them, real and made alike, so that it cannot learn few by heart.

All of it can be differentiated, and is done to a share of the pictures only: so what is made stays upright and in its
own colours (Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training"; Karras et al. 2020).
"""

import torch
from torch import Tensor
from torch.nn import functional

from lamina.data import Place

SHIFT = 1 / 8
"""The most that a picture is moved, as part of its side."""
BRIGHTER, CONTRAST = 0.3, 0.3
"""The most that brightness changes, of a range of 2; and contrast, as part of itself."""


def alter(pictures: Tensor, share: float, generator: torch.Generator, place: Place) -> Tensor:
    """Pictures of which about this share are each moved, made brighter or darker, and changed in contrast.

    Args:
        pictures: (batch, channels, height, width) from -1 to 1.
        share: of each kind of change apart, 0 to 1.
        generator: what is drawn; for the whole batch that `place` speaks of.
        place: where these rows stand in it.
    """
    rows = place.whole or len(pictures)
    drawn = torch.rand(rows, 7, generator=generator, device=pictures.device)
    drawn = drawn[place.start : place.start + len(pictures)]
    chosen = (drawn[:, :3] < share).float()  # (batch, kinds of change)
    amounts = (2 * drawn[:, 3:] - 1) * chosen[:, [0, 0, 1, 2]]  # down, right, brightness, contrast: -1 to 1
    brightness, contrast = (amounts[:, number, None, None, None] for number in (2, 3))
    middle = pictures.mean((1, 2, 3), keepdim=True)
    pictures = (pictures - middle) * (1 + CONTRAST * contrast) + middle + BRIGHTER * brightness
    return _moved(pictures, amounts[:, :2])


def _moved(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Each picture moved by whole pixels, the border repeated; `amounts` (batch, 2) are from -1 to 1."""
    height, width = pictures.shape[2:]
    most = (max(round(height * SHIFT), 1), max(round(width * SHIFT), 1))
    padded = functional.pad(pictures, (most[1], most[1], most[0], most[0]), mode="replicate")
    down, right = ((amounts[:, axis] * most[axis]).round().long() + most[axis] for axis in (0, 1))
    rows = (torch.arange(height, device=pictures.device) + down[:, None])[:, None, :, None]
    columns = (torch.arange(width, device=pictures.device) + right[:, None])[:, None, None, :]
    channels = pictures.shape[1]
    moved = padded.gather(2, rows.expand(-1, channels, -1, padded.shape[3]))
    return moved.gather(3, columns.expand(-1, channels, height, -1))
