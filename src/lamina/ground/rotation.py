"""Places by rotation (Su et al. 2021, "RoFormer"): only the distance between two tokens counts in attention."""

from typing import Any

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
    return _Turn.apply(values, *angles)  # type: ignore[no-untyped-call]


class _Turn(torch.autograd.Function):
    """Goes over the numbers twice, and twice back: gradients are turned by the same angles the other way."""

    @staticmethod
    def forward(context: Any, values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        context.save_for_backward(cosine, sine)
        return _turned(values, cosine, sine)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cosine, sine = context.saved_tensors
        return _turned(gradient, cosine, -sine), None, None


def _turned(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    left, right = values.chunk(2, -1)
    found = values * torch.cat([cosine, cosine], -1)
    first, second = found.chunk(2, -1)
    first.addcmul_(right, sine, value=-1)
    second.addcmul_(left, sine)
    return found
