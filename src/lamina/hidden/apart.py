"""Several inputs that each answer for themselves: an answer is the average of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from lamina.ground.errors import ShapeError, listing
from lamina.ground.shapes import Features, Form, Shape, vector
from lamina.hidden.contract import HiddenLayer, JoiningPlan


@dataclass(frozen=True, kw_only=True)
class ApartPlan(JoiningPlan):
    """Inputs as members: each has a head of its own in every output, learns by its own mistakes, and votes.

    Ways of reading that err in different places are better so than joined, where the one that learns faster leaves the
    other little to learn from (docs/lab-notes.md, Texts).
    """

    name: ClassVar[str] = "apart"
    accepts: ClassVar[tuple[Form, ...]] = ("vector",)

    def build(self, shape: Shape) -> "ApartLayer":
        """The layer for a single input, which then has no other to be averaged with."""
        return self.build_many({"features": shape})

    def build_many(self, shapes: Mapping[str, Shape]) -> "ApartLayer":
        """The layer for several inputs, by name.

        Raises:
            ShapeError: if an input is no vector.
        """
        for name, shape in shapes.items():
            if shape.form != "vector":
                raise ShapeError(f"apart takes vectors, but input {name!r} gives {shape} ({shape.form}).")
        return ApartLayer(shapes)


class ApartLayer(HiddenLayer):
    """Named vectors -> (batch, members, width of the widest), zeros behind narrower ones."""

    takes_many = True

    def __init__(self, shapes: Mapping[str, Shape]):
        """For inputs of these shapes; those that are several networks already stay so."""
        super().__init__()
        self.names = tuple(shapes)
        members = sum(shape.members or 1 for shape in shapes.values())
        self.shape = Shape("vector", max(shape.width for shape in shapes.values()), members=members)

    def forward(self, features: Features | Mapping[str, Features]) -> Features:
        named = {self.names[0]: features} if isinstance(features, Features) else features
        if missing := [name for name in self.names if name not in named]:
            raise ShapeError(f"apart takes {listing(self.names)}, but {listing(missing)} is missing.")
        found = [named[name].values for name in self.names]
        found = [values if values.dim() == 3 else values[:, None] for values in found]
        return vector(torch.cat([functional.pad(each, (0, self.shape.width - each.shape[2])) for each in found], 1))
