"""Places by rotation (Su et al. 2021, "RoFormer"): only the distance between two tokens counts in attention."""

import torch
from torch import Tensor

ROTATION = 10_000.0
"""The slowest rotation takes this many tokens for a radian."""


def turns(count: int, width: int, like: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
    """(tokens, width / 2) cosine and sine of each place's angles, from the place `first` on."""
    speeds = ROTATION ** (-torch.arange(0, width, 2, device=like.device, dtype=torch.float32) / width)
    places = torch.arange(first, first + count, device=like.device, dtype=torch.float32)
    angles = places[:, None] * speeds
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def turned(values: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Each pair of numbers of (..., tokens, width) turned by its place's angle."""
    cosine, sine = angles
    left, right = values.chunk(2, -1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], -1)
