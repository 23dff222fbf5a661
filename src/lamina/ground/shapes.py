"""What flows between the parts of a network, and how parts describe it to each other.

Features take one of three forms:

    vector   (batch, width), or (batch, members, width) when several networks are trained side by side
    grid     (batch, channels, *space); space is (height, width) for pictures
    tokens   (batch, tokens, width), with the true lengths beside it
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

Form = Literal["vector", "grid", "tokens"]

Geometry = Mapping[str, Tensor]
"""What an augmentation did to each row of a batch, by name: `mirror` (batch,) of bool, for example."""


@dataclass(frozen=True)
class Shape:
    """Features without their batch: what a part gives, or is built for."""

    form: Form
    width: int
    """Numbers in a vector or in a token; channels of a grid."""
    space: tuple[int, ...] = ()
    """(height, width) of a grid; (tokens,) of tokens with a fixed number, () when it varies."""
    members: int | None = None
    """Networks trained side by side, None when the features belong to a single one."""
    strides: tuple[int, ...] = ()
    """How many input positions one position of each scale stands for, finest first; () without scales."""
    widths: tuple[int, ...] = ()
    """Channels of each scale, matching `strides`."""

    def with_width(self, width: int) -> "Shape":
        """The same shape at another width."""
        return replace(self, width=width)

    def __str__(self) -> str:
        if self.form == "grid":
            return " x ".join(str(size) for size in (self.width, *self.space))
        if self.form == "tokens":
            return f"{self.space[0] if self.space else '?'} tokens x {self.width}"
        return f"{self.members} x {self.width}" if self.members else str(self.width)


@dataclass(frozen=True)
class Features:
    """What one part hands to the next."""

    form: Form
    values: Tensor
    """See the forms above."""
    lengths: Tensor | None = None
    """(batch,) true number of tokens, for tokens of differing length."""
    scales: tuple[Tensor, ...] = ()
    """The same picture at several strides, finest first, for answers that need them (boxes, enlarged pictures)."""

    def with_values(self, values: Tensor) -> "Features":
        """The same form around new values; scales belong to the old ones and go."""
        return Features(self.form, values, self.lengths)


def vector(values: Tensor) -> Features:
    """Features of one vector a row: (batch, width) or (batch, members, width)."""
    return Features("vector", values)


def grid(values: Tensor, scales: tuple[Tensor, ...] = ()) -> Features:
    """Features on a grid: (batch, channels, *space)."""
    return Features("grid", values, scales=scales)


def tokens(values: Tensor, lengths: Tensor | None = None) -> Features:
    """Features of a sequence: (batch, tokens, width)."""
    return Features("tokens", values, lengths)
