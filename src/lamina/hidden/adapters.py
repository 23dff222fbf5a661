"""What is put between two parts when the second does not take the form that the first gives."""

import math
from abc import abstractmethod
from dataclasses import replace

import torch
from torch import nn

from lamina.ground.errors import ShapeError
from lamina.ground.shapes import Features, Form, Shape, tokens, vector
from lamina.hidden.contract import HiddenLayer

MOST_TOKENS = 256
"""Positions of a grid that become tokens one by one; larger grids are cut into patches, to keep attention cheap."""


class Adapter(HiddenLayer):
    """Features in another form, without parameters."""

    @abstractmethod
    def describe(self) -> str:
        """What it does, in words for the plan."""


class GridToVector(Adapter):
    """The average over all positions: (batch, channels, *space) -> (batch, channels). Scales go along."""

    def __init__(self, shape: Shape):
        super().__init__()
        self._space = shape.space
        self.shape = replace(shape, form="vector", space=())

    def forward(self, features: Features) -> Features:
        return Features("vector", features.values.flatten(2).mean(2), scales=features.scales)

    def describe(self) -> str:
        return f"average over {' x '.join(str(size) for size in self._space)} positions -> {self.shape}"


class TokensToVector(Adapter):
    """The average of the true tokens: (batch, tokens, width) -> (batch, width); zeros for a row without tokens."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = replace(shape, form="vector", space=())

    def forward(self, features: Features) -> Features:
        values, lengths = features.values, features.lengths
        if lengths is None:
            return vector(values.mean(1))
        positions = torch.arange(values.shape[1], device=values.device)
        true = (positions < lengths[:, None]).unsqueeze(2)  # (batch, tokens, 1)
        # where and not a product: padding may hold anything, and nan times 0 is nan.
        total = torch.where(true, values, 0).sum(1)
        return vector(total / lengths.clamp(min=1)[:, None].to(values.dtype))

    def describe(self) -> str:
        return f"average of the tokens -> {self.shape}"


class GridToTokens(Adapter):
    """Square patches as tokens, row by row, as in Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words".

    (batch, channels, *space) -> (batch, patches, channels * side ** dimensions); zeros fill up the last patches.
    """

    def __init__(self, shape: Shape):
        super().__init__()
        self._side = 1
        while math.prod(self._counts(shape.space)) > MOST_TOKENS:
            self._side += 1
        width = shape.width * self._side ** len(shape.space)
        self.shape = Shape("tokens", width, (math.prod(self._counts(shape.space)),))

    def _counts(self, space: tuple[int, ...]) -> list[int]:
        return [math.ceil(size / self._side) for size in space]

    def forward(self, features: Features) -> Features:
        values = features.values
        space = tuple(values.shape[2:])
        counts = self._counts(space)
        if any(count * self._side != size for count, size in zip(counts, space, strict=True)):
            missing = [(0, count * self._side - size) for count, size in zip(counts, space, strict=True)]
            values = nn.functional.pad(values, [size for pair in reversed(missing) for size in pair])
        # (batch, channels, count, side, count, side) -> (batch, count, count, channels, side, side)
        parts = values.reshape(*values.shape[:2], *(size for count in counts for size in (count, self._side)))
        parts = parts.permute(0, *range(2, parts.ndim, 2), 1, *range(3, parts.ndim, 2))
        return tokens(parts.flatten(1, len(space)).flatten(2))

    def describe(self) -> str:
        patches = "each position a token" if self._side == 1 else f"patches with a side of {self._side}"
        return f"{patches} -> {self.shape}"


_ADAPTERS: dict[tuple[Form, Form], type[GridToVector] | type[TokensToVector] | type[GridToTokens]] = {
    ("grid", "vector"): GridToVector,
    ("tokens", "vector"): TokensToVector,
    ("grid", "tokens"): GridToTokens,
}


def adapt(shape: Shape, accepts: tuple[Form, ...]) -> tuple[Adapter | None, Shape]:
    """What brings features of this shape to a form that the next part accepts, and the shape after it.

    Returns:
        None and the same shape when the form is accepted as it is; else the adapter to the first accepted form that
        can be reached, and what it gives.

    Raises:
        ShapeError: if no accepted form can be reached: a vector has no positions to make tokens or a grid of.
    """
    if shape.form in accepts:
        return None, shape
    for form in accepts:
        if (shape.form, form) in _ADAPTERS:
            adapter = _ADAPTERS[shape.form, form](shape)
            return adapter, adapter.shape
    raise ShapeError(
        f"Features of the form {shape.form} ({shape}) cannot become {' or '.join(accepts)}. "
        f"Choose hidden layers that take a {shape.form}, such as mlp or residual for vectors."
    )
